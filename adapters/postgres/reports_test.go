package postgres_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

func TestReports(t *testing.T) {
	t.Parallel()
	contract.Reports(t, func(t *testing.T) contract.ReportsSubject {
		t.Helper()
		db := open(t, pgtest.New(t))
		var now time.Time
		return contract.ReportsSubject{
			Store:   postgres.NewReports(db),
			Running: postgres.NewRunningImports(db),
			Imports: postgres.NewImports(db, func() time.Time { return now }),
			People:  postgres.NewRegistrations(db),
			SetNow:  func(at time.Time) { now = at },
			SetDate: func(id int64, at time.Time) {
				_, err := db.Pool().Exec(t.Context(), `update codes set date = $2 where id = $1`, id, at)
				require.NoError(t, err)
			},
		}
	})
}

// The sizes of what fillLarge stores.
const (
	largeImports = 20_000
	hugeImport   = 10_000 // id of the import that rejected half of all records
	largeRecords = 200_000

	largeUncounted = 500 // imports that statistics do not include yet

	// fewRows and fewBlocks bound what a page of imports reads: rows and index entries, and blocks of both. The tables have a hundred
	// times as many.
	fewRows   = 250
	fewBlocks = 1000
)

var largeStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// largeDate returns the date of an import. There is one import a minute.
func largeDate(id int) time.Time { return largeStart.Add(time.Duration(id) * time.Minute) }

// fillLarge fills a database unevenly: one import rejected half of all records, and one login ten thousand times. Statuses, logins and
// reasons range from frequent to absent.
func fillLarge(t *testing.T, url string) {
	t.Helper()
	for _, sql := range []string{
		`create table marker ()`,
		`grant select on marker to public`,
		fmt.Sprintf(`do $$ begin
			set local session_replication_role = replica; -- the rows satisfy the foreign keys
			insert into codes (id, code, date, description, created, refused, uncounted_day)
			select id, case when id %% 7000 = 1 then 413 when id %% 7 = 0 then 400 else 200 end, '%s'::timestamptz + id * interval '1 minute', 'x', 1, 1, case when id <= %d then date '2026-01-01' end
			from generate_series(1, %d) id;
			insert into bad_users (code_id, object_id, login, login_key, description, violations)
			select code_id, n, login, b.login, 'x', jsonb_build_array(jsonb_build_object('field', field, 'code', code))
			from generate_series(1, %d) n,
				lateral (select case when n %% 2 = 0 then %d else n / 10 + 1 end) a (code_id),
				lateral (select case when n %% 20 = 2 then 'mass' when n %% 60000 = 1 then 'rare' when n %% 99 = 1 then 'common' else 'user' || n end) b (login),
				lateral (select case when n %% 50000 = 3 then 'email' else 'login' end, case when n %% 10 = 1 then 'invalid' else 'taken' end) c (field, code);
			insert into code_reasons (field, code, code_id, objects)
			select violations -> 0 ->> 'field', violations -> 0 ->> 'code', code_id, count(*) from bad_users group by 1, 2, 3;
			insert into statistics select date '2026-01-01' + day, shard, 1, 1, 1 from generate_series(0, 400) day, generate_series(0, 15) shard;
			insert into reason_statistics
			select date '2026-01-01' + day, shard, field, code, 1 from generate_series(0, 400) day, generate_series(0, 15) shard,
				(select distinct field, code from code_reasons) r;
		end $$`, largeStart.Format(time.RFC3339), largeUncounted, largeImports, largeRecords, hugeImport),
		`analyze`,
	} {
		pgtest.Query[struct{}](t, pgtest.Superuser(url), sql) // who may skip the checks of foreign keys
	}
}

// A cost is the work of the server.
type cost struct{ Scans, Rows, Blocks int }

// reportTables are those that grow with imports, as a list in SQL.
const reportTables = "'codes', 'bad_users', 'code_reasons', 'reason_statistics'"

