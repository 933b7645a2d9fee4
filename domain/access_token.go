package domain

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"golang.org/x/text/unicode/norm"
)

var (
	// ErrTokenName is returned for a text that cannot be the name of a token.
	ErrTokenName = errors.New("invalid token name")

	// ErrTokenLifetime is returned for a negative lifetime.
	ErrTokenLifetime = errors.New("token lifetime must be positive")

	// ErrTokenScope is returned for a text that is not a scope.
	ErrTokenScope = errors.New("invalid scope")

	// ErrTokenInvalid is returned for a text that is no valid token.
	ErrTokenInvalid = errors.New("token is unknown, expired or revoked")

	// ErrTokenForbidden is returned for a valid token that has not the scope that a request needs.
	ErrTokenForbidden = errors.New("token has not the scope")
)

// A Scope is a permission of a token.
type Scope string

// The scopes.
const (
	ScopeUseradd    Scope = "useradd"     // import people
	ScopeUsersRead  Scope = "users:read"  // read accounts
	ScopeUsersWrite Scope = "users:write" // change and delete accounts, and give them temporary passwords
)

// ParseScope returns the scope with a name. It returns ErrTokenScope.
func ParseScope(name string) (Scope, error) {
	switch scope := Scope(name); scope {
	case ScopeUseradd, ScopeUsersRead, ScopeUsersWrite:
		return scope, nil
	}
	return "", fmt.Errorf("%w %q: expected useradd, users:read or users:write", ErrTokenScope, name)
}

// TokenUseInterval is the minimum time between two recorded uses of a token. Each record is a write to the database.
const TokenUseInterval = time.Minute

// An AccessToken allows a client to do what its scopes say. It does not contain the secret that the client presents.
type AccessToken struct {
	ID      int64 // 0 before the token is stored; never reused
	Name    string
	Scopes  []Scope // sorted
	Created time.Time
	Expires time.Time // zero if it never expires
	Used    time.Time // last use, to TokenUseInterval; zero if never used
	Revoked time.Time // zero if not revoked
}

// NewAccessToken returns a token that is valid from now for a lifetime; 0 never ends. Without scopes it is for imports. It returns
// ErrTokenName or ErrTokenLifetime.
func NewAccessToken(name string, now time.Time, lifetime time.Duration, scopes ...Scope) (*AccessToken, error) {
	name, err := TokenName(name)
	if err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Microsecond)
	if len(scopes) == 0 {
		scopes = []Scope{ScopeUseradd}
	}
	token := &AccessToken{Name: name, Scopes: slices.Compact(slices.Sorted(slices.Values(scopes))), Created: now}
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

// Has reports whether the token has a scope.
func (t *AccessToken) Has(scope Scope) bool { return slices.Contains(t.Scopes, scope) }

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
