package pages

import (
	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/manual"
)

// Help shows the manual.
type Help struct {
	*Site

	Manual *manual.Manual
}

// helpView is the view of the manual.
type helpView struct {
	Base

	Pages []manual.Page
	Page  manual.Page // zero for the list of pages
}

// Contents answers GET /help.
func (h *Help) Contents(c *fiber.Ctx) error {
	return h.show(c, "help", &helpView{Pages: h.Manual.Pages(h.Locale.Words(c).Language())})
}

// Page answers GET /help/:page.
func (h *Help) Page(c *fiber.Ctx) error {
	language := h.Locale.Words(c).Language()
	page, found := h.Manual.Page(language, c.Params("page"))
	if !found {
		return fiber.ErrNotFound
	}
	return h.show(c, "help", &helpView{Base: Base{Title: page.Title}, Pages: h.Manual.Pages(language), Page: page})
}
