// Package bulkfile reads files of records: a sequence of candidates from a stream of bytes, in memory that does not grow with
// the file. The packages below scan/ know the rules of a format; builder makes candidates of objects and rows.
package bulkfile

import (
	"io"
	"iter"

	"rollcall/domain"
	"rollcall/ports"
)

// Files reads files of every format, and detects which format a file has.
type Files struct {
	Spools      ports.SpoolStore // for the shared texts of a workbook while it is read
	MaxInflated int64            // bytes that a workbook may inflate to
}

// Candidates implements ports.Decoder.
func (f Files) Candidates(file *io.SectionReader, hint ports.FileHint, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		s, err := detect(file, hint)
		if err != nil {
			yield(nil, err)
			return
		}
		f.candidates(s, file, hint, notes)(yield)
	}
}

func (f Files) candidates(s *source, file *io.SectionReader, hint ports.FileHint, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	switch s.format {
	case ports.FormatNDJSON:
		return NDJSON{}.Candidates(s.text(file), notes)
	case ports.FormatCSV:
		return CSV{s.delimiter}.Candidates(s.text(file), notes)
	case ports.FormatXLSX:
		return func(yield func(*domain.Candidate, error) bool) {
			err := f.withWorkbook(file, hint, func(w *workbook) error { return w.candidates(notes, yield) })
			if err != nil {
				yield(nil, err)
			}
		}
	default:
		return JSON{}.Candidates(s.text(file), notes)
	}
}

// whole reads a file from its beginning.
func whole(file *io.SectionReader) *io.SectionReader {
	return io.NewSectionReader(file, 0, file.Size())
}
