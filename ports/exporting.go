package ports

import (
	"context"
	"io"
	"iter"
	"strings"

	"rollcall/domain"
)

// Exporting makes files of reports.
type Exporting interface {
	// Export makes a file. It returns ErrNotFound if there is no such format or import, ErrBusy when too many files are being
	// made, ErrUnavailable if the database is unreachable or the disk is full.
	Export(ctx context.Context, query ExportQuery) (*ExportFile, error)

	// ExportAudit makes a file of the audit. It returns ErrBusy and ErrUnavailable as Export does.
	ExportAudit(ctx context.Context, query AuditExportQuery) (*ExportFile, error)

	// ExportUsers makes a file of users. It returns ErrNotFound if there is no such format, ErrBusy and ErrUnavailable as Export does.
	ExportUsers(ctx context.Context, query UserExportQuery) (*ExportFile, error)
}

// A UserExportQuery asks for a file of the users that are selected, in an order.
type UserExportQuery struct {
	Format    string // extension
	Language  string // of the reader, as in Report
	Selection UserSelection
	Order     domain.UserOrder
}

// UserWriter writes files of users.
type UserWriter interface {
	// Write writes users as a file for readers of a language. It returns the error of the users, or that of w, wrapped.
	Write(w io.Writer, language string, users iter.Seq2[*domain.Person, error]) error
}

// An AuditExportQuery asks for a file of the entries that a filter selects, as CSV.
type AuditExportQuery struct {
	Language string // of the reader, as in Report
	Filter   domain.AuditFilter
}

// AuditWriter writes files of the audit.
type AuditWriter interface {
	// Write writes entries as a file for readers of a language. It returns the error of the entries, or that of w, wrapped.
	Write(w io.Writer, language string, entries iter.Seq2[domain.AuditEntry, error]) error
}

// An ExportQuery asks for a file of the imports and rejections that a filter selects.
type ExportQuery struct {
	Format   string
	Language string // of the reader, as in Report
	Filter   domain.ReportFilter
}

// An ExportFormat is a format of exports.
type ExportFormat struct {
	Writer    ReportWriter
	Kind      string // start of the names of its files
	Extension string
	OneImport bool // contains the rejected records of one import with their originals

	Violations bool // contains the codes of violations
}

// An ExportFile is a complete file.
type ExportFile struct {
	io.ReadCloser

	Name string
	Size int64
}

// An ExportName is the name of a file: Kind-Detail.Extension.
type ExportName struct {
	Kind      string
	Detail    string // starts with a digit, which no part of a Kind does
	Extension string
}

func (n ExportName) String() string { return n.Kind + "-" + n.Detail + "." + n.Extension }

// MatchesKind reports whether a file has the kind and extension of the name.
func (n ExportName) MatchesKind(file string) bool {
	detail, found := strings.CutPrefix(file, n.Kind+"-")
	return found && detail != "" && '0' <= detail[0] && detail[0] <= '9' && strings.HasSuffix(detail, "."+n.Extension)
}

// ExportStore stores the latest exports.
type ExportStore interface {
	// Make makes a file of what write writes, and returns the error of write. After an error there is no file. Of the files of
	// one kind and extension the newest is kept. Make returns ErrUnavailable if the disk is full.
	Make(name ExportName, write func(io.Writer) error) (*ExportFile, error)
}
