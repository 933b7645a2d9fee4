package guard

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
)

// Hosts are the host names that the server answers to. The zero value answers to all.
type Hosts struct {
	Names    []string // in canonical form: see HostName
	Loopback bool     // localhost, names that end in .localhost, and loopback addresses
}

func (h Hosts) contain(host string) bool {
	name, all := HostName(host), len(h.Names) == 0 && !h.Loopback
	return all || slices.Contains(h.Names, name) || h.Loopback && isLoopback(name)
}

func isLoopback(name string) bool {
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// HostName returns the name or the address of a host, without its port, in canonical form.
func HostName(host string) string {
	name, _, err := net.SplitHostPort(host)
	if err != nil { // it has no port
		name = strings.Trim(host, "[]")
	}
	address, err := netip.ParseAddr(name)
	if err == nil {
		return address.Unmap().WithZone("").String()
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// misdirectedInterval is the minimum time between two log lines about unknown hosts. Clients can send any number of these.
const misdirectedInterval = time.Minute

// RejectOtherHosts rejects requests for host names that are not the server's. DNS rebinding makes the name of another site resolve to
// this server. The browser then treats what a page of that site sends and reads as same-origin.
func RejectOtherHosts(hosts Hosts, log *slog.Logger) fiber.Handler {
	var logged atomic.Int64 // time of the last line, in nanoseconds of Unix time
	return func(c *fiber.Ctx) error {
		name := c.Hostname()
		if hosts.contain(name) {
			return c.Next()
		}
		now, last := time.Now().UnixNano(), logged.Load()
		if now-last >= int64(misdirectedInterval) && logged.CompareAndSwap(last, now) {
			if !transport.IsHost(name) {
				name = "(invalid)"
			}
			log.WarnContext(c.UserContext(), "request for an unknown host name rejected; if the name is this server's, set --host", "host", name)
		}
		return problem.ErrMisdirected
	}
}
