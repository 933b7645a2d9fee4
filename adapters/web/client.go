package web

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// clientBits is how much of an IPv6 address is one client's: whoever has one usually has its whole network.
const clientBits = 64

// clientAddress is the client's part of where a request is from.
func clientAddress(c *fiber.Ctx, isProxy func(netip.Addr) bool) string {
	network := networkOf(clientIP(c, isProxy), clientBits)
	if network.IsSingleIP() {
		return network.Addr().String()
	}
	return network.String()
}

// networkOf returns an IPv4 address by itself, and the network of an IPv6 address that has so many bits.
func networkOf(address netip.Addr, bits int) netip.Prefix {
	address = address.Unmap().WithZone("")
	if address.Is4() {
		bits = address.BitLen()
	}
	return netip.PrefixFrom(address, bits).Masked()
}

// clientIP is where a request is from. Of forwarded addresses it believes those that trusted proxies added: from the
// last one back to the first that is no proxy. What stands before one that makes no sense, nobody vouches for.
func clientIP(c *fiber.Ctx, isProxy func(netip.Addr) bool) netip.Addr {
	address := peerAddress(c)
	forwarded := bytes.Split(forwardedValues(c, fiber.HeaderXForwardedFor), []byte(","))
	for i := len(forwarded) - 1; i >= 0 && isProxy(address); i-- {
		before, ok := forwardedAddress(string(bytes.TrimSpace(forwarded[i])))
		if !ok {
			break
		}
		address = before
	}
	return address
}

// peerAddress is that of the other end of the connection.
func peerAddress(c *fiber.Ctx) netip.Addr {
	address, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return address.Unmap()
}

// forwardedAddress reads an address as proxies write it: some with a port, and IPv6 in brackets.
func forwardedAddress(s string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(s)
	if err != nil {
		withPort, failed := netip.ParseAddrPort(s)
		address, err = withPort.Addr(), failed
	}
	if inside, ok := strings.CutPrefix(s, "["); err != nil && ok {
		address, err = netip.ParseAddr(strings.TrimSuffix(inside, "]"))
	}
	return address.Unmap().WithZone(""), err == nil
}

// forwardedValues are the values of a header, however many lines it has.
func forwardedValues(c *fiber.Ctx, header string) []byte {
	return bytes.Join(c.Request().Header.PeekAll(header), []byte(","))
}

// isAnyOf tells of an address whether one of the networks has it.
func isAnyOf(networks []netip.Prefix) func(netip.Addr) bool {
	return func(address netip.Addr) bool {
		for _, network := range networks {
			if network.Contains(address) {
				return true
			}
		}
		return false
	}
}

// host is a name or an address, perhaps with a port.
var host = regexp.MustCompile(`^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)

// noticeProxy calls notice once, with the peer, when a peer that is not a trusted proxy says whom it forwards.
func noticeProxy(isProxy func(netip.Addr) bool, notice func(peer netip.Addr)) fiber.Handler {
	var noticed sync.Once
	return func(c *fiber.Ctx) error {
		header := &c.Request().Header
		for _, name := range []string{fiber.HeaderXForwardedFor, fiber.HeaderXForwardedProto, fiber.HeaderXForwardedHost} {
			if peer := peerAddress(c); len(header.Peek(name)) > 0 && !isProxy(peer) {
				noticed.Do(func() { notice(peer) })
				break
			}
		}
		return c.Next()
	}
}

// checkForwarded makes of what a request's proxies say what Fiber may believe, which looks no closer: of the first
// X-Forwarded-Proto and the first X-Forwarded-Host, which the client came to, what makes sense, and no other header.
func checkForwarded(c *fiber.Ctx) error {
	header := &c.Request().Header
	first := func(name string) string {
		value, _, _ := strings.Cut(string(forwardedValues(c, name)), ",")
		header.Del(name)
		return strings.TrimSpace(value)
	}
	for _, name := range []string{fiber.HeaderXForwardedProtocol, fiber.HeaderXForwardedSsl, fiber.HeaderXUrlScheme} {
		header.Del(name)
	}
	if scheme := strings.ToLower(first(fiber.HeaderXForwardedProto)); scheme == "http" || scheme == "https" {
		header.Set(fiber.HeaderXForwardedProto, scheme)
	}
	if name := first(fiber.HeaderXForwardedHost); host.MatchString(name) {
		header.Set(fiber.HeaderXForwardedHost, name)
	}
	return c.Next()
}
