package ports

import (
	"context"
	"time"

	"rollcall/domain"
)

// Attempt is somebody's attempt to sign in.
type Attempt struct {
	Name     string // login, e-mail or phone, as entered
	Password string // as entered
	Address  string // from where: what one client has, and others have not
	Device   string // what the browser keeps of MarkDevice; empty for nothing
	Browser  string // what the browser is known by until it is closed
}

// PasswordChange is somebody's wish for another password.
type PasswordChange struct {
	User     int64
	Made     time.Time // when the password was made that they are signed in with
	Old, New string    // as entered
}

// Auth is what the outside may ask for to know who somebody is.
type Auth interface {
	// SignIn returns whose login, e-mail or phone, and password, these are. It returns domain.ErrWrongCredentials when
	// nobody's, and takes as long for it whether the name is known or not; domain.ErrPasswordExpired,
	// domain.ErrPasswordUsed, *domain.TooManyAttemptsError, ErrBusy when too many sign in, ErrUnavailable.
	SignIn(ctx context.Context, attempt Attempt) (*domain.User, error)

	// MarkDevice returns what a browser is to keep in which a user has signed in, instead of what it keeps already: with it, no
	// stranger's attempts stand in the user's way.
	MarkDevice(user *domain.User, device string) string

	// User returns the user who signed in when their password was the one made then. It returns domain.ErrSignedOut when
	// there is none, or a temporary password that must be changed has expired; ErrUnavailable.
	User(ctx context.Context, id int64, made time.Time) (*domain.User, error)

	// ChangePassword gives a user another password, and returns them with it: sessions that began with the old one are
	// over. It returns *domain.RefusedError, *domain.TooManyAttemptsError, domain.ErrSignedOut, ErrBusy,
	// ErrUnavailable.
	ChangePassword(ctx context.Context, change PasswordChange) (*domain.User, error)
}
