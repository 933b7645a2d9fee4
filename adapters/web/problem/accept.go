package problem

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
)

// MediaType is the media type of a Problem.
const MediaType = "application/problem+json"

// IsWanted reports whether a client gets its errors as problems: its Accept names MediaType, or it is a program that asks for accounts.
func IsWanted(c *fiber.Ctx) bool {
	return transport.Names(c, MediaType) || strings.HasPrefix(c.Path()+"/", urls.Users) && (!WantsPage(c) || hasToken(c))
}

// hasToken reports whether a request has an access token, and so comes from a program.
func hasToken(c *fiber.Ctx) bool {
	scheme, _, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	return strings.EqualFold(scheme, "Bearer")
}

// WantsPage reports whether a request is a browser's: its Accept names text/html. POST /useradd has no pages.
func WantsPage(c *fiber.Ctx) bool {
	return transport.Names(c, fiber.MIMETextHTML) && (c.Path() != urls.Useradd || c.Method() != fiber.MethodPost)
}

// WantsLocation reports whether a request is that of a form's script, which follows redirects by itself.
func WantsLocation(c *fiber.Ctx) bool { return c.Get(fiber.HeaderXRequestedWith) == "fetch" }
