package ports

import (
	"context"
	"io"
	"iter"

	"rollcall/domain"
)

// ReportReading reads the results of imports, a page at a time. Pages read the store directly, because no rule of a use case
// stands between them. Every method returns ErrUnavailable if the database is unreachable.
type ReportReading interface {
	// Statistics returns the results of all imports, and those of each of the last days up to today.
	Statistics(ctx context.Context, today domain.Date) (*domain.Statistics, error)

	// Imports returns a page of imports.
	Imports(ctx context.Context, query ImportQuery) (*ImportPage, error)

	// Running returns imports that are running, the latest first, and at most 100. Dry runs and short imports are not among
	// them.
	Running(ctx context.Context) ([]RunningImport, error)

	// Rejections returns a page of the rejections of an import. It returns ErrNotFound if there is no such import.
	Rejections(ctx context.Context, query RejectionQuery) (*RejectionPage, error)
}

// An ImportQuery asks for a page of imports. They are ordered by their ids, which is also the order of their dates.
type ImportQuery struct {
	Filter domain.ReportFilter
	Oldest bool  // orders the oldest first; by default the newest is first
	After  int64 // starts the page after this import; 0 for the first page
	Before int64 // ends the page before this import; 0 for none
	Limit  int
}

// An ImportPage is a page of imports.
type ImportPage struct {
	Imports []domain.Import // without their users
	IsFirst bool            // no import precedes the page
	IsLast  bool            // no import follows the page
}

// A RejectionQuery asks for a page of the rejections of its filter's import, ordered by the numbers of their records.
type RejectionQuery struct {
	Filter    domain.ReportFilter
	After     int // starts the page after the record with this number
	Limit     int
	Originals bool // the page has the originals
}

// A RejectionPage is a page of rejections, with their import.
type RejectionPage struct {
	Import     domain.Import
	Rejections []domain.Rejection
	IsLast     bool // no rejection follows the page
}

// ReportStore reads the results of imports.
type ReportStore interface {
	ReportReading

	// Read calls work with a report, which is valid until work returns. The report shows one moment. Read returns the error of
	// work.
	Read(ctx context.Context, query ReportQuery, work func(Report) error) error
}

// A ReportQuery asks for a report, and for those parts of its rejections that only some formats need.
type ReportQuery struct {
	Filter     domain.ReportFilter
	Violations bool
	Originals  bool
}

// A Report contains imports and their rejections. Each sequence ends with the first error, and can be iterated once; not both
// at the same time. The bytes of a rejection's Original are valid until the next rejection.
type Report struct {
	Language   string                             // of the reader, "en" or "ru"; empty for English
	Imports    iter.Seq2[domain.Import, error]    // ordered by their ids, without their users
	Rejections iter.Seq2[domain.Rejection, error] // ordered by their imports and the numbers of their records
}

// ReportWriter writes a report in a format.
type ReportWriter interface {
	// Write writes a report. It returns the error of w or of the report, wrapped. After an error the file is incomplete.
	Write(w io.Writer, report Report) error
}
