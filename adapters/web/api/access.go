package api

import (
	"errors"
	"log/slog"
	"strings"

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

// The challenges of RFC 6750, section 3.
const (
	challenge        = `Bearer realm="Rollcall"`
	challengeInvalid = challenge + `, error="invalid_token", error_description="It is unknown, expired or revoked."`
)

// admit returns the sender of an import, or the error that rejects it. It does not read the body.
func (u *Useradd) admit(c *fiber.Ctx) (domain.Sender, error) {
	if u.Access == AccessOpen {
		return domain.Sender{}, nil
	}
	if secret, given := bearer(c); given {
		token, err := u.Tokens.CheckToken(c.UserContext(), secret)
		if errors.Is(err, domain.ErrTokenInvalid) {
			c.Set(fiber.HeaderWWWAuthenticate, challengeInvalid)
		}
		if err != nil {
			return domain.Sender{}, err
		}
		u.Guard.Events.Note(c, "token", "used", slog.Int64("token", token.ID))
		return domain.Sender{Token: token.ID, TokenName: token.Name}, nil
	}
	sender, err := domain.Sender{}, problem.ErrTokenMissing
	if u.Access == AccessSession {
		sender, err = u.admitScript(c)
	}
	if errors.Is(err, problem.ErrTokenMissing) {
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	}
	return sender, err
}

// admitScript returns the signed-in user whose page sent an import. It applies the rule of forms, because a page of any site can make a
// browser send its cookies.
func (u *Useradd) admitScript(c *fiber.Ctx) (sender domain.Sender, err error) {
	visitor, err := u.Guard.Visitors.Visitor(c)
	if err != nil {
		return sender, err
	}
	if visitor.User == nil {
		return sender, problem.ErrTokenMissing
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

// bearer returns the token of a request (RFC 6750, section 2.1), and reports whether there is one. If the request has several
// Authorization headers, the token is empty, and so invalid.
func bearer(c *fiber.Ctx) (secret string, given bool) {
	headers := c.Request().Header.PeekAll(fiber.HeaderAuthorization)
	for _, header := range headers {
		scheme, credentials, _ := strings.Cut(strings.TrimSpace(string(header)), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		given = true
		if len(headers) == 1 {
			secret = strings.TrimSpace(credentials)
		}
	}
	return secret, given
}
