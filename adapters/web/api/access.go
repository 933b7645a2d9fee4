package api

import (
	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/problem"
	"rollcall/domain"
)

// UseraddAccess is the rule of POST /useradd.
type UseraddAccess string

// The values of UseraddAccess.
const (
	AccessOpen    UseraddAccess = "open"    // every client
	AccessToken   UseraddAccess = "token"   // clients with a token
	AccessSession UseraddAccess = "session" // clients with a token, and pages of signed-in users
)

// admit returns the sender of an import, or the error that rejects it. It does not read the body.
func (u *Useradd) admit(c *fiber.Ctx) (domain.Sender, error) {
	if u.Access == AccessOpen {
		return domain.Sender{}, nil
	}
	token, err := u.Guard.Token(c, domain.ScopeUseradd)
	switch {
	case err != nil:
		return domain.Sender{}, err
	case token != nil:
		return domain.Sender{Token: token.ID, TokenName: token.Name}, nil
	case u.Access == AccessSession:
		return u.admitScript(c)
	}
	return domain.Sender{}, guard.RequireToken(c)
}

// admitScript returns the signed-in user whose page sent an import. It applies the rule of forms, because a page of any site can make a
// browser send its cookies.
func (u *Useradd) admitScript(c *fiber.Ctx) (sender domain.Sender, err error) {
	visitor, err := u.Guard.Visitors.Visitor(c)
	if err != nil {
		return sender, err
	}
	if visitor.User == nil {
		return sender, guard.RequireToken(c)
	}
	if visitor.User.MustChangePassword {
		return sender, domain.ErrPasswordChangeRequired
	}
	if !u.Guard.SeesReports(visitor.User) {
		return sender, domain.ErrNotOperator
	}
	if !guard.IsProven(c) {
		return sender, problem.ErrCrossSite
	}
	return domain.Sender{User: visitor.User.ID}, nil
}
