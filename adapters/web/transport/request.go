package transport

import (
	"context"
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
)

const requestIDKey = "request_id"

// isForwardedID reports whether an id that a proxy gave to a request is fit for the log.
var isForwardedID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString

// Identify gives a request the id that its log lines and its answer have: a new one, or the one of a trusted proxy.
func Identify(c *fiber.Ctx) error {
	id := utils.UUIDv4()
	if forwarded := c.Get(fiber.HeaderXRequestID); c.IsProxyTrusted() && isForwardedID(forwarded) {
		id = forwarded
	}
	c.Locals(requestIDKey, id)
	c.Set(fiber.HeaderXRequestID, id)
	return c.Next()
}

// RequestID returns the id of a request, empty before Identify.
func RequestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}

// IsSecure reports whether a request came over TLS, to this server or to a trusted proxy.
func IsSecure(c *fiber.Ctx) bool { return c.Protocol() == "https" }

// CookieName returns the name of a cookie. Over TLS it has the prefix that makes browsers accept the cookie from this host only.
func CookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// Within calls do with a context for the request that ends after limit.
func Within(c *fiber.Ctx, limit time.Duration, do func() error) error {
	whole := c.UserContext()
	defer c.SetUserContext(whole)
	ctx, cancel := context.WithTimeout(whole, limit)
	defer cancel()
	c.SetUserContext(ctx)
	return do()
}
