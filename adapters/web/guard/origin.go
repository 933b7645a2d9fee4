package guard

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
)

// headerFetchSite names the relation of the site that caused a request to this server. Browsers have sent it since 2023, except over
// plain HTTP to another machine.
const headerFetchSite = "Sec-Fetch-Site"

// RejectOtherSites rejects requests that may change something and come from a page of another site, before their body is read. It follows
// the rules of http.CrossOriginProtection: Sec-Fetch-Site decides; if it is missing, Origin. Browsers send at least one of them, programs
// neither.
func RejectOtherSites(c *fiber.Ctx) error {
	if mayChange(c) && isOtherSite(c) {
		return problem.ErrCrossSite
	}
	return c.Next()
}

// RejectUnproven rejects requests that may change something, carry a cookie and have neither header. An old browser might send such a
// request for a page of another site. It runs after RejectOtherSites.
func RejectUnproven(c *fiber.Ctx) error {
	if mayChange(c) && !IsProven(c) {
		return problem.ErrCrossSite
	}
	return c.Next()
}

// IsProven reports whether a request comes from a page of this server or carries no cookie, once RejectOtherSites has passed it.
func IsProven(c *fiber.Ctx) bool {
	return c.Get(headerFetchSite) != "" || c.Get(fiber.HeaderOrigin) != "" || c.Get(fiber.HeaderCookie) == ""
}

func mayChange(c *fiber.Ctx) bool {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return false
	}
	return true
}

func isOtherSite(c *fiber.Ctx) bool {
	switch c.Get(headerFetchSite) {
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
