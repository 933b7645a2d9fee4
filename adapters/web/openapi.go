package web

import (
	"fmt"
	"io/fs"

	"github.com/gofiber/fiber/v2"
)

// describe returns the handler of GET /openapi.yaml.
func describe(views fs.FS) fiber.Handler {
	return func(c *fiber.Ctx) error {
		text, err := fs.ReadFile(views, "openapi.yaml")
		if err != nil {
			return fmt.Errorf("read description of the API: %w", err)
		}
		c.Set(fiber.HeaderContentType, "application/yaml")
		c.Response().Header.Del(fiber.HeaderCacheControl)
		return c.Send(text)
	}
}
