package application

import (
	"context"
	"fmt"
	"io"
	"time"

	"rollcall/ports"
)

// ExportReport makes files of what imports did.
type ExportReport struct {
	with  ExportConfig
	slots chan struct{}
}

// ExportConfig is what exports work with.
type ExportConfig struct {
	Reports  ports.ReportStore
	Exports  ports.ExportStore
	Formats  map[string]ExportFormat
	Now      func() time.Time
	AtOnce   int           // how many files are made at once
	Patience time.Duration // how long others wait for their turn
}

// ExportFormat is a kind of file.
type ExportFormat struct {
	Writer    ports.ReportWriter
	Kind      string // what its files' names begin with
	Extension string
	OneImport bool // it has the refused objects of one import, as they came, and not all

	Violations bool // it tells their codes
}

// NewExportReport makes the use case.
func NewExportReport(with ExportConfig) *ExportReport {
	return &ExportReport{with, make(chan struct{}, with.AtOnce)}
}

// Export implements ports.Exporting.
func (u *ExportReport) Export(ctx context.Context, asked ports.ExportQuery) (*ports.ExportFile, error) {
	name, filter := asked.Format, asked.Filter
	format, known := u.with.Formats[name]
	if !known || format.OneImport && filter.Import == 0 {
		return nil, fmt.Errorf("export %q: %w", name, ports.ErrNotFound)
	}
	detail := u.with.Now().Format(time.DateOnly)
	if format.OneImport {
		_, err := u.with.Reports.Rejections(ctx, ports.RejectionQuery{Filter: filter})
		if err != nil {
			return nil, fmt.Errorf("export import %d: %w", filter.Import, err)
		}
		detail = fmt.Sprintf("%s-import-%d", detail, filter.Import)
	}
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-time.After(u.with.Patience):
		return nil, fmt.Errorf("export %q: %w", name, ports.ErrBusy)
	case <-ctx.Done():
		return nil, fmt.Errorf("export %q: %w", name, ctx.Err())
	}
	file, err := u.with.Exports.Make(ports.ExportName{Kind: format.Kind, Detail: detail, Extension: format.Extension}, func(w io.Writer) error {
		query := ports.ReportQuery{Filter: filter, Violations: format.Violations, Originals: format.OneImport}
		return u.with.Reports.Read(ctx, query, func(report ports.Report) error {
			report.Language = asked.Language
			return format.Writer.Write(w, report)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("export %q: %w", name, err)
	}
	return file, nil
}
