package ports

import (
	"context"

	"rollcall/domain"
)

// Registering registers one person.
type Registering interface {
	// Register registers a person with the password that the person chose, by the rules of an import, and counts as a sign-in. A registration that is
	// repeated with the same data and password returns the account of the first one, which is then not new. Register returns a
	// *domain.RejectedError with every violation of the entered values, or else with every value that belongs to another
	// account, which also wraps domain.ErrWrongCredentials if this counted as a failed sign-in; a *domain.TooManyAttemptsError
	// when too many people registered from the address or from all addresses; ErrBusy when too many registrations wait;
	// ErrUnavailable if the database is unreachable or an import holds one of the values.
	Register(ctx context.Context, request RegistrationRequest) (user *domain.User, isNew bool, err error)
}

// A RegistrationRequest is a person who asks for an account.
type RegistrationRequest struct {
	Person   *domain.Candidate
	Password string // as entered

	Address, Device, Browser, UserAgent string // as in Attempt
}

// RegistrationStore registers people one at a time.
type RegistrationStore interface {
	// Taken returns which of the registration's login, email and phone belong to accounts. It returns ErrUnavailable if the
	// database is unreachable.
	Taken(ctx context.Context, registration *domain.Registration) (*domain.Taken, error)

	// Create stores an account with its profile, and returns its id. It waits only briefly for a transaction that blocks it.
	// It returns ErrTaken if the login, email or phone belongs to another account. It returns ErrUnavailable if the database is
	// unreachable, or if a running import has one of them and may yet register it.
	Create(ctx context.Context, account domain.Account) (int64, error)
}
