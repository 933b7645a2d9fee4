package application

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// The buckets that attempts to prove a password are taken from. An attempt that succeeds is put back, so people who know
// their passwords meet no limit, however many share an address. Whoever guesses meets all three: the first keeps one
// address from trying one account, and leaves that account to its owner, who is elsewhere; the second bounds all the
// world's guesses at one account, and keeps nobody out for longer than its refill once they end; the third bounds one
// address's guesses at all accounts.
func attemptBuckets(account, address string) []ports.Bucket {
	return []ports.Bucket{
		{Key: "account " + account + " from " + address, Size: 10, Refill: time.Minute},
		{Key: "account " + account, Size: 100, Refill: 6 * time.Second},
		{Key: "address " + address, Size: 300, Refill: 5 * time.Second},
	}
}

// Auth tells who somebody is, by what they know.
type Auth struct{ with AuthConfig }

// AuthConfig is what Auth works with.
type AuthConfig struct {
	Accounts ports.Accounts
	Limits   ports.Limits
	Hasher   ports.Hasher
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

// take takes an attempt at an account out of each of its buckets, and returns what puts it back.
func (a *Auth) take(ctx context.Context, account, address string) (giveBack func() error, err error) {
	buckets := attemptBuckets(account, address)
	giveBack = func() error {
		for _, bucket := range buckets {
			err := a.with.Limits.Return(ctx, bucket)
			if err != nil {
				return fmt.Errorf("return attempt: %w", err)
			}
		}
		return nil
	}
	for _, bucket := range buckets {
		wait, err := a.with.Limits.Take(ctx, bucket)
		if err != nil {
			return nil, fmt.Errorf("count attempt: %w", err)
		}
		if wait > 0 {
			return nil, &domain.TooManyAttemptsError{Wait: wait}
		}
	}
	return giveBack, nil
}

func accountKey(user *domain.User) string { return strconv.FormatInt(user.ID, 10) }
