// Package bulkfile reads files of records: a sequence of candidates from a stream of bytes, in memory that does not grow with
// the file. The packages below scan/ know the rules of a format; builder makes candidates of objects and rows.
package bulkfile

import (
	"errors"
	"io"
	"iter"
	"slices"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/xlsx"
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
		f.candidates(s, file, notes)(yield)
	}
}

func (f Files) candidates(s *source, file *io.SectionReader, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	switch s.format {
	case ports.FormatNDJSON:
		return NDJSON{}.Candidates(s.text(file), notes)
	case ports.FormatCSV:
		return CSV{s.delimiter}.Candidates(s.text(file), notes)
	case ports.FormatXLSX:
		return func(yield func(*domain.Candidate, error) bool) {
			err := f.workbook(file, notes, func(t table) error {
				t.candidates(notes, yield)
				return nil
			})
			if err != nil {
				yield(nil, err)
			}
		}
	default:
		return JSON{}.Candidates(s.text(file), notes)
	}
}

// workbook calls read with the first visible sheet of a workbook that has a header row, or with the first if none has. It adds to notes the
// other sheets with a header row: they are not read.
func (f Files) workbook(file *io.SectionReader, notes *ports.FileNotes, read func(table) error) error {
	spool := f.Spools.New()
	defer spool.Close()
	book, err := xlsx.Open(file, spool, f.MaxInflated, rowLimits)
	if other, ok := errors.AsType[*xlsx.OtherArchiveError](err); ok {
		return archiveError(other.Parts)
	}
	if err != nil {
		return brokenFile(err, 0)
	}
	sheets := book.Sheets()
	chosen := slices.IndexFunc(sheets, func(s xlsx.Sheet) bool {
		var found bool
		found, err = hasHeaderRow(book.Rows(s))
		return found || err != nil
	})
	if err != nil {
		return brokenFile(err, 0)
	}
	chosen = max(chosen, 0)
	for _, other := range sheets[chosen+1:] {
		if found, _ := hasHeaderRow(book.Rows(other)); found { // a broken sheet that is not read does no harm
			notes.SkipSheet(other.Name)
		}
	}
	return read(table{rows: book.Rows(sheets[chosen]), sheet: ports.SheetName(sheets[chosen].Name), date: book.Date})
}

// hasHeaderRow reports whether a table has a header row.
func hasHeaderRow(rows scan.Rows) (bool, error) {
	above := 0
	for row, err := range rows {
		switch {
		case err != nil:
			return false, err
		case row.IsBlank():
		case !row.Broken && newColumns(row.Cells) != nil:
			return true, nil
		default:
			if above++; above == headerRows {
				return false, nil
			}
		}
	}
	return false, nil
}

// whole reads a file from its beginning.
func whole(file *io.SectionReader) *io.SectionReader {
	return io.NewSectionReader(file, 0, file.Size())
}
