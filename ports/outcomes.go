package ports

import (
	"io"
	"iter"

	"rollcall/domain"
)

// OutcomeStore stores the outcomes of imports until they are answered.
type OutcomeStore interface {
	// NewLog returns an empty log.
	NewLog() OutcomeLog

	// SlipOrder sorts the registered records of outcomes. It returns the error of the outcomes, and ErrUnavailable if the disk is full.
	SlipOrder(outcomes iter.Seq2[domain.Outcome, error]) (*domain.SlipOrder, error)
}

// An OutcomeLog stores the outcome of each record of an import, which may be larger than memory. It stores no passwords; these are
// derived again when the outcomes are read. It is not safe for concurrent use.
type OutcomeLog interface {
	// Append adds the outcome of the next record, without its number and password. It returns ErrUnavailable if the disk is full.
	Append(outcome domain.Outcome) error

	// Flush completes the log, with the errors of Append.
	Flush() error

	// Outcomes yields the outcomes up to Flush, numbered from 1. It can be iterated repeatedly until Close, and ends with the first
	// error.
	Outcomes() iter.Seq2[domain.Outcome, error]

	// Reader reads the flushed log as bytes. Write restores a log from them.
	Reader() *io.SectionReader
	io.Writer

	// Close frees the storage. Neither outcomes nor readers may be used after it.
	io.Closer
}

// OutcomeWriter writes the outcomes of an import as a file.
type OutcomeWriter interface {
	// Write writes a file. It returns the error of w or of the outcomes, wrapped. After an error the file is incomplete.
	Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error
}
