package domain

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"golang.org/x/text/unicode/norm"
)

var (
	// ErrTokenName is returned for a text that cannot be the name of a token.
	ErrTokenName = errors.New("invalid token name")

	// ErrTokenLifetime is returned for a negative lifetime.
	ErrTokenLifetime = errors.New("token lifetime must be positive")

	// ErrTokenInvalid is returned for a text that is no valid token.
	ErrTokenInvalid = errors.New("token is unknown, expired or revoked")
)

// TokenUseInterval is the minimum time between two recorded uses of a token. Each record is a write to the database.
const TokenUseInterval = time.Minute

// An AccessToken allows a client to import. It does not contain the secret that the client presents.
type AccessToken struct {
	ID      int64 // 0 before the token is stored; never reused
	Name    string
	Created time.Time
	Expires time.Time // zero if it never expires
	Used    time.Time // last use, to TokenUseInterval; zero if never used
	Revoked time.Time // zero if not revoked
}

// NewAccessToken returns a token that is valid from now for a lifetime; 0 never ends. It returns ErrTokenName or
// ErrTokenLifetime.
func NewAccessToken(name string, now time.Time, lifetime time.Duration) (*AccessToken, error) {
	name, err := TokenName(name)
	if err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Microsecond)
	token := &AccessToken{Name: name, Created: now}
	switch {
	case lifetime < 0:
		return nil, ErrTokenLifetime
	case lifetime > 0:
		token.Expires = now.Add(lifetime)
	}
	return token, nil
}

// IsValid reports whether the token is valid at a time.
func (t *AccessToken) IsValid(at time.Time) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || at.Before(t.Expires))
}

var tokenName = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]{0,49}$`)

// TokenName returns a token's name in NFC. It returns ErrTokenName.
func TokenName(s string) (string, error) {
	name := norm.NFC.String(s)
	if !tokenName.MatchString(name) {
		return "", fmt.Errorf("%w %q: expected 1 to 50 letters, digits, dots, underscores and hyphens, starting with a letter or a digit",
			ErrTokenName, s)
	}
	return name, nil
}
