package ports

import (
	"context"
	"time"
)

// Setup is how an installation gets its first operator. Every method returns ErrUnavailable when the database cannot be
// reached.
type Setup interface {
	// NewCode returns a new code, or an empty string when there is an operator.
	NewCode(ctx context.Context) (string, error)

	// CheckCode returns domain.ErrSetupCode for a code that UseCode would not take.
	CheckCode(ctx context.Context, code string) error

	// UseCode makes a user an operator. With the first use all codes are gone. It returns domain.ErrSetupCode when the code is
	// unknown or expired, or there is an operator.
	UseCode(ctx context.Context, code string, user int64) error
}

// SetupCodes keeps codes by their hashes, as long as there is no operator. Every method returns ErrUnavailable when the
// database cannot be reached.
type SetupCodes interface {
	// Create stores a code, and reports whether it did: not when there is an operator.
	Create(ctx context.Context, hash []byte, expires time.Time) (bool, error)

	// Check returns ErrNotFound when the code is unknown or has expired at a time, or there is an operator.
	Check(ctx context.Context, hash []byte, at time.Time) error

	// Use makes a user an operator and removes all codes, in one step: of concurrent calls one succeeds. It returns
	// ErrNotFound as Check does, and when there is no such user.
	Use(ctx context.Context, hash []byte, at time.Time, user int64) error
}
