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
	// of it, or after an error nothing but the record of the request. It returns domain.ErrBrokenFile when the file
	// holds no objects, ErrUnavailable when the database cannot be reached or others' imports keep theirs in the way.
	Import(ctx context.Context, file Spool) (*ImportResult, error)

	// Register registers one person with the password that they chose, by the rules of an import. It returns
	// *domain.RefusedError with every violation, ErrUnavailable when the database cannot be reached or an import keeps
	// what the person needs.
	Register(ctx context.Context, person *domain.Candidate, password string) (*domain.User, error)

	// Refuse records a request whose file was not read, with the HTTP status it is answered with. It returns
	// ErrUnavailable when the database cannot be reached.
	Refuse(ctx context.Context, status int) error
}

// ImportResult is what came of an import.
type ImportResult struct {
	ID    int64 // of its record in codes
	Tally domain.Tally

	// Outcomes yields what came of each object, in their order, and ends with the first error. It may be ranged over
	// until Close, by one at a time.
	Outcomes iter.Seq2[domain.Outcome, error]

	// Close frees what the outcomes are kept in.
	Close func() error
}
