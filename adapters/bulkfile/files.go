package bulkfile

import (
	"io"
	"iter"

	"rollcall/domain"
)

// Files reads files of every format.
type Files struct{}

// Layout implements ports.Decoder.
func (Files) Layout(*io.SectionReader, domain.FileHint) (domain.FileLayout, error) {
	return domain.FileLayout{Format: domain.FormatJSON, Encoding: "utf-8"}, nil
}

// Candidates implements ports.Decoder.
func (Files) Candidates(file *io.SectionReader, _ domain.FileHint) iter.Seq2[*domain.Candidate, error] {
	return JSON{}.Candidates(file)
}
