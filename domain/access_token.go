package domain

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"golang.org/x/text/unicode/norm"
)

var (
	// ErrTokenName is returned for a text that is no name of a token.
	ErrTokenName = errors.New("the name of a token is 1 to 50 letters, digits, dots, underscores and hyphens, and begins with a letter or a digit")

	// ErrTokenLifetime is returned for a token that would never be valid.
	ErrTokenLifetime = errors.New("a token must live for some time")

	// ErrTokenInvalid is returned for what is no token, or none any more.
	ErrTokenInvalid = errors.New("token is unknown, expired or revoked")
)

// TokenUseInterval is how much later a token must be used again for that to be noted: a note is a write.
const TokenUseInterval = time.Minute

// AccessToken is what a program shows to be let in. Its secret is nowhere in it.
type AccessToken struct {
	ID      int64 // 0 before it is stored; no other token ever gets it
	Name    string
	Created time.Time
	Expires time.Time // zero for never
	Used    time.Time // last, give or take TokenUseInterval; zero for never
	Revoked time.Time // zero for not
}

// NewAccessToken makes a token that is valid from now on for a lifetime; 0 is for ever. It returns ErrTokenName or
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

// IsValid tells whether the token lets in at a time.
func (t *AccessToken) IsValid(at time.Time) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || at.Before(t.Expires))
}

var tokenName = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]{0,49}$`)

// TokenName makes a name of a token, in NFC. It returns ErrTokenName.
func TokenName(s string) (string, error) {
	name := norm.NFC.String(s)
	if !tokenName.MatchString(name) {
		return "", fmt.Errorf("%q: %w", s, ErrTokenName)
	}
	return name, nil
}
