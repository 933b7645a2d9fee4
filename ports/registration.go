// Package ports has both sides of the hexagon. Driving ports say what the outside may ask for; driven ports say what the
// use cases need from outside, one file per capability.
package ports

import (
	"context"
	"iter"

	"rollcall/domain"
)

// Registration is what the outside may ask for to get people registered.
type Registration interface {
	// Import registers every object of the file that may be registered, one after another, and records the rest: all
	// of it, or after an error nothing but the record of the request. It returns a RecordedError with
	// domain.ErrBrokenFile when the file holds no objects, domain.ErrTooManyRecords, domain.ErrTooSlow, ErrKeyRunning,
	// ErrKeyReused, ErrOtherSecret, ErrBusy, ErrUnavailable when the database cannot be reached or others' imports keep
	// theirs in the way.
	Import(ctx context.Context, request ImportRequest) (*ImportResult, error)

	// Recall returns what came of the import with a key. It returns ErrNotFound when there is none whose answer is kept,
	// ErrOtherSecret, ErrUnavailable.
	Recall(ctx context.Context, key domain.ImportKey) (*ImportResult, error)

	// Register registers one person with the password that they chose, by the rules of an import. It returns
	// *domain.RefusedError with every violation of the person's own, or else with every key that belongs to another;
	// *domain.TooManyAttemptsError when too many have registered from the address or from all, ErrBusy when too many are
	// registering, ErrUnavailable when the database cannot be reached or an import keeps what the person needs.
	Register(ctx context.Context, request RegistrationRequest) (*domain.User, error)

	// Refuse records a request that registered nobody, with the HTTP status it is answered with, one of the contract's
	// sentences, and its sender, and returns the record's id. It returns ErrUnavailable when the database cannot be
	// reached.
	Refuse(ctx context.Context, status int, description string, sender domain.Sender) (int64, error)
}

// RegistrationRequest is a person who wants to register.
type RegistrationRequest struct {
	Person   *domain.Candidate
	Password string // as entered
	Address  string // as in Attempt
}

// RecordedError is why an import came to nothing that was recorded all the same.
type RecordedError struct {
	Import int64 // by the id of its record
	Cause  error
}

func (e *RecordedError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *RecordedError) Unwrap() error { return e.Cause }

// ImportRequest is a file to be imported, and how.
type ImportRequest struct {
	File Spool
	Hint domain.FileHint
	Sent int64 // bytes that the client sent, before decompression; 0 for the size of the file

	// Key is of idempotency: the answer to a request is kept for its key, and is the answer to every further request with
	// that key and the same file. Zero for none.
	Key domain.ImportKey

	Sender domain.Sender
	DryRun bool // nobody is registered, nothing is recorded, and there is no answer to be kept
	Strict bool // everybody is registered, or nobody

	// Progress is called now and then while the import works, by one at a time; when the database has undone it, with
	// less than before. It may be nil.
	Progress func(domain.Progress)
}

// ImportResult is what came of an import.
type ImportResult struct {
	ID       int64 // of its record in codes; 0 for a dry run
	Tally    domain.Tally
	Replayed bool // it is what came of an earlier request with the same key

	// Outcomes yields what came of each object, in their order, and ends with the first error. It may be ranged over
	// until Close, by one at a time.
	Outcomes iter.Seq2[domain.Outcome, error]

	// Close frees what the outcomes are kept in.
	Close func() error
}
