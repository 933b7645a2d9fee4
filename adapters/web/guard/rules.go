package guard

import (
	"errors"
	"net/http"
	"path"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// A UserHandler answers a request of a user. Only a rule turns it into a handler, so every route of users has a rule.
type UserHandler func(c *fiber.Ctx, user *domain.User) error

// ForUsers is the rule of routes for every signed-in user.
func (g *Guard) ForUsers(handle UserHandler) fiber.Handler {
	return g.forSome(func(*domain.User) bool { return true }, handle)
}

// ForReaders is the rule of reports.
func (g *Guard) ForReaders(handle UserHandler) fiber.Handler {
	return g.forSome(g.SeesReports, handle)
}

// ForOperators is the rule of uploads, their passwords, and rejected records as they arrived.
func (g *Guard) ForOperators(handle UserHandler) fiber.Handler {
	return g.forSome(func(user *domain.User) bool { return user.Has(domain.RoleOperator) }, handle)
}

// ForDirectory is the rule of accounts: for operators, and for clients with a token that has a scope. page answers browsers, and program
// answers other clients. A nil page leaves browsers to program.
func (g *Guard) ForDirectory(scope domain.Scope, page UserHandler, program fiber.Handler) fiber.Handler {
	operators := g.ForOperators(func(c *fiber.Ctx, user *domain.User) error {
		prefersPage := transport.Preferred(c, fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMETextHTML
		if page != nil && prefersPage && problem.WantsPage(c) {
			return page(c, user)
		}
		return program(c)
	})
	return func(c *fiber.Ctx) error {
		token, err := g.Token(c, scope)
		switch {
		case err != nil:
			return err
		case token != nil:
			return program(c)
		}
		err = operators(c)
		if errors.Is(err, domain.ErrSignedOut) {
			c.Set(fiber.HeaderWWWAuthenticate, challenge)
		}
		return err
	}
}

// forSome passes the requests of some users to a handler, and answers others with domain.ErrNotOperator. It redirects the browser of a
// user who must change a temporary password to the page for that, and answers other clients of such a user with
// domain.ErrPasswordChangeRequired.
func (g *Guard) forSome(allows func(*domain.User) bool, handle UserHandler) fiber.Handler {
	return g.ForSignedIn(func(c *fiber.Ctx, user *domain.User) error {
		switch {
		case user.MustChangePassword && problem.WantsPage(c):
			return c.Redirect(urls.ChangePassword(PageOf(c)), http.StatusSeeOther)
		case user.MustChangePassword:
			return domain.ErrPasswordChangeRequired
		case !allows(user):
			return domain.ErrNotOperator
		}
		return handle(c, user)
	})
}

// ForSignedIn is the rule of the page on which a password is changed. Without a session, it redirects a browser that asks for a page to the
// sign-in page, and answers all other requests with domain.ErrSignedOut: a form must not be lost.
func (g *Guard) ForSignedIn(handle UserHandler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		visitor, err := g.Visitors.Visitor(c)
		switch {
		case err != nil:
			return err
		case visitor.User == nil && c.Method() == fiber.MethodGet && problem.WantsPage(c) && !problem.WantsLocation(c):
			return c.Redirect(urls.SignIn(PageOf(c)), http.StatusSeeOther)
		case visitor.User == nil:
			return domain.ErrSignedOut
		}
		c.SetUserContext(ports.WithActor(c.UserContext(), domain.UserActor(visitor.User.ID)))
		return handle(c, visitor.User)
	}
}

// PageOf returns the address of the page that a request asks for or whose form it sends. Forms of an upload or an account are on its page.
func PageOf(c *fiber.Ctx) string {
	switch {
	case c.Method() == fiber.MethodGet:
		return c.OriginalURL()
	case c.Params("id") != "":
		return path.Dir(c.Path())
	default:
		return c.Path()
	}
}
