package ports

import (
	"io"
	"iter"

	"rollcall/domain"
)

// Decoder reads files of people. What the hint leaves open it finds out from the file's name and content.
type Decoder interface {
	// Layout finds out how a file is to be read, from no more than its beginning. It returns a domain.ErrBrokenFile for a
	// file that cannot be, or an error of the reader, wrapped.
	Layout(file *io.SectionReader, hint domain.FileHint) (domain.FileLayout, error)

	// Candidates yields the objects of a file in their order, numbered from 1; a candidate is valid until the next
	// one. Where the file breaks, or ends without an object, it yields a domain.ErrBrokenFile and ends. An error of the
	// reader is yielded as it is, wrapped.
	Candidates(file *io.SectionReader, hint domain.FileHint) iter.Seq2[*domain.Candidate, error]
}
