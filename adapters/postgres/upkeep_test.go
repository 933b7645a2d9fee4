package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

// What was there before there were reports is in them.
func TestMigrationCounts(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	files, err := filepath.Glob("migrations/*.up.sql")
	require.NoError(t, err)
	run := func(sql string) {
		_, err := db.Pool().Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	migrate := func(file string) {
		sql, err := os.ReadFile(file)
		require.NoError(t, err)
		run(string(sql))
	}
	run(`drop schema public cascade; create schema public`)
	migrate(files[0])
	migrate(files[1])
	run(`
		insert into codes (code, date, description) values
			(200, '2026-01-01 12:00Z', 'All users have been created (5 of 5 users)'),
			(200, '2026-01-01 13:00Z', 'Not all users have been created (created by 11 of 13 users)'),
			(400, '2026-01-02 12:00Z', 'Bad request! Users haven''t been created.'),
			(413, '2026-01-02 13:00Z', 'Bad request! JSON file is empty or broken.');
		insert into bad_users (code_id, object_id, login, description, violations) values
			(2, 1, 'Anna', 'x', '[{"field": "login", "code": "taken"}, {"field": "email", "code": "taken"}]'),
			(2, 9, null, 'x', '[{"field": "", "code": "not_object"}]'),
			(3, 1, 'ANNA', 'x', '[{"field": "login", "code": "too_long", "limit": 50}, {"field": "login", "code": "too_long", "limit": 50}]')`)
	for _, file := range files[2:] {
		migrate(file)
	}

	store := postgres.NewReports(db)
	page, err := store.Imports(t.Context(), ports.ImportQuery{Oldest: true, Limit: 9})
	require.NoError(t, err)
	counts := []domain.Count{}
	for _, i := range page.Imports {
		counts = append(counts, i.Count)
	}
	require.Equal(t, []domain.Count{{Imports: 1, Registered: 5}, {Imports: 1, Registered: 11, Rejected: 2}, {Imports: 1, Rejected: 1}, {Imports: 1}}, counts)
	statistics, err := store.Statistics(t.Context(), domain.DateOf(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)))
	require.NoError(t, err)
	require.Equal(t, domain.Count{Imports: 2, Rejected: 1}, statistics.Last(1))
	require.Equal(t, domain.Count{Imports: 4, Registered: 16, Rejected: 3}, statistics.Last(2))
	require.Equal(t, statistics.Last(2), statistics.All)
	require.Len(t, statistics.Reasons, 4)
	for _, reason := range statistics.Reasons {
		require.Equal(t, 1, reason.Records)
		page, err := store.Imports(t.Context(), ports.ImportQuery{Filter: domain.ReportFilter{Reason: reason.Reason}, Limit: 9})
		require.NoError(t, err)
		require.Len(t, page.Imports, 1)
	}
	page, err = store.Imports(t.Context(), ports.ImportQuery{Filter: domain.ReportFilter{Login: "anna"}, Limit: 9})
	require.NoError(t, err)
	require.Len(t, page.Imports, 2)
}

// Of imports from before, every rejection is kept.
func TestMigrationOfUnkeptRejections(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000001", `
		insert into codes (code, description, refused) values (400, 'Bad request! Users haven''t been created.', 2);
		insert into bad_users (code_id, object_id, description, violations) values (1, 1, 'x', '[]'), (1, 2, 'x', '[]')`)
	page, err := postgres.NewReports(db).Rejections(t.Context(), ports.RejectionQuery{Filter: domain.ReportFilter{Import: 1}, Limit: 9})
	require.NoError(t, err)
	require.Equal(t, 2, page.Import.Rejected)
	require.Zero(t, page.Import.Unkept)
	require.Len(t, page.Rejections, 2)
}

// Originals are forgotten when they are old enough, in several transactions, and nothing else is.
func TestEraseOriginals(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewReports(open(t, url))
	const many = 2*postgres.EraseRows + 1
	pgtest.Query[struct{}](t, url, fmt.Sprintf(`do $$ begin
		insert into codes (id, code, date, description, refused, originals) values
			(1, 400, '2026-01-01Z', 'many', %[1]d, true), (2, 400, '2026-01-02Z', 'none', 1, false),
			(3, 400, '2026-01-03Z', 'some', 2, true), (4, 200, '2026-01-04Z', 'not yet', 1, true);
		insert into bad_users (code_id, object_id, login, login_key, description, violations, original)
		select case when n <= %[1]d then 1 when n <= %[1]d + 2 then 3 else 4 end, 3 * n, 'A' || n, 'a' || n, 'x', '[]',
			case when n %% 7 > 0 or n > %[1]d then '{"a": 1}'::jsonb end
		from generate_series(1, %[1]d + 3) n; end $$`, many))
	type row struct {
		ID                    int64
		Rows, Originals       int
		Marked                bool
		Refused               int
		Logins, Keys, Objects int
	}
	count := func() []row {
		return pgtest.Query[row](t, url, `
			select c.id, count(b), count(b.original), originals, refused, count(distinct b.login), count(distinct login_key), count(distinct object_id)
			from codes c left join bad_users b on code_id = c.id group by c.id order by c.id`)
	}
	want := count()
	require.Equal(t, []row{
		{1, many, many - many/7, true, many, many, many, many},
		{2, 0, 0, false, 1, 0, 0, 0},
		{3, 2, 2, true, 2, 2, 2, 2},
		{4, 1, 1, true, 1, 1, 1, 1},
	}, want)
	erase := func(before string) {
		at, err := time.Parse(time.DateOnly, before)
		require.NoError(t, err)
		require.NoError(t, store.EraseOriginals(t.Context(), at))
		require.Equal(t, want, count())
	}
	erase("2026-01-01")
	want[0].Originals, want[0].Marked = 0, false
	erase("2026-01-03")
	want[2].Originals, want[2].Marked = 0, false
	erase("2026-01-04")
	erase("2026-01-04")
	perTransaction := pgtest.Query[struct{ Rows int }](t, url, `
		select count(*) from bad_users where code_id = 1 and object_id % 21 > 0 group by xmin::text order by 1 desc`)
	require.Len(t, perTransaction, 2)
	require.LessOrEqual(t, perTransaction[0].Rows, postgres.EraseRows)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.EraseOriginals(ctx, time.Now()), context.Canceled)
	require.Equal(t, want, count())
}

func TestReportsWithoutDatabase(t *testing.T) {
	store := postgres.NewReports(open(t, "postgres://127.0.0.1:1/none?connect_timeout=1"))
	_, errStatistics := store.Statistics(t.Context(), 20_000)
	_, errImports := store.Imports(t.Context(), ports.ImportQuery{Limit: 1})
	_, errRejections := store.Rejections(t.Context(), ports.RejectionQuery{Limit: 1})
	for _, err := range []error{
		errStatistics, errImports, errRejections,
		store.Read(t.Context(), ports.ReportQuery{}, func(ports.Report) error { return nil }),
		store.EraseOriginals(t.Context(), time.Now()),
		store.RollUp(t.Context()),
	} {
		require.ErrorIs(t, err, ports.ErrUnavailable)
	}
}
