package postgres_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

const statisticsDay = domain.Date(20_000)

func dayOfStatistics() time.Time { return statisticsDay.Time() }

// importRejecting runs an import that registers two people on paper, and rejects one record for two reasons.
func importRejecting(ctx context.Context, store *postgres.Imports, exclusive bool) error {
	rejection := domain.Rejection{Record: 1, Description: "x", Violations: domain.Violations{
		{Field: domain.FieldLogin, Code: domain.CodeTaken}, {Code: domain.CodeNotObject},
	}}
	_, err := store.Do(ctx, ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, nil)
		if err != nil {
			return err
		}
		err = tx.Add(ctx, nil, []domain.Rejection{rejection})
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: 3, Registered: 2, Rejected: 1}, nil)
	})
	return err
}

// importOfPreviousVersion are the statements of importRejecting in the version before roll-ups.
const importOfPreviousVersion = `
	with counted as (
		insert into statistics (day, shard, requests, created, refused) values ('2024-10-04', pg_backend_pid() % 16, 1, 2, 1)
		on conflict (day, shard) do update set requests = statistics.requests + 1,
			created = statistics.created + excluded.created, refused = statistics.refused + excluded.refused),
	code as (
		insert into codes (code, description, created, refused, originals, unkept)
		values (200, 'x', 2, 1, false, 0) returning id),
	reasons as (
		insert into code_reasons (field, code, code_id, objects)
		select field, r.code, id, 1 from code, (values ('login', 'taken'), ('', 'not_object')) r (field, code)
		returning field, code, objects)
	insert into reason_statistics (day, shard, field, code, objects)
	select '2024-10-04', pg_backend_pid() % 16, field, code, objects from reasons order by field, code
	on conflict (day, shard, field, code) do update set objects = reason_statistics.objects + excluded.objects`

// mergeOfPreviousVersion merges the counters of past days as the version before roll-ups does.
const mergeOfPreviousVersion = `
	with merged as (delete from statistics where shard > 0 and day < '2024-10-05' returning *)
	insert into statistics select day, 0, sum(requests), sum(created), sum(refused) from merged group by day
	on conflict (day, shard) do update set requests = statistics.requests + excluded.requests,
		created = statistics.created + excluded.created, refused = statistics.refused + excluded.refused`

// Two instances of this version and one of the previous version import, roll up and read concurrently. Every reading is exact: its
// figures agree with one another, and with the number of imports that had ended before it and begun after it.
func TestStatisticsAreExactDuringRollUps(t *testing.T) {
	url := pgtest.New(t)
	var begun, ended atomic.Int64
	var writers, others sync.WaitGroup
	done := make(chan struct{})
	while := func(f func()) {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					f()
				}
			}
		})
	}
	const clients, imports = 3, 60
	write := func(f func() error) {
		writers.Go(func() {
			for range imports {
				begun.Add(1)
				if !assertNoError(t, f()) {
					return
				}
				ended.Add(1)
			}
		})
	}
	for range 2 {
		db := open(t, url)
		store, reports := postgres.NewImports(db, dayOfStatistics), postgres.NewReports(db)
		for client := range clients {
			write(func() error { return importRejecting(t.Context(), store, client == 0) })
		}
		while(func() { assertNoError(t, reports.RollUp(t.Context())) })
		while(func() {
			before := ended.Load()
			s, err := reports.Statistics(t.Context(), statisticsDay)
			after := begun.Load()
			if assertNoError(t, err) {
				assertExact(t, s, before, after)
			}
		})
	}
	previous := open(t, url)
	for range clients {
		write(func() error {
			_, err := previous.Pool().Exec(t.Context(), importOfPreviousVersion)
			return err
		})
	}
	while(func() {
		_, err := previous.Pool().Exec(t.Context(), mergeOfPreviousVersion)
		assertNoError(t, err)
	})
	writers.Wait()
	close(done)
	others.Wait()

	const all = 3 * clients * imports
	reports := postgres.NewReports(previous)
	require.NoError(t, reports.RollUp(t.Context()))
	s, err := reports.Statistics(t.Context(), statisticsDay)
	require.NoError(t, err)
	assertExact(t, s, all, all)
	require.Empty(t, uncounted(t, url))
}

