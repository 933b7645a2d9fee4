package ports

import (
	"context"
	"time"
)

// SettingUp gives an installation its first operator. Every method returns ErrUnavailable if the database is unreachable.
type SettingUp interface {
	// NewCode returns a new code, or an empty string if there is an operator.
	NewCode(ctx context.Context) (string, error)

	// CheckCode returns domain.ErrSetupCode for a code that UseCode would reject.
	CheckCode(ctx context.Context, code string) error

	// UseCode makes a user an operator. The first use invalidates all codes. It returns domain.ErrSetupCode if the code is
	// unknown or expired, or if there is an operator.
	UseCode(ctx context.Context, code string, user int64) error
}

// SetupCodeStore stores setup codes by their hashes until there is an operator. Every method returns ErrUnavailable if the
// database is unreachable.
type SetupCodeStore interface {
	// Create stores a code unless there is an operator, and reports whether it did.
	Create(ctx context.Context, hash []byte, expires time.Time) (bool, error)

	// Check returns ErrNotFound if the code is unknown or expired at a time, or if there is an operator.
	Check(ctx context.Context, hash []byte, at time.Time) error

	// Use makes a user an operator and removes all codes, atomically: of concurrent calls one succeeds. It returns ErrNotFound
	// as Check does, and if there is no such user.
	Use(ctx context.Context, hash []byte, at time.Time, user int64) error
}
