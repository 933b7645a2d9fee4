package fake

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Reports reads the imports of Store.
type Reports struct{ Store *Imports }

// reported is an import with its rejections.
type reported struct {
	domain.Import

	user       int64
	day        domain.Date
	rejections []domain.Rejection
}

// all returns every import ordered by id, with its rejections ordered by record.
func (r Reports) all() []reported {
	records := r.Store.all()
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	all := make([]reported, len(records))
	for i, record := range records {
		moment := r.Store.moments[record.ID]
		all[i] = reported{
			Import: domain.Import{
				Count: domain.Count{Imports: 1, Registered: record.Registered, Rejected: record.Rejected}, ID: record.ID,
				Status: record.Status, Method: "POST", Date: moment.date, Description: record.Description, Token: record.Token,
				Unkept: record.Unkept,
			},
			user: record.User, day: moment.day, rejections: slices.Clone(record.Rejections),
		}
		for j := range all[i].rejections {
			all[i].rejections[j].Import = record.ID
		}
		slices.SortFunc(all[i].rejections, func(a, b domain.Rejection) int { return cmp.Compare(a.Record, b.Record) })
	}
	return all
}

// selected returns the imports and rejections that a filter selects.
func (r Reports) selected(filter *domain.ReportFilter) []reported {
	all := r.all()
	selected := all[:0]
	for _, i := range all {
		i.rejections = slices.DeleteFunc(i.rejections, func(rejection domain.Rejection) bool { return !selectsRejection(filter, &rejection) })
		if selectsImport(filter, &i.Import) && (len(i.rejections) > 0 || filter.Login == "" && filter.Reason == domain.Reason{}) {
			selected = append(selected, i)
		}
	}
	return selected
}

func selectsImport(filter *domain.ReportFilter, i *domain.Import) bool {
	return (filter.Import == 0 || filter.Import == i.ID) && (filter.Status == 0 || filter.Status == i.Status) &&
		(filter.From.IsZero() || !i.Date.Before(filter.From)) && (filter.Until.IsZero() || i.Date.Before(filter.Until))
}

func selectsRejection(filter *domain.ReportFilter, rejection *domain.Rejection) bool {
	hasReason := filter.Reason == domain.Reason{}
	for reason := range rejection.Violations.Reasons() {
		hasReason = hasReason || reason == filter.Reason
	}
	return hasReason && (filter.Login == "" || filter.Login == domain.LoginKey(rejection.Login))
}

// Statistics implements ports.ReportReading.
func (r Reports) Statistics(ctx context.Context, today domain.Date) (*domain.Statistics, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	s := domain.Statistics{Days: make([]domain.DayCount, domain.StatisticsDays)}
	first := today - domain.StatisticsDays + 1
	for i := range s.Days {
		s.Days[i].Day = first + domain.Date(i)
	}
	counts := map[domain.Reason]int{}
	for _, i := range r.all() {
		s.All.Add(i.Count)
		s.Statuses = append(s.Statuses, i.Status)
		if i.day < first || i.day > today {
			continue
		}
		s.Days[i.day-first].Add(i.Count)
		for _, rejection := range i.rejections {
			for reason := range rejection.Violations.Reasons() {
				counts[reason]++
			}
		}
	}
	slices.Sort(s.Statuses)
	s.Statuses = slices.Compact(s.Statuses)
	for reason, count := range counts {
		s.Reasons = append(s.Reasons, domain.ReasonCount{Reason: reason, Records: count})
	}
	slices.SortFunc(s.Reasons, func(a, b domain.ReasonCount) int {
		return cmp.Or(b.Records-a.Records, cmp.Compare(a.Field, b.Field), cmp.Compare(a.Code, b.Code))
	})
	return &s, nil
}

