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
	Accounts ports.Accounts
	Limits   ports.Limits
	Hasher   ports.Hasher
	Devices  ports.Devices
	Now      func() time.Time
	Region   string // of phones without a country code

	// GeneratedLifetime is how long a generated password signs in.
	GeneratedLifetime time.Duration
}

// NewAuth makes the use cases.
func NewAuth(with AuthConfig) *Auth { return &Auth{with} }

// User implements ports.Auth.
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
	a.setExpiry(user)
	return user, nil
}

// setExpiry says until when a generated password signs in.
func (a *Auth) setExpiry(user *domain.User) {
	if user.Password.IsGenerated() {
		user.PasswordExpires = user.Password.Made.Add(a.with.GeneratedLifetime)
	}
}
