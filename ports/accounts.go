package ports

import (
	"context"
	"errors"

	"rollcall/domain"
)

var (
	// ErrNotFound is returned when there is no such account.
	ErrNotFound = errors.New("not found")

	// ErrChanged is returned when something is not any more what it was when it was read.
	ErrChanged = errors.New("changed meanwhile")
)

// Registrations takes people in one at a time.
type Registrations interface {
	// Taken returns which of the registration's login, e-mail and phone belong to accounts. It returns ErrUnavailable
	// when the database cannot be reached.
	Taken(ctx context.Context, registration *domain.Registration) (*domain.Taken, error)

	// Create stores an account with its profile, and returns its id. It waits no longer than a moment for whoever is in
	// its way. It returns ErrTaken when the login, the e-mail or the phone belongs to another account, ErrUnavailable
	// when the database cannot be reached or an import that is under way may come to have one of them.
	Create(ctx context.Context, account domain.Account) (int64, error)
}

// Accounts keeps the accounts of people.
type Accounts interface {
	// Find returns the account that a name belongs to: the one with the email, else the one with the phone, else the one with
	// the login. Only logins that are older than the rule against it can read as another person's contact, and the contact
	// counts: whoever has such a login can sign in by their own email or phone. It returns ErrNotFound when there is none,
	// ErrUnavailable when the database cannot be reached.
	Find(ctx context.Context, identity domain.Identity) (*domain.User, error)

	// User returns an account. It returns ErrNotFound when there is none, ErrUnavailable when the database cannot be
	// reached.
	User(ctx context.Context, id int64) (*domain.User, error)

	// UsePassword notes that a temporary password, by its hash, is used in a browser, by a hash of what that is known by. Of
	// several browsers the first has it. It returns domain.ErrPasswordUsed when another browser has it, ErrChanged when the
	// account has another password by now or is gone, ErrUnavailable when the database cannot be reached.
	UsePassword(ctx context.Context, id int64, hash string, browser []byte) error

	// SetPassword replaces the password whose hash is oldHash by one that no browser has used. It returns ErrChanged when the account has another
	// password by now or is gone, ErrUnavailable when the database cannot be reached.
	SetPassword(ctx context.Context, id int64, oldHash string, password domain.StoredPassword) error
}
