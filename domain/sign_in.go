package domain

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrWrongCredentials is returned both for an unknown name and for a wrong password, so that a client cannot tell which it was.
	ErrWrongCredentials = errors.New("login or password is wrong")

	// ErrPasswordExpired is returned for a correct temporary password that has expired.
	ErrPasswordExpired = errors.New("temporary password has expired")

	// ErrPasswordUsed is returned for a correct temporary password that was first used in another browser.
	ErrPasswordUsed = errors.New("temporary password was used in another browser")

	// ErrPasswordChangeRequired is returned for a request of a user who must change a temporary password first.
	ErrPasswordChangeRequired = errors.New("temporary password must be changed first")

	// ErrSignedOut is returned for a session that is over, because its user was deleted or has another password.
	ErrSignedOut = errors.New("signed out")
)

// ErrTooManyAttempts is wrapped by every TooManyAttemptsError.
var ErrTooManyAttempts = errors.New("too many attempts")

// A TooManyAttemptsError is returned when a rate limit is exceeded.
type TooManyAttemptsError struct {
	Wait time.Duration // until the next attempt is allowed
}

func (e *TooManyAttemptsError) Error() string {
	return fmt.Sprintf("%v: wait %v", ErrTooManyAttempts, e.Wait)
}

// Unwrap returns ErrTooManyAttempts.
func (e *TooManyAttemptsError) Unwrap() error { return ErrTooManyAttempts }

// ErrRejected is wrapped by every RejectedError.
var ErrRejected = errors.New("rejected")

// A RejectedError is returned for entered values that have violations.
type RejectedError struct{ Violations Violations }

func (e *RejectedError) Error() string {
	return fmt.Sprintf("%v: %d violations", ErrRejected, len(e.Violations))
}

// Unwrap returns ErrRejected.
func (e *RejectedError) Unwrap() error { return ErrRejected }
