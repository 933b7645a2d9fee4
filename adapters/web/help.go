package web

import (
	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/manual"
)

const pathHelp = "/help"

// viewHelp is a page of the manual, with the titles of all.
type viewHelp struct {
	Pages []manual.Page
	Page  manual.Page // zero for the list of pages
}

// helpContents answers GET /help.
func (p *pages) helpContents(c *fiber.Ctx) error {
	return p.show(c, "help", &view{Help: &viewHelp{Pages: p.manual.Pages(p.words(c).Language())}})
}

// helpPage answers GET /help/:page.
func (p *pages) helpPage(c *fiber.Ctx) error {
	language := p.words(c).Language()
	page, found := p.manual.Page(language, c.Params("page"))
	if !found {
		return fiber.ErrNotFound
	}
	return p.show(c, "help", &view{Title: page.Title, Help: &viewHelp{p.manual.Pages(language), page}})
}
