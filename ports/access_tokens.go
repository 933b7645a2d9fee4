package ports

import (
	"context"
	"errors"
	"time"

	"rollcall/domain"
)

// ErrTokenExists is returned when an unrevoked token has the same name.
var ErrTokenExists = errors.New("a token with this name exists: revoke it first")

// CheckingTokens decides what the clients with tokens may do.
type CheckingTokens interface {
	// CheckToken returns the token with a secret, if it has a scope. It returns domain.ErrTokenInvalid, domain.ErrTokenForbidden,
	// ErrUnavailable.
	CheckToken(ctx context.Context, secret string, scope domain.Scope) (*domain.AccessToken, error)
}

// Secrets makes secrets that a server can check but not show again.
type Secrets interface {
	// New returns a new secret, which cannot be guessed.
	New() string

	// Hash returns the hash by which a secret is stored and found, or false for a text that is no secret.
	Hash(secret string) (hash []byte, ok bool)
}

// TokenStore stores access tokens by the hashes of their secrets, and times to the microsecond. Every method returns
// ErrUnavailable if the database is unreachable.
type TokenStore interface {
	// Create stores a token under a new id. It returns ErrTokenExists if an unrevoked token has its name.
	Create(ctx context.Context, token *domain.AccessToken, hash []byte) error

	// All returns every token, including expired and revoked ones, in the order in which they were created.
	All(ctx context.Context) ([]domain.AccessToken, error)

	// Revoke records when the token with a name was revoked. It returns ErrNotFound if no unrevoked token has the name.
	Revoke(ctx context.Context, name string, at time.Time) error

	// Use returns the token with a hash, valid or not, as it was before the call. It records the time as that of the last use
	// if it is domain.TokenUseInterval or more after the recorded one. It returns ErrNotFound.
	Use(ctx context.Context, hash []byte, at time.Time) (*domain.AccessToken, error)
}
