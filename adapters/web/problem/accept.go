package problem

import (
	"mime"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/urls"
)

// MediaType is the media type of a Problem.
const MediaType = "application/problem+json"

// IsWanted reports whether the client's Accept names MediaType.
func IsWanted(c *fiber.Ctx) bool { return accepts(c, MediaType) }

// WantsPage reports whether a request is a browser's: its Accept names text/html. POST /useradd has no pages.
func WantsPage(c *fiber.Ctx) bool {
	return accepts(c, fiber.MIMETextHTML) && (c.Path() != urls.Useradd || c.Method() != fiber.MethodPost)
}

// accepts reports whether the client's Accept names a media type. A wildcard does not name it.
func accepts(c *fiber.Ctx, wanted string) bool {
	for accepted := range strings.SplitSeq(c.Get(fiber.HeaderAccept), ",") {
		media, params, err := mime.ParseMediaType(accepted)
		if err != nil || media != wanted {
			continue
		}
		quality, err := strconv.ParseFloat(params["q"], 64)
		return err != nil || quality > 0
	}
	return false
}
