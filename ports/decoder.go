package ports

import (
	"io"
	"iter"
	"slices"

	"rollcall/domain"
)

// Decoder reads files of people. The content of a file decides on its format, and the hint where the content leaves it open.
type Decoder interface {
	// Layout detects how to read a file. It returns a domain.ErrBrokenFile if the file cannot be read as one of people, or an error
	// of the reader, wrapped. If the encoding is unclear, the layout has Encodings instead of columns and rows.
	Layout(file *io.SectionReader, hint FileHint) (FileLayout, error)

	// Candidates yields the records of a file in order, numbered from 1. A candidate is valid until the next one. If the file is
	// broken or holds no record, the sequence ends with a domain.ErrBrokenFile. That is a *domain.UnclearEncodingError if the encoding is
	// unclear, a *domain.UnsupportedFileError for a file of another kind, and a *domain.UnknownSheetError if a sheet of the hint is not in
	// the file. An error of the reader is yielded, wrapped. A candidate's Original is JSON. Candidates adds to notes what it ignores.
	Candidates(file *io.SectionReader, hint FileHint, notes *FileNotes) iter.Seq2[*domain.Candidate, error]
}

// MaxOriginal is the largest size in bytes of a candidate's Original.
const MaxOriginal = 64 << 10

// A FileFormat is a format of files of people.
type FileFormat string

// The formats of files.
const (
	FormatJSON   FileFormat = "json"   // an array of objects, or objects one after another
	FormatNDJSON FileFormat = "ndjson" // an object per line
	FormatCSV    FileFormat = "csv"    // a header row, and fields separated by commas, semicolons, tabs, vertical bars or U+001F
	FormatXLSX   FileFormat = "xlsx"   // sheets of a workbook with a header row
)

// A FileHint describes a file in the words of its sender.
type FileHint struct {
	Format  FileFormat       // as the sender says; empty if unknown
	Name    string           // of an uploaded file; empty for none
	Charset string           // of the text; empty to detect it, as an unknown one does
	Chosen  bool             // a person has chosen the charset: the file is broken if it is unknown
	Dates   domain.DateOrder // of birthdays; empty to detect it
	Sheets  []string         // of a workbook, by their names as of SheetName, in the order in which they are read; nil for the first with people
}

// A FileLayout describes how a file is read.
type FileLayout struct {
	Format    FileFormat
	Encoding  string // of the text, by its IANA name: "utf-8", "windows-1251"; empty if it is unclear
	Evidence  EncodingEvidence
	Encodings []domain.Encoding // that the text may have; nil unless the encoding is unclear
	Delimiter rune              // between the fields of CSV; 0 in other formats
	Columns   []FileColumn      // in order; in JSON the keys of the first records, in the order in which they first occur
	Rows      [][]string        // the first records, those with letters beyond ASCII before the others; a text for each column
	Notes     FileNotes         // on the part of the file that was read, without its sheets and hidden rows, which need the whole file
}

// HasEncoding reports whether the encoding is unclear, and may be the one with a name.
func (l FileLayout) HasEncoding(charset string) bool {
	return slices.ContainsFunc(l.Encodings, func(e domain.Encoding) bool { return e.Charset == charset })
}

// FileNotes are the parts of a file that count in no record, or that a person does not see, fit to show. There are at most maxNotes of each kind.
type FileNotes struct {
	PassedOver []string // texts of rows above the header row, and of the example of a template
	Ignored    []IgnoredColumn
	Sheets     []SheetNote // of a workbook: those that were read, and the other visible ones with a header row; at most MaxSheets
	HiddenRows int         // rows that a workbook hides, such as by a filter; they were read

	// AmbiguousDates is the number of records that were rejected because the order of dates is unknown.
	AmbiguousDates int
}

const (
	maxNotes = 40
	maxNote  = 100 // characters

	// MaxSheets is the number of sheets that can be chosen of a workbook.
	MaxSheets = 256
)

// A SheetNote is a sheet of a workbook.
type SheetNote struct {
	Name string
	Rows int // below the header row, without blank ones
	Read bool
}

// An IgnoredColumn is a column, or a key of JSON, of which values are ignored.
type IgnoredColumn struct {
	Header  string       // empty for columns without a header
	Like    domain.Field // that the header may stand for; domain.FieldRecord for none
	Instead string       // header of the column whose values count instead, where both have one; empty for none
}

// PassOver adds the text of a row.
func (n *FileNotes) PassOver(row string) {
	if len(n.PassedOver) < maxNotes {
		n.PassedOver = append(n.PassedOver, domain.Line(row, maxNote))
	}
}

// AddSheet adds a sheet.
func (n *FileNotes) AddSheet(name string, rows int, read bool) {
	if len(n.Sheets) < MaxSheets {
		n.Sheets = append(n.Sheets, SheetNote{SheetName(name), rows, read})
	}
}

// SheetName returns the name of a sheet, fit to show. Excel's have at most 31 characters.
func SheetName(name string) string { return domain.Line(name, maxNote) }

// CountHidden counts a row that was read, if it is hidden.
func (n *FileNotes) CountHidden(hidden bool) {
	if hidden {
		n.HiddenRows++
	}
}

// Ignore adds a column.
func (n *FileNotes) Ignore(column IgnoredColumn) {
	column.Header, column.Instead = domain.Line(column.Header, maxNote), domain.Line(column.Instead, maxNote)
	if !n.IsFull() && !slices.Contains(n.Ignored, column) { // several sheets may have it
		n.Ignored = append(n.Ignored, column)
	}
}

// IsFull reports whether no other column can be added.
func (n *FileNotes) IsFull() bool { return len(n.Ignored) >= maxNotes }

// HaveSheets reports whether every name is that of a sheet.
func (n *FileNotes) HaveSheets(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(n.Sheets, func(s SheetNote) bool { return s.Name == name })
	})
}

// EncodingEvidence is the reason for which a text is read in an encoding. Its values are stable: they are stored, and translated at the
// edge.
type EncodingEvidence string

// The evidence of encodings.
const (
	EncodingMarked EncodingEvidence = "marked" // the text begins with a byte order mark
	EncodingValid  EncodingEvidence = "valid"  // the whole text is valid, which happens in no other encoding by chance
	EncodingSaid   EncodingEvidence = "said"   // by the sender
	EncodingFound  EncodingEvidence = "found"  // by the letters of the text
)

// A FileColumn is a column of a file.
type FileColumn struct {
	Header string       // as the file has it
	Field  domain.Field // that it holds; domain.FieldObject for an ignored column
}

// The bounds of a layout that is fit to show.
const (
	maxRowsShown    = 10
	maxColumnsShown = 40
	maxTextShown    = 50 // characters
)

// Shown returns the part of a layout that a page can show, with every text fit to show. A file's texts may contain any character,
// and may have any length.
func (l FileLayout) Shown() FileLayout {
	l.Encoding = domain.Line(l.Encoding, maxTextShown)
	columns := slices.Clone(l.Columns[:min(len(l.Columns), maxColumnsShown)])
	for i := range columns {
		columns[i].Header = domain.Line(columns[i].Header, maxTextShown)
	}
	rows := make([][]string, 0, maxRowsShown)
	for _, row := range l.Rows[:min(len(l.Rows), maxRowsShown)] {
		cells := make([]string, len(columns))
		for i := range min(len(row), len(columns)) {
			cells[i] = domain.Line(row[i], maxTextShown)
		}
		rows = append(rows, cells)
	}
	l.Columns, l.Rows = columns, rows
	return l
}
