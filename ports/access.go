package ports

import (
	"context"
	"errors"
	"time"

	"rollcall/domain"
)

// ErrTokenExists is returned when there is a token of that name which was not revoked.
var ErrTokenExists = errors.New("there is a token of this name; revoke it first")

// Access is what the outside may ask for to decide which programs may register people. Every method returns ErrUnavailable
// when the database cannot be reached.
type Access interface {
	// CreateToken makes a token, and returns it with its secret, which nobody can be told again. A lifetime of 0 is for ever.
	// It returns domain.ErrTokenName, domain.ErrTokenLifetime, ErrTokenExists.
	CreateToken(ctx context.Context, name string, lifetime time.Duration) (secret string, token *domain.AccessToken, err error)

	// Tokens returns every token, the oldest first, those included that are not valid any more.
	Tokens(ctx context.Context) ([]domain.AccessToken, error)

	// RevokeToken makes a token invalid. What came by it before goes on. It returns ErrNotFound when there is none of
	// that name, or it was revoked before.
	RevokeToken(ctx context.Context, name string) error

	// CheckToken returns the token with a secret. It returns domain.ErrTokenInvalid.
	CheckToken(ctx context.Context, secret string) (*domain.AccessToken, error)
}

// AccessTokens keeps tokens by the hashes of their secrets. Times are kept to the microsecond. Every method returns
// ErrUnavailable when the database cannot be reached.
type AccessTokens interface {
	// Create stores a token under a new id. It returns ErrTokenExists when there is one of its name that was not revoked.
	Create(ctx context.Context, token *domain.AccessToken, hash []byte) error

	// All returns every token in the order in which they were stored.
	All(ctx context.Context) ([]domain.AccessToken, error)

	// Revoke notes when the token of a name was revoked. It returns ErrNotFound when there is none that was not.
	Revoke(ctx context.Context, name string, at time.Time) error

	// Use returns the token with a hash, valid or not, as it was before. It notes the time as that of its last use if that
	// is domain.TokenUseInterval or more after the one it knows. It returns ErrNotFound when there is none.
	Use(ctx context.Context, hash []byte, at time.Time) (*domain.AccessToken, error)
}
