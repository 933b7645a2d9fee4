package ports

import (
	"io"
	"iter"

	"rollcall/domain"
)

// OutcomeWriter writes what came of an import as a file.
type OutcomeWriter interface {
	// Write writes a file. It returns the error of w or of the outcomes, wrapped. What was written before an error is no
	// whole file.
	Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error
}
