package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Auth tells who somebody is, by what they know.
type Auth struct{ with AuthConfig }

// AuthConfig is what Auth works with.
type AuthConfig struct {
	Accounts ports.AccountStore
	Limits   ports.LimitStore
	Hasher   ports.Hasher
	Devices  ports.DeviceSigner
	Now      func() time.Time
	Rules    func() domain.Rules // returns the rules of the current day

	// TemporaryLifetime is how long a temporary password signs in.
	TemporaryLifetime time.Duration

	// MustChange makes users replace a temporary password before anything else. Such a password is used in one browser, and
	// a session that began with it ends with its life.
	MustChange bool
}

// NewAuth makes the use cases.
func NewAuth(with AuthConfig) *Auth { return &Auth{with} }

// User implements ports.Authenticating.
func (a *Auth) User(ctx context.Context, id int64, made time.Time) (*domain.User, error) {
	user, err := a.with.Accounts.User(ctx, id)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return nil, domain.ErrSignedOut
	case err != nil:
		return nil, fmt.Errorf("read user: %w", err)
	case !user.Password.Made.Equal(made):
		return nil, domain.ErrSignedOut
	}
	a.restrict(user)
	if user.MustChangePassword && a.hasExpired(user) {
		return nil, domain.ErrSignedOut
	}
	return user, nil
}

// restrict says until when a user's temporary password signs in, and to what.
func (a *Auth) restrict(user *domain.User) {
	if a.with.Hasher.IsTemporary(user.Password.Hash) {
		user.PasswordExpires = user.Password.Made.Add(a.with.TemporaryLifetime)
		user.MustChangePassword = a.with.MustChange
	}
}

// hasExpired reports whether a user has a temporary password that no longer signs in.
func (a *Auth) hasExpired(user *domain.User) bool {
	return !user.PasswordExpires.IsZero() && !a.with.Now().Before(user.PasswordExpires)
}
