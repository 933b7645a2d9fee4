package transport

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// clientBits is the length of the IPv6 prefix that counts as one client: a provider usually gives a client a whole network.
const clientBits = 64

// Proxies are the networks of trusted proxies. The server takes a client's address, and the scheme and the host of a request, from
// their headers.
type Proxies []netip.Prefix

// Trust reports whether an address belongs to a trusted proxy.
func (p Proxies) Trust(address netip.Addr) bool {
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// ClientAddress returns the address that a request came from, or its network, as text that stands for one client.
func (p Proxies) ClientAddress(c *fiber.Ctx) string {
	network := p.ClientNetwork(c, clientBits)
	if network.IsSingleIP() {
		return network.Addr().String()
	}
	return network.String()
}

// ClientNetwork returns the address that a request came from, or for an IPv6 address its network with the given prefix length.
func (p Proxies) ClientNetwork(c *fiber.Ctx, bits int) netip.Prefix {
	return networkOf(p.clientIP(c), bits)
}

// networkOf returns an IPv4 address as it is, and the network of an IPv6 address with the given prefix length.
func networkOf(address netip.Addr, bits int) netip.Prefix {
	address = address.Unmap().WithZone("")
	if address.Is4() {
		bits = address.BitLen()
	}
	return netip.PrefixFrom(address, bits).Masked()
}

// clientIP returns the address that a request came from. It reads the forwarded addresses from the last one back to the first that is
// not a trusted proxy's, because only trusted proxies added those. It stops before an invalid one.
func (p Proxies) clientIP(c *fiber.Ctx) netip.Addr {
	address := peerAddress(c)
	forwarded := bytes.Split(forwardedValues(c, fiber.HeaderXForwardedFor), []byte(","))
	for i := len(forwarded) - 1; i >= 0 && p.Trust(address); i-- {
		before, ok := forwardedAddress(string(bytes.TrimSpace(forwarded[i])))
		if !ok {
			break
		}
		address = before
	}
	return address
}

// peerAddress returns the address of the peer of the connection.
func peerAddress(c *fiber.Ctx) netip.Addr {
	address, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return address.Unmap()
}

// forwardedAddress parses an address as proxies write it: some add a port, and brackets around IPv6.
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

// forwardedValues returns the values of all lines of a header, separated by commas.
func forwardedValues(c *fiber.Ctx, header string) []byte {
	return bytes.Join(c.Request().Header.PeekAll(header), []byte(","))
}

// IsHost reports whether text is a host name or an address, with or without a port.
var IsHost = regexp.MustCompile(`^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`).MatchString

// NoticeOthers calls notice once, with the address of the first peer that sends X-Forwarded headers and is not a trusted proxy.
func (p Proxies) NoticeOthers(notice func(peer netip.Addr)) fiber.Handler {
	var noticed sync.Once
	return func(c *fiber.Ctx) error {
		header := &c.Request().Header
		for _, name := range []string{fiber.HeaderXForwardedFor, fiber.HeaderXForwardedProto, fiber.HeaderXForwardedHost} {
			if peer := peerAddress(c); len(header.Peek(name)) > 0 && !p.Trust(peer) {
				noticed.Do(func() { notice(peer) })
				break
			}
		}
		return c.Next()
	}
}

// CheckForwarded leaves only valid forwarding headers in a request, because Fiber does not check them. Of X-Forwarded-Proto and
// X-Forwarded-Host it keeps the first value, which the client itself requested.
func CheckForwarded(c *fiber.Ctx) error {
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
	if name := first(fiber.HeaderXForwardedHost); IsHost(name) {
		header.Set(fiber.HeaderXForwardedHost, name)
	}
	return c.Next()
}
