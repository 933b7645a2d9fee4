package ports

import (
	"context"
	"time"

	"rollcall/domain"
)

// Authenticating finds out who a visitor is.
type Authenticating interface {
	// SignIn returns the user whose login, email or phone, and password, were entered. It returns domain.ErrWrongCredentials if
	// there is none, after the same time for known and unknown names; domain.ErrPasswordExpired, domain.ErrPasswordUsed, domain.ErrSuspended,
	// *domain.TooManyAttemptsError, ErrBusy when too many sign-ins wait, ErrUnavailable.
	SignIn(ctx context.Context, attempt Attempt) (*domain.User, error)

	// MarkDevice returns the text that a browser stores after a user has signed in, in place of the text it has. A browser that
	// presents it has attempts of its own, which strangers cannot use up.
	MarkDevice(user *domain.User, device string) string

	// User returns the user of a session that began when the password made at that time was the user's. It returns
	// domain.ErrSignedOut if the user is deleted or suspended, has another password, or has an expired temporary password that must be
	// changed; ErrUnavailable.
	User(ctx context.Context, id int64, made time.Time) (*domain.User, error)

	// ChangePassword replaces a user's password, which ends sessions that began with the old one, and returns the user. The
	// same change once more changes nothing, and returns the user. It
	// returns *domain.RejectedError, *domain.TooManyAttemptsError, domain.ErrSignedOut, ErrBusy, ErrUnavailable.
	ChangePassword(ctx context.Context, change PasswordChange) (*domain.User, error)
}

// An Attempt is an attempt to sign in.
type Attempt struct {
	Name     string // login, email or phone, as entered
	Password string // as entered
	Address  string // of the client's network; other clients have other addresses
	Device   string // the text of MarkDevice that the browser stores; empty for none
	Browser  string // identifier of the browser until it is closed

	UserAgent string // as the client sent it
}

// A PasswordChange is a user's request for another password.
type PasswordChange struct {
	User     int64
	Made     time.Time // when the password of the user's session was made
	Old, New string    // as entered
}
