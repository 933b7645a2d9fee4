package web

import "github.com/gofiber/fiber/v2"

const bodyReadKey = "body_read"

// bodyWasRead notes that a handler has read the request's body to its end.
func bodyWasRead(c *fiber.Ctx) { c.Locals(bodyReadKey, true) }

// closeAfterRest ends the connection after a request whose body nobody has read to its end: on it the rest would be
// taken for the next request.
func closeAfterRest(c *fiber.Ctx) error {
	err := c.Next()
	const chunked = -1
	if length := c.Request().Header.ContentLength(); (length > 0 || length == chunked) && c.Locals(bodyReadKey) == nil {
		c.Context().SetConnectionClose()
		connOf(c).lingers.Store(true)
	}
	return err
}
