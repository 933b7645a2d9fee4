package web

import (
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
)

// userHandler answers a request of a user. Only a rule makes it a handler, so that no route can do without one.
type userHandler func(c *fiber.Ctx, user *domain.User) error

// forUsers is the rule of what is for every signed-in user.
func (p *pages) forUsers(handle userHandler) fiber.Handler {
	return p.forSome(func(*domain.User) bool { return true }, handle)
}

// forReaders is the rule of reports.
func (p *pages) forReaders(handle userHandler) fiber.Handler {
	return p.forSome(p.access.Allows, handle)
}

// forOperators is the rule of uploads, their passwords, and rejected records as they came.
func (p *pages) forOperators(handle userHandler) fiber.Handler {
	return p.forSome(func(user *domain.User) bool { return user.Has(domain.RoleOperator) }, handle)
}

// forSome passes the requests of some users to a handler, and answers others with domain.ErrNotOperator. It sends the browser of
// a user who must change a temporary password first to do so and come back, and answers any other client of theirs with
// domain.ErrPasswordChangeRequired.
func (p *pages) forSome(allows func(*domain.User) bool, handle userHandler) fiber.Handler {
	return p.forSignedIn(func(c *fiber.Ctx, user *domain.User) error {
		switch {
		case user.MustChangePassword && wantsPage(c):
			return c.Redirect(passwordPage(pageOf(c)), http.StatusSeeOther)
		case user.MustChangePassword:
			return domain.ErrPasswordChangeRequired
		case !allows(user):
			return domain.ErrNotOperator
		}
		return handle(c, user)
	})
}

// forSignedIn is the rule of the page on which a password is changed. Without a session, it sends a browser to sign in and come
// back, and answers any other client with domain.ErrSignedOut.
func (p *pages) forSignedIn(handle userHandler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who, err := p.visitor(c)
		switch {
		case err != nil:
			return err
		case who.user == nil && wantsPage(c):
			return c.Redirect("/login?next="+url.QueryEscape(pageOf(c)), http.StatusSeeOther)
		case who.user == nil:
			return domain.ErrSignedOut
		}
		return handle(c, who.user)
	}
}

// pageOf returns the address of the page that a request asks for, or whose form it sends. The forms of an upload are on its page.
func pageOf(c *fiber.Ctx) string {
	switch {
	case c.Method() == fiber.MethodGet:
		return c.OriginalURL()
	case c.Params("id") != "":
		return uploadAddress(c)
	default:
		return c.Path()
	}
}
