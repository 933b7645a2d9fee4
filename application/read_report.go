package application

import (
	"context"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// ReadReport reads what imports did, a page at a time.
type ReadReport struct {
	reports ports.Reports
	now     func() time.Time
}

// NewReadReport makes the use case. The location of now decides what day it is.
func NewReadReport(reports ports.Reports, now func() time.Time) *ReadReport {
	return &ReadReport{reports, now}
}

// Statistics implements ports.Reporting.
func (u *ReadReport) Statistics(ctx context.Context) (*domain.Statistics, error) {
	statistics, err := u.reports.Statistics(ctx, domain.DateOf(u.now()))
	if err != nil {
		return nil, fmt.Errorf("statistics: %w", err)
	}
	return statistics, nil
}

// Imports implements ports.Reporting.
func (u *ReadReport) Imports(ctx context.Context, query ports.ImportQuery) (*ports.ImportPage, error) {
	page, err := u.reports.Imports(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("page of imports: %w", err)
	}
	return page, nil
}

// Rejections implements ports.Reporting.
func (u *ReadReport) Rejections(ctx context.Context, query ports.RejectionQuery) (*ports.RejectionPage, error) {
	page, err := u.reports.Rejections(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("page of rejections: %w", err)
	}
	return page, nil
}
