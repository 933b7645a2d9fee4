package domain

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrWrongCredentials is returned for an unknown login as for a wrong password: nobody is told which.
	ErrWrongCredentials = errors.New("login or password is wrong")

	// ErrPasswordExpired is returned when a generated password is right, and too old to sign in with.
	ErrPasswordExpired = errors.New("generated password has expired")

	// ErrPasswordUsed is returned when a temporary password is right, and was first used in another browser.
	ErrPasswordUsed = errors.New("temporary password was used in another browser")

	// ErrPasswordChangeRequired is returned to a user who must replace a temporary password first.
	ErrPasswordChangeRequired = errors.New("temporary password must be changed first")

	// ErrSignedOut is returned when a session is over: its user is gone, or has another password.
	ErrSignedOut = errors.New("signed out")
)

// ErrTooManyAttempts is what a TooManyAttemptsError is.
var ErrTooManyAttempts = errors.New("too many attempts")

// TooManyAttemptsError is returned when somebody tried too often.
type TooManyAttemptsError struct {
	Wait time.Duration // until it may succeed
}

func (e *TooManyAttemptsError) Error() string {
	return fmt.Sprintf("%v: wait %v", ErrTooManyAttempts, e.Wait)
}

// Unwrap makes the error an ErrTooManyAttempts.
func (e *TooManyAttemptsError) Unwrap() error { return ErrTooManyAttempts }

// ErrRejected is what a RefusedError is.
var ErrRejected = errors.New("refused")

// RejectedError is returned when what a person entered has violations.
type RejectedError struct{ Violations Violations }

func (e *RejectedError) Error() string {
	return fmt.Sprintf("%v: %d violations", ErrRejected, len(e.Violations))
}

// Unwrap makes the error an ErrRefused.
func (e *RejectedError) Unwrap() error { return ErrRejected }
