package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
)

var (
	statisticsByDay    = readSQL("statistics_by_day")
	statisticsTotal    = readSQL("statistics_total")
	statisticsByReason = readSQL("statistics_by_reason")
	statusesSQL        = readSQL("statuses")
	rollUpSQL          = readSQL("roll_up")
)

// rollUpImports is the most imports that RollUp adds in one transaction.
const rollUpImports = 10_000

// RollUp adds imports that are not counted yet to the statistics. Figures are the same before and after: readers count these imports
// themselves. Instances take turns, so two of them never wait for each other's rows in different orders.
func (r *Reports) RollUp(ctx context.Context) error {
	for counted := rollUpImports; counted == rollUpImports; {
		var batch pgx.Batch // one transaction
		batch.Queue("select pg_advisory_xact_lock($1)", int64(lockRollUp))
		batch.Queue(rollUpSQL, pgx.NamedArgs{"limit": rollUpImports}).
			QueryRow(func(row pgx.Row) error { return row.Scan(&counted) })
		err := r.db.pool.SendBatch(ctx, &batch).Close()
		if err != nil {
			return fmt.Errorf("roll up statistics: %w", unavailable(err))
		}
	}
	return nil
}

// Statistics implements ports.ReportReading. All figures are of one snapshot.
func (r *Reports) Statistics(ctx context.Context, today domain.Date) (*domain.Statistics, error) {
	s := domain.Statistics{Days: make([]domain.DayCount, domain.StatisticsDays)}
	first := today - domain.StatisticsDays + 1
	for i := range s.Days {
		s.Days[i].Day = first + domain.Date(i)
	}
	period := pgx.NamedArgs{"first": first, "last": today}
	var batch pgx.Batch
	batch.Queue("begin isolation level repeatable read, read only")
	batch.Queue(withoutSeqScan)
	batch.Queue(statisticsByDay, period).Query(func(rows pgx.Rows) error {
		var day domain.Date
		var count domain.Count
		_, err := pgx.ForEachRow(rows, []any{&day, &count.Imports, &count.Registered, &count.Rejected}, func() error {
			s.Days[day-first].Count = count
			return nil
		})
		return err
	})
	batch.Queue(statisticsTotal).QueryRow(func(row pgx.Row) error {
		return row.Scan(&s.All.Imports, &s.All.Registered, &s.All.Rejected)
	})
	batch.Queue(statisticsByReason, period).Query(func(rows pgx.Rows) (err error) {
		s.Reasons, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (count domain.ReasonCount, err error) {
			return count, row.Scan(&count.Field, &count.Code, &count.Records)
		})
		return err
	})
	batch.Queue(statusesSQL).Query(func(rows pgx.Rows) (err error) {
		s.Statuses, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	})
	batch.Queue("commit")
	err := r.db.pool.SendBatch(ctx, &batch).Close()
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", unavailable(err))
	}
	return &s, nil
}
