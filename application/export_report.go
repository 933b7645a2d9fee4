package application

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// ExportReport makes files of reports.
type ExportReport struct {
	cfg   ExportConfig
	slots chan struct{}
}

// ExportConfig configures ExportReport.
type ExportConfig struct {
	Reports     ports.ReportStore
	Audit       ports.Auditing
	Exports     ports.ExportStore
	Formats     map[string]ports.ExportFormat
	Now         func() time.Time
	Concurrency int           // number of files that are made concurrently
	Patience    time.Duration // maximum wait for a turn
}

// NewExportReport returns the use case.
func NewExportReport(cfg ExportConfig) *ExportReport {
	return &ExportReport{cfg, make(chan struct{}, cfg.Concurrency)}
}

// Export implements ports.Exporting.
func (u *ExportReport) Export(ctx context.Context, asked ports.ExportQuery) (*ports.ExportFile, error) {
	name, filter := asked.Format, asked.Filter
	format, known := u.cfg.Formats[name]
	if !known || format.OneImport && filter.Import == 0 {
		return nil, fmt.Errorf("export %q: %w", name, ports.ErrNotFound)
	}
	detail := u.cfg.Now().Format(time.DateOnly)
	if format.OneImport {
		// an unknown import is reported without a wait for a slot
		_, err := u.cfg.Reports.Rejections(ctx, ports.RejectionQuery{Filter: filter})
		if err != nil {
			return nil, fmt.Errorf("export import %d: %w", filter.Import, err)
		}
		detail = fmt.Sprintf("%s-import-%d", detail, filter.Import)
	}
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-time.After(u.cfg.Patience):
		return nil, fmt.Errorf("export %q: %w", name, ports.ErrBusy)
	case <-ctx.Done():
		return nil, fmt.Errorf("export %q: %w", name, ctx.Err())
	}
	file, err := u.cfg.Exports.Make(ports.ExportName{Kind: format.Kind, Detail: detail, Extension: format.Extension}, func(w io.Writer) error {
		query := ports.ReportQuery{Filter: filter, Violations: format.Violations, Originals: format.OneImport}
		return u.cfg.Reports.Read(ctx, query, func(report ports.Report) error {
			report.Language = asked.Language
			return format.Writer.Write(w, report)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("export %q: %w", name, err)
	}
	err = u.cfg.Audit.Record(ctx, domain.AuditEntry{Action: domain.ActionExported, Import: filter.Import, After: map[string]any{"file": name}})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("export %q: %w", name, err), file.Close())
	}
	return file, nil
}
