package ports

import (
	"io"
	"iter"

	"rollcall/domain"
)

// Decoder knows a format of files.
type Decoder interface {
	// Candidates yields the objects of a file in their order, numbered from 1; a candidate is valid until the next
	// one. Where the file breaks, or ends without an object, it yields a domain.ErrBrokenFile and ends. An error of r
	// is yielded as it is, wrapped.
	Candidates(r io.Reader) iter.Seq2[*domain.Candidate, error]
}
