package ports

import (
	"context"
	"errors"
	"io"
	"iter"

	"rollcall/domain"
)

// Reporting is what the outside may ask for to know what imports did. Every method returns ErrUnavailable when the
// database cannot be reached.
type Reporting interface {
	// Statistics returns what imports did over time.
	Statistics(ctx context.Context) (*domain.Statistics, error)

	// Imports returns a page of imports.
	Imports(ctx context.Context, query ImportQuery) (*ImportPage, error)

	// Rejections returns a page of the objects that an import refused. It returns ErrNotFound when there is no such
	// import.
	Rejections(ctx context.Context, query RejectionQuery) (*RejectionPage, error)

	// Export makes a file. It returns ErrNotFound when there is no such format or import, ErrBusy when too many files are
	// being made, ErrUnavailable also when there is no room.
	Export(ctx context.Context, query ExportQuery) (*ExportFile, error)
}

// ErrBusy is returned when too much of something is being done already.
var ErrBusy = errors.New("busy")

// ImportQuery asks for a page of imports, in the order of their ids, which is that of their dates.
type ImportQuery struct {
	Filter domain.ReportFilter
	Oldest bool  // the oldest first, else the latest
	After  int64 // imports behind this one in that order; 0 for the first page
	Before int64 // or imports in front of this one: the last of them
	Limit  int
}

// ImportPage is a page of imports.
type ImportPage struct {
	Imports []domain.Import // without their users
	IsFirst bool            // there are none in front
	IsLast  bool            // there are none behind
}

// RejectionQuery asks for a page of the objects that the import of its filter refused, in the order of their numbers.
type RejectionQuery struct {
	Filter domain.ReportFilter
	After  int // objects behind the one of this number
	Limit  int
}

// RejectionPage is a page of refused objects, and their import.
type RejectionPage struct {
	Import     domain.Import
	Rejections []domain.Rejection // without their originals
	IsLast     bool
}

// ExportQuery asks for a file of the imports and objects that a filter chooses.
type ExportQuery struct {
	Format   string
	Language string // of the reader, as in Report
	Filter   domain.ReportFilter
}

// ExportFile is a file that was made. It is whole.
type ExportFile struct {
	io.ReadCloser

	Name string
	Size int64
}

// Reports reads what imports did. Every method returns ErrUnavailable when the database cannot be reached.
type Reports interface {
	// Statistics returns what imports did: in the days up to one, and in all.
	Statistics(ctx context.Context, today domain.Date) (*domain.Statistics, error)

	// Imports returns a page of imports.
	Imports(ctx context.Context, query ImportQuery) (*ImportPage, error)

	// Rejections returns a page of the objects that an import refused, or ErrNotFound.
	Rejections(ctx context.Context, query RejectionQuery) (*RejectionPage, error)

	// Read calls work with a report, which is valid until work returns. All of it is of one moment. It returns the
	// error of work.
	Read(ctx context.Context, query ReportQuery, work func(Report) error) error
}

// ReportQuery asks for a report, and for what not every format needs of its rejections.
type ReportQuery struct {
	Filter     domain.ReportFilter
	Violations bool
	Originals  bool
}

// Report is imports and the objects they refused. Each sequence ends with the first error, and may be ranged over once;
// the two not at the same time. The bytes of a rejection's Original are valid until the next rejection.
type Report struct {
	Language   string                             // of the reader, "en" or "ru"; empty for English
	Imports    iter.Seq2[domain.Import, error]    // in the order of their ids, without their users
	Rejections iter.Seq2[domain.Rejection, error] // in the order of their imports and numbers
}

// ReportWriter writes a report in a format.
type ReportWriter interface {
	// Write writes a report. It returns the error of w or of the report, wrapped. What was written before an error is
	// no whole file.
	Write(w io.Writer, report Report) error
}

// ExportName is what a file is called: Kind-Detail.Extension.
type ExportName struct {
	Kind      string
	Detail    string // it begins with a digit, and no Kind ends in a part that does
	Extension string
}

// Exports keeps files that were exported.
type Exports interface {
	// Make makes a file of what write writes. When write returns an error there is no file, and Make returns the error.
	// Of files of one kind and extension the newest is kept. Make returns ErrUnavailable when there is no room.
	Make(name ExportName, write func(io.Writer) error) (*ExportFile, error)
}
