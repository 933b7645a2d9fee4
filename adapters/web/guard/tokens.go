package guard

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/domain"
	"rollcall/ports"
)

// challenge is that of RFC 6750, section 3.
const challenge = `Bearer realm="Rollcall"`

// Token returns the token that a request presents, nil for none. The token has a scope.
func (g *Guard) Token(c *fiber.Ctx, scope domain.Scope) (*domain.AccessToken, error) {
	secret, given := bearer(c)
	if !given {
		return nil, nil //nolint:nilnil // a request without a token may have a session
	}
	token, err := g.tokens.CheckToken(c.UserContext(), secret, scope)
	switch {
	case errors.Is(err, domain.ErrTokenInvalid):
		c.Set(fiber.HeaderWWWAuthenticate, challenge+`, error="invalid_token", error_description="It is unknown, expired or revoked."`)
	case errors.Is(err, domain.ErrTokenForbidden):
		c.Set(fiber.HeaderWWWAuthenticate, challenge+`, error="insufficient_scope", scope="`+string(scope)+`"`)
	}
	if err != nil {
		return nil, err
	}
	c.SetUserContext(ports.WithActor(c.UserContext(), domain.Actor{Kind: domain.ActorToken, ID: token.ID, Name: token.Name}))
	g.Events.Note(c, "token", "used", slog.Int64("token", token.ID))
	c.SetUserContext(ports.WithActor(c.UserContext(), domain.Actor{Kind: domain.ActorToken, ID: token.ID, Name: token.Name}))
	return token, nil
}

// RequireToken returns the error for a request without a token, and asks the client for one.
func RequireToken(c *fiber.Ctx) error {
	c.Set(fiber.HeaderWWWAuthenticate, challenge)
	return problem.ErrTokenMissing
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
