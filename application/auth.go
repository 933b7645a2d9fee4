package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Auth authenticates users.
type Auth struct {
	cfg    AuthConfig
	failed *failedAttempts
}

// AuthConfig configures Auth.
type AuthConfig struct {
	Accounts ports.AccountStore
	Limits   ports.LimitStore
	Hasher   ports.Hasher
	Devices  ports.DeviceSigner
	Audit    ports.Auditing
	Now      func() time.Time
	Rules    func() domain.Rules // returns the rules of the current day

	// TemporaryLifetime is the time for which a temporary password is valid.
	TemporaryLifetime time.Duration

	// MustChange requires users to change a temporary password before anything else. Such a password works in one browser only, and
	// its sessions end when it expires.
	MustChange bool
}

// NewAuth returns the use cases.
func NewAuth(cfg AuthConfig) *Auth { return &Auth{cfg, newFailedAttempts(cfg.Audit)} }

// User implements ports.Authenticating.
func (a *Auth) User(ctx context.Context, id int64, made time.Time) (*domain.User, error) {
	user, err := a.cfg.Accounts.User(ctx, id)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return nil, domain.ErrSignedOut
	case err != nil:
		return nil, fmt.Errorf("read user: %w", err)
	case !user.Password.Made.Equal(made), user.IsSuspended():
		return nil, domain.ErrSignedOut
	}
	a.restrict(user)
	if a.cfg.MustChange && a.hasExpired(user) {
		return nil, domain.ErrSignedOut
	}
	return user, nil
}

// restrict sets the expiry of a user's temporary password, and whether the user must change the password.
func (a *Auth) restrict(user *domain.User) {
	if a.cfg.Hasher.IsTemporary(user.Password.Hash) {
		user.PasswordExpires = user.Password.Made.Add(a.cfg.TemporaryLifetime)
		user.MustChangePassword = a.cfg.MustChange
	}
	user.MustChangePassword = user.MustChangePassword || user.ChangeRequired
}

// hasExpired reports whether a user has an expired temporary password.
func (a *Auth) hasExpired(user *domain.User) bool {
	return !user.PasswordExpires.IsZero() && !a.cfg.Now().Before(user.PasswordExpires)
}
