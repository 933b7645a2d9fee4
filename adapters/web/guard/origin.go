package guard

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
)

// RejectOtherSites rejects requests that may change something and come from a page of another site. It does so before their body is
// read.
func RejectOtherSites(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	if isCrossSite(c) {
		return problem.ErrCrossSite
	}
	return c.Next()
}

// isCrossSite reports whether a page of another origin caused a request. Its rules are those of http.CrossOriginProtection: browsers
// since 2023 send Sec-Fetch-Site; older ones, and all of them over plain HTTP, send an Origin. Programs send neither.
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
