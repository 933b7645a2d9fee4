// Package ports declares both sides of the hexagon. A driving port is a use case that adapters call; its name is a verbal noun.
// Use cases call driven ports, which adapters implement. A driven port that stores something is a Store.
package ports

import (
	"context"
	"iter"

	"rollcall/domain"
)

// Importing registers the people of a file.
type Importing interface {
	// Import registers every record of the file that can be registered, in order, and records the others as rejections. It is
	// atomic: after an error only the record of the import is left. It returns a *RecordedError with domain.ErrBrokenFile if
	// the file holds no records, domain.ErrTooManyRecords, domain.ErrTooSlow, ErrKeyRunning, ErrKeyReused, ErrForgotten, ErrOtherSecret,
	// ErrBusy, and ErrUnavailable if the database is unreachable or other imports block this one for too long.
	Import(ctx context.Context, request ImportRequest) (*ImportResult, error)

	// Recall returns the result of the import with a key. It returns ErrNotFound if no answer is stored for the key,
	// ErrOtherSecret, ErrUnavailable.
	Recall(ctx context.Context, key domain.ImportKey) (*ImportResult, error)

	// Reject records an import that registered no record, and returns the id of its record. It returns ErrUnavailable if the
	// database is unreachable.
	Reject(ctx context.Context, rejected RejectedImport) (int64, error)
}

// An ImportRequest is a file to import, with the options of the import.
type ImportRequest struct {
	File Spool
	Hint FileHint
	Sent int64 // bytes that the client sent, before decompression; 0 means the size of the file

	// Key is the idempotency key: the answer is stored under it, and a repeated import with the same key and file gets that
	// answer. Zero for none.
	Key domain.ImportKey

	Sender domain.Sender
	DryRun bool // registers and records nothing, and stores no answer
	Strict bool // registers every record or none

	// Progress is called repeatedly during the import, never concurrently. The figures decrease when the database undoes the
	// import and it starts again. Nil for none.
	Progress func(domain.Progress)
}

// An ImportResult is the result of an import.
type ImportResult struct {
	ID       int64 // of its record in codes; 0 for a dry run
	Tally    domain.Tally
	Notes    FileNotes
	Replayed bool // the result of an earlier import with the same key

	// Forgotten reports that the outcomes and notes were deleted with a person whom they named.
	Forgotten bool

	// Outcomes yields the outcome of each record, in order, and ends with the first error. It can be iterated repeatedly until
	// Close, but not concurrently.
	Outcomes iter.Seq2[domain.Outcome, error]

	// SlipOrder sorts the registered records by group and name. It returns the error of Outcomes, and ErrUnavailable if the disk is full.
	SlipOrder func() (*domain.SlipOrder, error)

	// Pick returns the outcomes of some records by their numbers, and derives no other passwords.
	Pick func(records []int32) (map[int32]domain.Outcome, error)

	// Close frees the storage of the outcomes.
	Close func() error
}

// A RejectedImport is an import that registered no record, as it is recorded.
type RejectedImport struct {
	Status      int    // that it is answered with
	Description string // one of the contract's two sentences for such imports
	Sender      domain.Sender
}

// A RecordedError is the reason why an import that is on record registered no record.
type RecordedError struct {
	Import int64 // id of the record
	Cause  error
}

func (e *RecordedError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *RecordedError) Unwrap() error { return e.Cause }
