package application

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
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
	Audit       ports.AuditStore
	AuditWriter ports.AuditWriter
	Users       ports.Users
	UserFormats map[string]ports.UserWriter // by extension
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
	file, err := u.export(ctx, ports.ExportName{Kind: format.Kind, Detail: detail, Extension: format.Extension}, func(w io.Writer) error {
		query := ports.ReportQuery{Filter: filter, Violations: format.Violations, Originals: format.OneImport}
		return u.cfg.Reports.Read(ctx, query, func(report ports.Report) error {
			report.Language = asked.Language
			return format.Writer.Write(w, report)
		})
	}, domain.AuditEntry{Import: filter.Import, After: map[string]any{"file": name}})
	if err != nil {
		return nil, fmt.Errorf("export %q: %w", name, err)
	}
	return file, nil
}

// ExportAudit implements ports.Exporting.
func (u *ExportReport) ExportAudit(ctx context.Context, query ports.AuditExportQuery) (*ports.ExportFile, error) {
	name := ports.ExportName{Kind: "rollcall-audit", Detail: u.cfg.Now().Format(time.DateOnly), Extension: "csv"}
	file, err := u.export(ctx, name, func(w io.Writer) error {
		return u.cfg.AuditWriter.Write(w, query.Language, u.entries(ctx, query.Filter))
	}, domain.AuditEntry{After: map[string]any{"file": "audit.csv"}})
	if err != nil {
		return nil, fmt.Errorf("export audit: %w", err)
	}
	return file, nil
}

// ExportUsers implements ports.Exporting.
func (u *ExportReport) ExportUsers(ctx context.Context, query ports.UserExportQuery) (*ports.ExportFile, error) {
	format, known := u.cfg.UserFormats[query.Format]
	if !known {
		return nil, fmt.Errorf("export users as %q: %w", query.Format, ports.ErrNotFound)
	}
	facts := factsOf(&query.Selection)
	facts["file"] = "users." + query.Format
	name := ports.ExportName{Kind: "rollcall-users", Detail: u.cfg.Now().Format(time.DateOnly), Extension: query.Format}
	file, err := u.export(ctx, name, func(w io.Writer) error {
		return u.cfg.Users.Read(ctx, query.Selection, query.Order, func(users iter.Seq2[*domain.Person, error]) error {
			return format.Write(w, query.Language, users)
		})
	}, domain.AuditEntry{After: facts})
	if err != nil {
		return nil, fmt.Errorf("export users: %w", err)
	}
	return file, nil
}

// entriesRead is the number of entries that an export of the audit reads in a query.
const entriesRead = 1000

// entries yields the entries that a filter selects, the newest first. It omits entries that are recorded during the export.
func (u *ExportReport) entries(ctx context.Context, filter domain.AuditFilter) iter.Seq2[domain.AuditEntry, error] {
	return func(yield func(domain.AuditEntry, error) bool) {
		query := ports.AuditQuery{Filter: filter, Limit: entriesRead}
		for isLast := false; !isLast; {
			page, err := u.cfg.Audit.Entries(ctx, query)
			if err != nil {
				yield(domain.AuditEntry{}, err)
				return
			}
			for _, entry := range page.Entries {
				query.After = entry.ID
				if !yield(entry, nil) {
					return
				}
			}
			isLast = page.IsLast
		}
	}
}

// export waits for its turn, makes a file and records it in the audit.
func (u *ExportReport) export(
	ctx context.Context, name ports.ExportName, write func(io.Writer) error, entry domain.AuditEntry,
) (*ports.ExportFile, error) {
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-time.After(u.cfg.Patience):
		return nil, ports.ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	file, err := u.cfg.Exports.Make(name, write)
	if err != nil {
		return nil, err
	}
	entry.Action = domain.ActionExported
	err = u.cfg.Audit.Record(ctx, entry)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
