package web

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

var (
	errMisdirected = errors.New("request is for a host name that is not the server's")
	errCrossSite   = errors.New("request was sent by a page of another site")
)

// Hosts are the host names that the server answers to. The zero value answers to all.
type Hosts struct {
	Names    []string // in the form of HostName
	Loopback bool     // localhost, names that end in .localhost, and loopback addresses
}

func (h Hosts) areAll() bool { return len(h.Names) == 0 && !h.Loopback }

func (h Hosts) contain(host string) bool {
	name := HostName(host)
	return h.areAll() || slices.Contains(h.Names, name) || h.Loopback && isLoopback(name)
}

func isLoopback(name string) bool {
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// HostName returns the name or the address in a host, which may have a port, in the one form that can be compared.
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

// misdirectedPause is the minimal time between two lines of the log about unknown hosts, since clients choose what they send.
const misdirectedPause = time.Minute

// refuseOtherHosts rejects requests for host names that are not the server's. DNS rebinding makes the name of another site resolve
// to this server, and to the browser all that a page of that site then sends and reads is same-origin.
func refuseOtherHosts(hosts Hosts, log *slog.Logger) fiber.Handler {
	var logged atomic.Int64 // when it last was, in nanoseconds of Unix time
	return func(c *fiber.Ctx) error {
		name := c.Hostname()
		if hosts.contain(name) {
			return c.Next()
		}
		now, last := time.Now().UnixNano(), logged.Load()
		if now-last >= int64(misdirectedPause) && logged.CompareAndSwap(last, now) {
			if !host.MatchString(name) {
				name = "(invalid)"
			}
			log.WarnContext(c.UserContext(), "request for an unknown host name rejected; if the name is this server's, set --host", "host", name)
		}
		return errMisdirected
	}
}

// refuseOtherSites rejects requests that may change something and come from a page of another site, before it reads their body.
func refuseOtherSites(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	if isCrossSite(c) {
		return errCrossSite
	}
	return c.Next()
}

// isCrossSite reports whether a page of another origin caused a request. Its rules are those of http.CrossOriginProtection:
// browsers since 2023 say so themselves; older ones, and all of them over plain HTTP, send an Origin. Programs send neither.
func isCrossSite(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "":
	case "same-origin", "none":
		return false
	default:
		return true
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return false
	}
	from, err := url.Parse(origin)
	return err != nil || from.Host != c.Hostname()
}
