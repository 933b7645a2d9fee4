package ports

import (
	"context"
	"time"

	"rollcall/domain"
)

// An Expectation returns an error unless an account still is as the client has seen it. Nil accepts every account.
type Expectation func(user *domain.User) error

// Directory shows the accounts of users to operators, and changes them. Every method, those of AccountControl included, returns ErrNotFound
// if no account has the id, and ErrUnavailable. Methods that change an account also return the error of the expectation. Repeating a
// change is no error, and ends no session.
type Directory interface {
	AccountControl

	// Person returns a user with the latest sign-ins and sessions.
	Person(ctx context.Context, id int64) (*domain.Person, error)

	// Owners returns the accounts that have the names, in their order.
	Owners(ctx context.Context, names []Names) ([]Owners, error)

	// Edit replaces a person's data by the candidate that person returns for the account as it is. It returns *domain.RejectedError.
	Edit(ctx context.Context, id int64, expected Expectation, person func(user *domain.User) *domain.Candidate) error

	// Salt returns a salt for NewPassword.
	Salt() []byte

	// NewPassword replaces a user's password by a temporary one, which ends the user's sessions, and returns it with the login. The same
	// salt once more returns the same password while the user has it, whatever is expected. NewPassword returns ErrOtherSecret for
	// a text that is no salt.
	NewPassword(ctx context.Context, id int64, expected Expectation, salt []byte) (login, password string, err error)
}

// Names are the login, email and phone of a record, each empty for none. They may be invalid, or belong to different accounts.
type Names struct{ Login, Email, Phone string }

// Owners are the ids of the accounts that have the login, email and phone of Names, 0 for none.
type Owners struct{ Login, Email, Phone int64 }

// AccountControl decides whether and how users may sign in.
type AccountControl interface {
	// Suspend ends a user's sessions and undecided uploads, and prevents new sessions. It returns domain.ErrLastOperator.
	Suspend(ctx context.Context, id int64, expected Expectation) error

	// EndSessions ends a user's sessions.
	EndSessions(ctx context.Context, id int64, expected Expectation) error

	// Restore ends a suspension.
	Restore(ctx context.Context, id int64, expected Expectation) error

	// RequireChange ends a user's sessions, and requires the user to choose a new password at the next sign-in.
	RequireChange(ctx context.Context, id int64, expected Expectation) error

	// Delete deletes an account with its profile, sessions, uploads and sign-ins; the originals of the records that were rejected with
	// its login; and the kept answer of the import that registered it. It returns domain.ErrLastOperator.
	Delete(ctx context.Context, id int64, expected Expectation) error
}

// An AccountChange is a change of an account. Its zero value changes nothing.
type AccountChange struct {
	Action domain.Action  // for the audit; empty for none
	Fields []domain.Field // that change, for the audit, which omits the values because they identify the person

	Person   *domain.Registration   // replaces the person's data; nil for none
	Group    *domain.Group          // replaces the person's group alone; nil for none
	Password *domain.StoredPassword // replaces the password by one that no browser has used; nil for none

	EndsSessions   bool
	Suspended      time.Time // suspends the user from then; zero for none
	Restored       bool      // ends the suspension
	ChangeRequired bool      // requires the user to choose a new password
	Deleted        bool      // deletes the account
}

// DirectoryStore stores what operators change in accounts. Every method returns ErrUnavailable if the database is unreachable.
type DirectoryStore interface {
	// SignIns returns the latest sign-ins of a user, the newest first, at most domain.KeptSignIns.
	SignIns(ctx context.Context, id int64) ([]domain.SignIn, error)

	// Sessions returns the sessions of a user that have not ended, the latest used first, at most domain.ListedSessions. It does not
	// return those that are not described.
	Sessions(ctx context.Context, id int64) ([]domain.Session, error)

	// Change calls decide with an account, which no other transaction changes meanwhile, and makes the change that decide returns. It
	// returns ErrNotFound; an error of decide; *domain.RejectedError with each of login, email and phone that belongs to another
	// account; domain.ErrLastOperator if no operator would remain who can sign in. After an error nothing has changed.
	Change(ctx context.Context, id int64, decide func(user *domain.User) (AccountChange, error)) error

	// ChangeMany runs work in one transaction, and commits it when work returns nil. If the database undoes the transaction, ChangeMany
	// runs work again from its beginning. It returns the error of work, ErrKeyRunning, and ErrKeyUsed.
	ChangeMany(ctx context.Context, mode BulkMode, work func(context.Context, BulkTx) error) error
}
