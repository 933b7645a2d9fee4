package web

import (
	"crypto/subtle"
	"errors"
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
	tokens ports.Access
	pages  *pages
}

// admit returns the name of the token that a request came by, empty for none, or why it may not be served. It reads nothing
// of the body.
func (a *useraddAccess) admit(c *fiber.Ctx) (string, error) {
	if a.who == AccessOpen {
		return "", nil
	}
	if secret, given := bearer(c); given {
		token, err := a.tokens.CheckToken(c.UserContext(), secret)
		if errors.Is(err, domain.ErrTokenInvalid) {
			c.Set(fiber.HeaderWWWAuthenticate, challengeInvalid)
		}
		if err != nil {
			return "", err
		}
		return token.Name, nil
	}
	err := errTokenMissing
	if a.who == AccessSession {
		err = a.pages.admitScript(c)
	}
	if errors.Is(err, errTokenMissing) {
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	}
	return "", err
}

// admitScript lets in what a page of this server sends for somebody who is signed in. Any page can make a browser send its
// cookies, so what protects forms protects this too.
func (p *pages) admitScript(c *fiber.Ctx) error {
	who, err := p.visitor(c)
	if err != nil {
		return err
	}
	if who.user == nil {
		return errTokenMissing
	}
	if !p.access.Allows(who.user) {
		return domain.ErrNotOperator
	}
	token, err := p.token(c)
	if err != nil {
		return err
	}
	if isCrossSite(c) || subtle.ConstantTimeCompare([]byte(c.Get(headerFormToken)), []byte(token)) == 0 {
		return errFormExpired
	}
	return nil
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
