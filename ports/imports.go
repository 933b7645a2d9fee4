package ports

import (
	"context"
	"errors"

	"rollcall/domain"
)

// ErrUnavailable is returned when something cannot be done now and may succeed later.
var ErrUnavailable = errors.New("unavailable")

// ErrTaken is returned when a login, e-mail or phone has come to belong to another account meanwhile.
var ErrTaken = errors.New("taken meanwhile")

// Imports keeps what imports did: accounts, rejections and the record of each request.
type Imports interface {
	// Do runs work in one transaction, which it commits when work returns nil. Where the database undoes the
	// transaction (a deadlock, a clash with another import, a lost connection), Do runs work again from its
	// beginning. It returns the id of the import's record, the error of work, or ErrUnavailable.
	//
	// An exclusive import waits for other exclusive ones to end; then it waits for whoever is in its way, where
	// another one gives way and comes again. An import of more than one batch ought to be exclusive.
	Do(ctx context.Context, exclusive bool, work func(context.Context, ImportTx) error) (int64, error)

	// Refuse records a request that registered nobody. It returns ErrUnavailable when the database cannot be reached.
	Refuse(ctx context.Context, status int, description string) error
}

// ImportTx is an import under way, in its transaction. After an error other than ErrTaken the work must return it.
type ImportTx interface {
	// Taken returns those logins, e-mails and phones of the objects that belong to accounts, be they of earlier
	// batches of this import. The set is the caller's until the next call. Of objects without violations it may leave
	// some out: Add finds these.
	Taken(ctx context.Context, objects []domain.Object) (*domain.Taken, error)

	// Add stores a batch. It returns ErrTaken when an account that Taken did not know has one of its logins, e-mails
	// or phones: then nothing of the batch is stored, and Taken, asked again, knows that account.
	Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error

	// Finish records what came of the import; it comes last.
	Finish(ctx context.Context, tally domain.Tally) error
}
