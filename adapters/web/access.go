package web

import (
	"crypto/subtle"
	"errors"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// UseraddAccess says who may post to /useradd.
type UseraddAccess string

// The ways in.
const (
	AccessOpen    UseraddAccess = "open"    // whoever can reach the port
	AccessToken   UseraddAccess = "token"   // who has a token
	AccessSession UseraddAccess = "session" // who has a token, or is signed in with a browser
)

// headerFormToken has, from a script of a page, what a form has in its field "csrf".
const headerFormToken = "X-CSRF-Token" //nolint:gosec // it is the name of one

// The challenges of RFC 6750, section 3.
const (
	challenge        = `Bearer realm="Rollcall"`
	challengeInvalid = challenge + `, error="invalid_token", error_description="It is unknown, expired or revoked."`
)

var errTokenMissing = errors.New("request has no token")

// useraddAccess decides who may post to /useradd.
type useraddAccess struct {
	who    UseraddAccess
	tokens ports.CheckingTokens
	pages  *pages
}

// admit returns who sent a request, or why it may not be served. It reads nothing of the body.
func (a *useraddAccess) admit(c *fiber.Ctx) (domain.Sender, error) {
	if a.who == AccessOpen {
		return domain.Sender{}, nil
	}
	if secret, given := bearer(c); given {
		token, err := a.tokens.CheckToken(c.UserContext(), secret)
		if errors.Is(err, domain.ErrTokenInvalid) {
			c.Set(fiber.HeaderWWWAuthenticate, challengeInvalid)
		}
		if err != nil {
			return domain.Sender{}, err
		}
		a.pages.events.note(c, "token", "used", slog.Int64("token", token.ID))
		return domain.Sender{Token: token.ID, TokenName: token.Name}, nil
	}
	sender, err := domain.Sender{}, errTokenMissing
	if a.who == AccessSession {
		sender, err = a.pages.admitScript(c)
	}
	if errors.Is(err, errTokenMissing) {
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	}
	return sender, err
}

// admitScript returns the user for whom a page of this server sent a request. Any page can make a browser send its cookies, so
// what protects forms protects this too.
func (p *pages) admitScript(c *fiber.Ctx) (sender domain.Sender, err error) {
	who, err := p.visitor(c)
	if err != nil {
		return sender, err
	}
	if who.user == nil {
		return sender, errTokenMissing
	}
	if who.user.MustChangePassword {
		return sender, domain.ErrPasswordChangeRequired
	}
	if !p.access.Allows(who.user) {
		return sender, domain.ErrNotOperator
	}
	token, err := p.token(c)
	if err != nil {
		return sender, err
	}
	if subtle.ConstantTimeCompare([]byte(c.Get(headerFormToken)), []byte(token)) == 0 {
		return sender, errFormExpired
	}
	return domain.Sender{User: who.user.ID}, nil
}

// bearer returns the token of a request by RFC 6750, section 2.1. Who gives several credentials gives none that is valid.
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