// costOf returns the server's work for a function, by the server's counters of some tables. A backend reports its counters
// when it ends. The table marker is read last and shows that the backend has reported.
func costOf(t *testing.T, url, tables string, work func(*postgres.DB)) cost {
	t.Helper()
	type counters struct{ Marked, Scans, Rows, Blocks int }
	count := func() counters {
		return pgtest.Query[counters](t, url, `
			select (select seq_scan from pg_stat_user_tables where relname = 'marker'),
				sum(seq_scan), sum(seq_tup_read) + sum(entries), sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)
			from pg_stat_user_tables join pg_statio_user_tables using (relid),
				lateral (select sum(idx_tup_read) as entries from pg_stat_user_indexes i where i.relid = pg_stat_user_tables.relid) i
			where pg_stat_user_tables.relname in (`+tables+`)`)[0]
	}
	before := count()
	db, err := postgres.Open(t.Context(), url+"&pool_max_conns=1")
	require.NoError(t, err)
	work(db)
	_, err = db.Pool().Exec(t.Context(), `select from marker`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	var after counters
	require.Eventually(t, func() bool {
		after = count()
		return after.Marked > before.Marked
	}, 20*time.Second, time.Millisecond)
	return cost{after.Scans - before.Scans, after.Rows - before.Rows, after.Blocks - before.Blocks}
}

// No page reads a whole table, neither with a plan for its arguments nor with one for any arguments.
func TestPagesOfLargeReport(t *testing.T) {
	url := pgtest.New(t)
	fillLarge(t, url)
	taken := domain.Reason{Field: domain.FieldLogin, Code: domain.CodeTaken}
	rare := domain.Reason{Field: domain.FieldEmail, Code: domain.CodeTaken}
	const limit, times = 25, 3 // each query runs more often than the server makes plans for its arguments
	for _, filter := range []domain.ReportFilter{
		{},
		{Import: hugeImport},
		{From: largeDate(15_000)},
		{Until: largeDate(5000)},
		{From: largeDate(9000), Until: largeDate(9900)},
		{From: largeDate(largeImports + 1)},
		{Until: largeStart},
		{Status: 200},
		{Status: 413},
		{Status: 500},
		{Reason: taken},
		{Reason: rare},
		{Reason: domain.Reason{Field: domain.FieldPhone, Code: domain.CodeTaken}},
		{Login: "mass"},
		{Login: "rare"},
		{Login: "common"},
		{Login: "nobody"},
		{Status: 200, Reason: taken},
		{Status: 413, Reason: taken},
		{Status: 413, Reason: rare},
		{Status: 413, Login: "mass"},
		{Status: 200, Login: "common"},
		{Status: 413, From: largeDate(100)},
		{Status: 400, Until: largeDate(15_000)},
		{From: largeDate(15_000), Reason: taken},
		{Until: largeDate(5000), Reason: rare},
		{From: largeDate(15_000), Login: "common"},
		{Until: largeDate(5000), Login: "mass"},
		{Login: "mass", Reason: taken},
		{Login: "mass", Reason: rare},
		{Login: "common", Reason: rare},
		{Import: hugeImport, Login: "mass", Reason: taken},
	} {
		t.Run(fmt.Sprintf("imports of %+v", filter), func(t *testing.T) {
			pages := 0
			got := costOf(t, url, reportTables, func(db *postgres.DB) {
				for range times {
					for _, oldest := range []bool{false, true} {
						for _, query := range []ports.ImportQuery{{}, {After: 5001}, {Before: 15_001}, {After: hugeImport - 1}, {Before: math.MaxInt64}} {
							query.Filter, query.Oldest, query.Limit = filter, oldest, limit
							page, err := postgres.NewReports(db).Imports(t.Context(), query)
							require.NoError(t, err)
							require.LessOrEqual(t, len(page.Imports), limit)
							pages++
						}
					}
				}
			})
			require.Zero(t, got.Scans)
			require.Less(t, got.Rows/pages, fewRows)
			require.Less(t, got.Blocks/pages, fewBlocks)
		})
	}
	for _, filter := range []domain.ReportFilter{{}, {Reason: taken}, {Reason: rare}, {Login: "mass"}, {Login: "rare"}, {Login: "common", Reason: taken}} {
		filter.Import = hugeImport
		t.Run(fmt.Sprintf("rejections of %+v", filter), func(t *testing.T) {
			pages := 0
			got := costOf(t, url, reportTables, func(db *postgres.DB) {
				for range times {
					for _, after := range []int{0, largeRecords / 2, largeRecords} {
						_, err := postgres.NewReports(db).Rejections(t.Context(), ports.RejectionQuery{Filter: filter, After: after, Limit: limit})
						require.NoError(t, err)
						pages++
					}
				}
			})
			require.Zero(t, got.Scans)
			require.LessOrEqual(t, got.Rows/pages, largeRecords/2, "more than the rejections of the import")
		})
	}
	t.Run("statistics", func(t *testing.T) {
		got := costOf(t, url, reportTables, func(db *postgres.DB) {
			for range times {
				statistics, err := postgres.NewReports(db).Statistics(t.Context(), domain.DateOf(largeDate(0))+100)
				require.NoError(t, err)
				require.Equal(t, 16, statistics.Last(1).Imports)
				require.Equal(t, 16*401+largeUncounted, statistics.All.Imports)
			}
		})
		require.Zero(t, got.Scans)
		require.Less(t, got.Rows/times, largeImports)
	})
}