func assertNoError(t *testing.T, err error) bool {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// assertExact checks that statistics are those of one number of imports, which is neither lower than one nor higher than another.
func assertExact(t *testing.T, s *domain.Statistics, lowest, highest int64) {
	t.Helper()
	n := s.All.Imports
	count := domain.Count{Imports: n, Registered: 2 * n, Rejected: n}
	if int64(n) < lowest || int64(n) > highest || s.All != count || s.Last(1) != count {
		t.Errorf("%d to %d imports: %+v in all, %+v on the day", lowest, highest, s.All, s.Last(1))
	}
	for _, reason := range s.Reasons {
		if reason.Records != n {
			t.Errorf("%d imports: %+v", n, reason)
		}
	}
	if n > 0 && len(s.Reasons) != 2 {
		t.Errorf("%d imports: %+v", n, s.Reasons)
	}
}

func uncounted(t *testing.T, url string) []struct{ ID int64 } {
	t.Helper()
	return pgtest.Query[struct{ ID int64 }](t, url, `select id from codes where uncounted_day is not null`)
}

// One sweep rolls up more imports than one transaction does.
func TestRollUpOfMany(t *testing.T) {
	url := pgtest.New(t)
	const imports = 2*postgres.RollUpImports + 1
	pgtest.Query[struct{}](t, url, `
		insert into codes (code, description, created, refused, uncounted_day)
		select 200, 'x', 2, 1, date '2024-10-04' - n % 3 from generate_series(1, $1) n`, imports)
	reports := postgres.NewReports(open(t, url))
	read := func() *domain.Statistics {
		s, err := reports.Statistics(t.Context(), statisticsDay)
		require.NoError(t, err)
		return s
	}
	want := read()
	require.Equal(t, domain.Count{Imports: imports, Registered: 2 * imports, Rejected: imports}, want.All)
	require.Equal(t, want.All, want.Last(3))
	require.NoError(t, reports.RollUp(t.Context()))
	require.Equal(t, want, read())
	require.Empty(t, uncounted(t, url))
	require.Len(t, pgtest.Query[struct{ Day time.Time }](t, url, `select day from statistics`), 3)
}

// A change of the time zone moves imports to the days of the new zone: those in the statistics, whose zone the version before did not
// record, and those that are not counted yet. The statistics have the same days as the report's filter.
func TestCountDaysIn(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000050", `
		insert into codes (date, code, description, created, refused, uncounted_day) values
			('2026-11-25 20:59:59.999999Z', 200, 'x', 1, 1, null), ('2026-11-25 21:00Z', 200, 'x', 10, 1, null),
			('2026-11-25 23:59Z', 200, 'x', 100, 1, '2026-11-25'), ('2026-11-26 12:00Z', 200, 'x', 1000, 1, '2026-11-26');
		insert into statistics values ('2026-11-25', 0, 2, 11, 2);
		insert into code_reasons (field, code, code_id, objects) select 'login', 'taken', id, 1 from codes;
		insert into reason_statistics values ('2026-11-25', 0, 'login', 'taken', 2)`)
	reports := postgres.NewReports(db)
	moscow, err := time.LoadLocation("Europe/Moscow")
	require.NoError(t, err)
	last := domain.DateOf(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		name      string
		location  *time.Location
		last, all int
	}{
		{"UTC", time.UTC, 1000, 1111}, {"Moscow", moscow, 1110, 1111}, {"Moscow again", moscow, 1110, 1111}, {"UTC again", time.UTC, 1000, 1111},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, reports.CountDaysIn(t.Context(), c.location))
			check := func() {
				s, err := reports.Statistics(t.Context(), last)
				require.NoError(t, err)
				require.Equal(t, c.last, s.Last(1).Registered)
				require.Equal(t, c.all, s.Last(2).Registered)
				require.Equal(t, domain.Count{Imports: 4, Registered: c.all, Rejected: 4}, s.All)
				require.Equal(t, []domain.ReasonCount{{Reason: domain.Reason{Field: "login", Code: domain.CodeTaken}, Records: 4}}, s.Reasons)
				page, err := reports.Imports(t.Context(), ports.ImportQuery{Filter: domain.ReportFilter{From: last.Start(c.location)}, Limit: 9})
				require.NoError(t, err)
				sum := 0
				for _, it := range page.Imports {
					sum += it.Registered
				}
				require.Equal(t, c.last, sum)
			}
			check()
			if c.name == "Moscow again" {
				require.NoError(t, reports.RollUp(t.Context()))
				check()
			}
		})
	}
}

// Without imports there is nothing to count.
func TestCountDaysInOfNone(t *testing.T) {
	reports := postgres.NewReports(open(t, pgtest.New(t)))
	require.NoError(t, reports.CountDaysIn(t.Context(), time.UTC))
	require.NoError(t, reports.CountDaysIn(t.Context(), time.Local))
	s, err := reports.Statistics(t.Context(), statisticsDay)
	require.NoError(t, err)
	require.Zero(t, s.All)
}
