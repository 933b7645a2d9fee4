package web

import (
	"bytes"
	"net/netip"

	"github.com/gofiber/fiber/v2"
)

// networkBits is how much of an IPv6 address is one client's: whoever has one usually has its whole network.
const networkBits = 64

// clientAddress is where a request is from. Of forwarded addresses it believes those that trusted proxies added: from the
// last one back to the first that is no proxy.
func clientAddress(c *fiber.Ctx, isProxy func(netip.Addr) bool) string {
	address, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	address = address.Unmap()
	forwarded := bytes.Split(bytes.Join(c.Request().Header.PeekAll(fiber.HeaderXForwardedFor), []byte(",")), []byte(","))
	for i := len(forwarded) - 1; i >= 0 && isProxy(address); i-- {
		before, err := netip.ParseAddr(string(bytes.TrimSpace(forwarded[i])))
		if err != nil {
			break
		}
		address = before.Unmap()
	}
	if address.Is6() {
		network, err := address.WithZone("").Prefix(networkBits)
		if err == nil {
			return network.String()
		}
	}
	return address.String()
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
