package ports

import (
	"io"
	"iter"

	"rollcall/domain"
)

// OutcomeWriter writes the outcomes of an import as a file.
type OutcomeWriter interface {
	// Write writes a file. It returns the error of w or of the outcomes, wrapped. After an error the file is incomplete.
	Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error
}