// Imports implements ports.ReportReading.
func (r Reports) Imports(ctx context.Context, query ports.ImportQuery) (*ports.ImportPage, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	all := r.selected(&query.Filter)
	inOrder := cmp.Compare[int64]
	if !query.Oldest {
		slices.Reverse(all)
		inOrder = func(a, b int64) int { return cmp.Compare(b, a) }
	}
	var first, last int
	switch {
	case query.Before != 0:
		last, _ = slices.BinarySearchFunc(all, query.Before, func(i reported, id int64) int { return inOrder(i.ID, id) })
		first = max(0, last-query.Limit)
	case query.After != 0:
		first, _ = slices.BinarySearchFunc(all, query.After, func(i reported, id int64) int {
			return cmp.Or(inOrder(i.ID, id), -1) // the import with the id precedes the page
		})
		fallthrough
	default:
		last = min(len(all), first+query.Limit)
	}
	page := ports.ImportPage{IsFirst: first == 0, IsLast: last == len(all)}
	for _, i := range all[first:last] {
		page.Imports = append(page.Imports, i.Import)
	}
	return &page, nil
}

// Rejections implements ports.ReportReading.
func (r Reports) Rejections(ctx context.Context, query ports.RejectionQuery) (*ports.RejectionPage, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read rejections: %w", err)
	}
	for _, i := range r.all() {
		if i.ID != query.Filter.Import {
			continue
		}
		page := ports.RejectionPage{Import: i.Import, IsLast: true}
		page.Import.User = r.Store.login(i.user)
		for _, rejection := range i.rejections {
			if rejection.CountedOnly || rejection.Record <= query.After || !selectsRejection(&query.Filter, &rejection) {
				continue
			}
			if len(page.Rejections) == query.Limit {
				page.IsLast = false
				break
			}
			if !query.Originals {
				rejection.Original = nil
			}
			page.Rejections = append(page.Rejections, rejection)
		}
		return &page, nil
	}
	return nil, ports.ErrNotFound
}

// Read implements ports.ReportStore.
func (r Reports) Read(ctx context.Context, query ports.ReportQuery, work func(ports.Report) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	var imports []domain.Import
	var rejections []domain.Rejection
	for _, i := range r.selected(&query.Filter) {
		imports = append(imports, i.Import)
		rejections = append(rejections, kept(i.rejections)...)
	}
	for i := range rejections {
		if !query.Violations {
			rejections[i].Violations = nil
		}
		if !query.Originals {
			rejections[i].Original = nil
		}
	}
	var lent []byte // the next original overwrites it
	return work(ports.Report{Imports: values(ctx, imports), Rejections: func(yield func(domain.Rejection, error) bool) {
		for rejection, err := range values(ctx, rejections) {
			if rejection.Original != nil {
				clear(lent)
				lent = append(lent[:0], rejection.Original...)
				rejection.Original = lent
			}
			if !yield(rejection, err) {
				return
			}
		}
	}})
}

// values yields values until the context ends.
func values[T any](ctx context.Context, all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, value := range all {
			if err := ctx.Err(); err != nil {
				var none T
				yield(none, fmt.Errorf("read: %w", err))
				return
			}
			if !yield(value, nil) {
				return
			}
		}
	}
}

// RunningImports stores the progress of imports in Store.
type RunningImports struct{ Store *Imports }

// Beat implements ports.RunningImportStore.
func (r RunningImports) Beat(ctx context.Context, run ports.RunningImport) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	run.Started = run.Started.UTC().Truncate(time.Microsecond)
	i := slices.IndexFunc(r.Store.beats, func(it ports.RunningImport) bool { return it.ID == run.ID })
	if i >= 0 {
		r.Store.beats[i].Done = run.Done
		return nil
	}
	r.Store.beats = append(r.Store.beats, run)
	slices.SortStableFunc(r.Store.beats, func(a, b ports.RunningImport) int { return b.Started.Compare(a.Started) })
	return nil
}

// End implements ports.RunningImportStore.
func (r RunningImports) End(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	r.Store.beats = slices.DeleteFunc(r.Store.beats, func(it ports.RunningImport) bool { return it.ID == id })
	return nil
}

// Running implements ports.ReportReading.
func (r Reports) Running(ctx context.Context) ([]ports.RunningImport, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list running imports: %w", err)
	}
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	return slices.Clone(r.Store.beats), nil
}
