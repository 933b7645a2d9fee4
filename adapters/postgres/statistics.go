package postgres

import (
	"context"
	"fmt"
	"time"

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

// CountDaysIn makes the days of the statistics those of a location. It counts all imports again if another location was set before, so all
// instances need the same one.
func (r *Reports) CountDaysIn(ctx context.Context, location *time.Location) error {
	offset := func(month time.Month) string {
		return domain.ZoneName(time.Date(time.Now().Year(), month, 1, 0, 0, 0, 0, location))
	}
	// The system's location has no name, so it is known by its offsets.
	zone := fmt.Sprintf("%s, %s, %s", location, offset(time.January), offset(time.July))
	tx, err := r.db.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after the commit there is nothing to undo
	var isCounted bool
	var first, last *time.Time
	_, err = tx.Exec(ctx, "select pg_advisory_xact_lock($1)", int64(lockRollUp))
	if err == nil {
		err = tx.QueryRow(ctx, "select exists (select from statistics_zone where zone = $1), min(date), max(date) from codes", zone).Scan(&isCounted, &first, &last)
	}
	if err == nil && !isCounted {
		err = tx.SendBatch(ctx, recount(zone, daysIn(location, first, last))).Close()
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		return fmt.Errorf("count days of %s: %w", location, unavailable(err))
	}
	return nil
}

// days are consecutive days.
type days struct {
	before domain.Date // the first of them
	starts []time.Time
}

// daysIn returns the days of a location from the one of a moment to the one of another. Without moments there are none.
func daysIn(location *time.Location, first, last *time.Time) days {
	if first == nil {
		return days{}
	}
	begin := domain.DateOf(first.In(location))
	all := days{before: begin - 1}
	for day := begin; day <= domain.DateOf(last.In(location)); day++ {
		all.starts = append(all.starts, day.Start(location))
	}
	return all
}

// recount returns the statements that count all imports by the days of a zone. The lock keeps the version before roll-ups from counting
// meanwhile.
func recount(zone string, in days) *pgx.Batch {
	const day = "date '1970-01-01' + @before::int + width_bucket(date, @starts::timestamptz[])"
	args := pgx.NamedArgs{"zone": zone, "before": in.before, "starts": in.starts}
	var batch pgx.Batch
	for _, sql := range []string{
		"lock table statistics, reason_statistics in share row exclusive mode",
		"delete from statistics",
		"delete from reason_statistics",
		`insert into statistics (day, shard, requests, created, refused)
			select ` + day + `, -1, count(*), sum(created), sum(refused) from codes where uncounted_day is null group by 1`,
		`insert into reason_statistics (day, shard, field, code, objects)
			select ` + day + `, -1, field, r.code, sum(objects) from codes c join code_reasons r on code_id = id
			where uncounted_day is null group by 1, 3, 4`,
		"update codes set uncounted_day = " + day + " where uncounted_day <> " + day,
		"insert into statistics_zone (zone) values (@zone) on conflict (id) do update set zone = excluded.zone",
	} {
		batch.Queue(sql, args)
	}
	return &batch
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
