package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// directions are the queries for pages of imports by one index, in either order.
type directions struct{ newest, oldest string }

func readDirections(name string) directions {
	return directions{newest: readSQL(name + "_newest"), oldest: readSQL(name + "_oldest")}
}

var (
	importsByID     = readDirections("imports")
	importsByStatus = readDirections("imports_by_status")
	importsByReason = readDirections("imports_by_reason")
	importsByLogin  = readDirections("imports_by_login")

	periodSQL            = readSQL("period")
	importSQL            = readSQL("import")
	rejectionsSQL        = readSQL("rejections")
	rejectionsByLoginSQL = readSQL("rejections_by_login")
)

// importsBy returns the queries of the index that finds the fewest imports for a filter.
func importsBy(filter *domain.ReportFilter) directions {
	switch {
	case filter.Login != "":
		return importsByLogin
	case filter.Reason != (domain.Reason{}):
		return importsByReason
	case filter.Status != 0:
		return importsByStatus
	default:
		return importsByID
	}
}

// withoutSeqScan makes the rest of a transaction use indexes, even where the planner takes a table for small.
const withoutSeqScan = "select set_config('enable_seqscan', 'off', true)"

// Imports implements ports.ReportReading.
func (r *Reports) Imports(ctx context.Context, query ports.ImportQuery) (*ports.ImportPage, error) {
	ids, err := r.idsOf(ctx, &query.Filter)
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", unavailable(err))
	}
	newest, place := !query.Oldest, query.After
	if query.Before != 0 {
		newest, place = query.Oldest, query.Before
	}
	var found, others []domain.Import
	var batch pgx.Batch // one transaction
	batch.Queue(withoutSeqScan)
	const oneMore = 1 // which shows whether there is another page
	queueImports(&batch, &query.Filter, newest, ids.after(place, newest), query.Limit+oneMore, &found)
	if place != 0 {
		queueImports(&batch, &query.Filter, !newest, ids.from(place, !newest), 1, &others)
	}
	err = r.db.pool.SendBatch(ctx, &batch).Close()
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", unavailable(err))
	}
	more := len(found) > query.Limit
	found = found[:min(len(found), query.Limit)]
	page := ports.ImportPage{Imports: found, IsFirst: len(others) == 0, IsLast: !more}
	if query.Before != 0 {
		slices.Reverse(found)
		page.IsFirst, page.IsLast = !more, len(others) == 0
	}
	return &page, nil
}

func queueImports(batch *pgx.Batch, filter *domain.ReportFilter, newest bool, ids idRange, limit int, found *[]domain.Import) {
	args := filterArgs(filter)
	args["lowest"], args["highest"], args["limit"] = ids.lowest, ids.highest, limit
	sql := importsBy(filter).oldest
	if newest {
		sql = importsBy(filter).newest
	}
	batch.Queue(sql, args).Query(func(rows pgx.Rows) (err error) {
		*found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (domain.Import, error) { return scanImport(row) })
		return err
	})
}

// idRange is a range of imports' ids, both ends included.
type idRange struct{ lowest, highest int64 }

// after returns the part of a range that follows a place in either order; all of it for place 0. No import has the highest number, so
// there is nothing after it.
func (r idRange) after(place int64, newest bool) idRange {
	switch {
	case place == 0:
	case newest:
		r.highest = min(r.highest, place-1)
	default:
		r.lowest = max(r.lowest, place, place+1)
	}
	return r
}

// from returns the part of a range that begins with a place.
func (r idRange) from(place int64, newest bool) idRange {
	if newest {
		r.highest = min(r.highest, place)
	} else {
		r.lowest = max(r.lowest, place)
	}
	return r
}

// idsOf returns the range of ids that a filter's period and import are in: ids have the order of dates.
func (r *Reports) idsOf(ctx context.Context, filter *domain.ReportFilter) (idRange, error) {
	ids := idRange{lowest: 1, highest: math.MaxInt64}
	if filter.Import != 0 {
		ids = idRange{filter.Import, filter.Import}
	}
	if filter.From.IsZero() && filter.Until.IsZero() {
		return ids, nil
	}
	var lowest, highest *int64
	err := r.db.pool.QueryRow(ctx, periodSQL, filterArgs(filter)).Scan(&lowest, &highest)
	none := idRange{lowest: 1, highest: 0}
	if !filter.From.IsZero() {
		if lowest == nil {
			return none, err
		}
		ids.lowest = max(ids.lowest, *lowest)
	}
	if !filter.Until.IsZero() {
		if highest == nil {
			return none, err
		}
		ids.highest = min(ids.highest, *highest)
	}
	return ids, err
}

// Rejections implements ports.ReportReading.
func (r *Reports) Rejections(ctx context.Context, query ports.RejectionQuery) (*ports.RejectionPage, error) {
	args := filterArgs(&query.Filter)
	args["after"], args["limit"], args["originals"] = query.After, query.Limit+1, query.Originals
	sql := rejectionsSQL
	if query.Filter.Login != "" {
		sql = rejectionsByLoginSQL
	}
	var page ports.RejectionPage
	var batch pgx.Batch // one transaction
	batch.Queue(withoutSeqScan)
	batch.Queue(importSQL, args).Query(func(rows pgx.Rows) (err error) {
		var user string
		page.Import, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (domain.Import, error) { return scanImport(row, &user) })
		page.Import.User = user
		return err
	})
	batch.Queue(sql, args).Query(func(rows pgx.Rows) (err error) {
		page.Rejections, err = pgx.CollectRows(rows, scanRejection)
		return err
	})
	err := r.db.pool.SendBatch(ctx, &batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read rejections: %w", unavailable(err))
	}
	page.IsLast = len(page.Rejections) <= query.Limit
	page.Rejections = page.Rejections[:min(len(page.Rejections), query.Limit)]
	return &page, nil
}

// scanImport reads a row of a page, and further columns into more.
func scanImport(row pgx.CollectableRow, more ...any) (i domain.Import, err error) {
	i.Imports = 1
	var token *string
	err = row.Scan(append([]any{
		&i.ID, &i.Status, &i.Method, &i.Date, &i.Description, &i.Registered, &i.Rejected, &token, &i.Unkept,
	}, more...)...)
	if token != nil {
		i.Token = *token
	}
	i.Date = i.Date.UTC()
	return i, err
}

func scanRejection(row pgx.CollectableRow) (r domain.Rejection, err error) {
	var violations []byte
	err = row.Scan(&r.Import, &r.Record, &r.Sheet, &r.Line, &r.Login, &r.Description, &violations, &r.Original)
	if err == nil {
		r.Violations, err = readViolations(violations)
	}
	return r, err
}
