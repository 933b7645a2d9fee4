package ports

import (
	"context"

	"rollcall/domain"
)

// A BulkChange is a change that an operator makes to selected users.
type BulkChange struct {
	Action    domain.BulkAction
	Group     string // for domain.BulkGroup; empty removes users from their groups
	Selection UserSelection
	Users     int // number of selected users that the operator has confirmed
}

// BulkChanging changes many users in a job, which has the state of an upload. Uploading starts it again and cancels it.
type BulkChanging interface {
	// ChangeUsers starts the job of a change, and returns the id of its upload. It returns ErrBusy when too many jobs of the operator are
	// running or waiting, and ErrUnavailable. The job fails if its selection no longer has the confirmed number of users.
	ChangeUsers(ctx context.Context, operator int64, change BulkChange) (id string, err error)
}

// A BulkMode says whose accounts a bulk change may change.
type BulkMode struct {
	Selection UserSelection
	Terms     SearchTerms
	Key       domain.ImportKey // is held by one change at a time, and the answer is stored under it
}

// A BulkTx is a running bulk change in its transaction. After an error the work must return that error.
type BulkTx interface {
	// Selected returns the number of selected users.
	Selected() int

	// Next returns the next selected users, in the order of their ids. No other transaction changes them until the end. It returns none
	// after the last one.
	Next(ctx context.Context) ([]SelectedUser, error)

	// Change makes a change of each user that Next has returned. It changes neither a person's data as a whole nor roles.
	Change(ctx context.Context, changes []AccountChange) error

	// Finish records the result, and must be the last call.
	Finish(ctx context.Context, tally domain.Tally, answer *Answer, entry domain.AuditEntry) error
}

// A SelectedUser is a user whom a bulk change has selected.
type SelectedUser struct {
	User *domain.User // nil if the account was deleted since it was selected, or does not exist
	Left bool         // the selection no longer includes the user, because another transaction has changed the account
}
