package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

var takeoverSeed = flag.Uint64("takeover.seed", rand.Uint64(), "seed of the generated database of the first service")

// takeoverConfig is the configuration of a takeover that collects the findings.
func takeoverConfig(findings *[]postgres.Finding) postgres.TakeoverConfig {
	return postgres.TakeoverConfig{
		Rules:     domain.Rules{Region: "RU", Today: domain.DateOf(time.Now())},
		CanSignIn: func(hash string) bool { return strings.HasPrefix(hash, "pbkdf2:") },
		Found:     func(f postgres.Finding) error { *findings = append(*findings, f); return nil },
	}
}

// firstServiceRows returns the rows of the first service's tables, as texts.
func firstServiceRows(t *testing.T, url, schema string) (rows []string) {
	t.Helper()
	for _, table := range []string{"users", "profiles", "codes", "bad_users"} {
		for _, row := range pgtest.Query[struct{ Text string }](t, url, fmt.Sprintf("select t::text from %s.%s t order by id", schema, table)) {
			rows = append(rows, table+row.Text)
		}
	}
	return rows
}

// generateFirstService fills a database of the first service with NULLs and duplicates in all combinations that its definitions allow.
func generateFirstService(t *testing.T, r *rand.Rand) string {
	t.Helper()
	url := pgtest.FirstService(t)
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(ctx)
	run := func(sql string, args ...any) {
		t.Helper()
		_, err := conn.Exec(ctx, sql, args...)
		require.NoError(t, err)
	}
	pick := func(values ...any) any { return values[r.IntN(len(values))] }
	run("truncate users, profiles, codes, bad_users")
	people := []string{"anna", "Anna", "ANNA", " anna", "ёлкина", "Ёлкина", "two words", "Two words", "анна_anna", "a\u202eb", "x\tx", strings.Repeat("ы", 50)}
	dates := []any{nil, "infinity", "-infinity", "2024-05-06 07:08:09.123456", "2024-05-16", "2999-01-02", "0044-03-15 BC", "0001-01-01", "1899-12-30", "0090-05-12", "1999-12-31 23:59:59.999999"}
	const users = 400
	for id := 1; id <= users; id++ {
		number := r.IntN(users / 3)
		run(`insert into users values ($1, $2, $3, $4, $5, $6::text::timestamp) on conflict do nothing`, id,
			pick(nil, "", " ", people[r.IntN(len(people))], fmt.Sprintf("user%d", number), fmt.Sprintf("User%d", number), fmt.Sprintf("user%d-2", number),
				fmt.Sprintf("user%d@example.org", number), fmt.Sprintf("USER%d@example.org", number), fmt.Sprintf("8916%07d", number), fmt.Sprintf("+7 916 %07d", number)),
			pick(nil, "", "md5$x$y", fmt.Sprintf("pbkdf2:sha256:1$s$%d", id)),
			pick(nil, "", " ", "no address", "No address", fmt.Sprintf("user%d@example.org", number), fmt.Sprintf("User%d@Example.org", number), fmt.Sprintf("user%d@home", number)),
			pick(nil, 0, -7, 7, 9_160_000_000+number, 89_160_000_000+number, 79_160_000_000+number, 4_951_234_567, 375_291_234_567, int64(1)<<62),
			pick(dates...))
	}
	for id := range users {
		run(`insert into profiles select $1, $2, $3, $4, $5::text::timestamp, (select id from users where id = $6)`, id+1,
			pick(nil, "", "Анна", " Анна "), pick(nil, "", "Ким"), pick(nil, "", "Петровна"), pick(dates...), r.IntN(users))
	}
	const imports = 40
	for id := range imports {
		run(`insert into codes values ($1, $2, $3, $4::text::timestamp, $5)`, id+1,
			pick(nil, 200, 400), pick(nil, "POST", "GET"), pick(dates...),
			pick(nil, "", "All users have been created (5 of 5 users)", "Not all users have been created (created by 9 of 13 users)",
				"Bad request! Users haven't been created.", "(999999999999 of 3 users)"))
	}
	for id := range 300 {
		run(`insert into bad_users values ($1, $2, $3, $4, $5)`, id+1,
			pick(nil, 1+r.IntN(imports)), pick(nil, r.IntN(10)-1), pick(nil, "", "Anna", " two  words "), pick(nil, "", "Error!\nA driver's text\n"))
	}
	run("select setval('users_id_seq', 1000), setval('codes_id_seq', 100)")
	return url
}

// Nothing of the first service's database is lost, whatever its definitions allow, and every user is found by the login of before.
func TestTakeoverOfGeneratedDatabase(t *testing.T) {
	t.Logf("seed %d", *takeoverSeed)
	url := generateFirstService(t, rand.New(rand.NewPCG(*takeoverSeed, 1)))
	before := firstServiceRows(t, url, "public")

	var clashes, checked, found []postgres.Finding
	cfg := takeoverConfig(&clashes)
	_, err := postgres.TakeOver(t.Context(), url, cfg)
	require.ErrorIs(t, err, postgres.ErrClashes)
	require.ErrorIs(t, postgres.Migrate(t.Context(), url), postgres.ErrFirstService)
	cfg = takeoverConfig(&checked)
	cfg.Check, cfg.KeepFirst = true, true
	wouldBe, err := postgres.TakeOver(t.Context(), url, cfg)
	require.NoError(t, err)
	require.Equal(t, before, firstServiceRows(t, url, "public"), "nothing is changed")

	cfg = takeoverConfig(&found)
	cfg.KeepFirst = true
	result, err := postgres.TakeOver(t.Context(), url, cfg)
	require.NoError(t, err)
	require.Equal(t, wouldBe, result)
	require.Equal(t, checked, found)
	require.Equal(t, before, firstServiceRows(t, url, "first_service"))
	require.NoError(t, postgres.Migrate(t.Context(), url))

	db := open(t, url)
	renamed := map[int64]string{}
	isClash := false
	for _, f := range found {
		if f.Kind == postgres.FindingRenamed {
			renamed[f.ID] = f.Value
		}
		isClash = isClash || f.Kind == postgres.FindingClash
	}
	require.True(t, isClash)
	accounts := postgres.NewAccounts(db)
	for _, old := range pgtest.Query[struct {
		ID          int64
		Login, Hash *string
	}](t, url, "select id, login, password_hash from first_service.users") {
		user, err := accounts.User(t.Context(), old.ID)
		require.NoError(t, err)
		if old.Hash != nil && strings.HasPrefix(*old.Hash, "pbkdf2:") {
			require.Equal(t, *old.Hash, user.Password.Hash)
		} else {
			require.Empty(t, user.Password.Hash)
		}
		if old.Login == nil {
			require.Empty(t, user.Login)
			continue
		}
		login := *old.Login
		if newLogin, is := renamed[old.ID]; is {
			login = newLogin
		}
		require.Equal(t, login, user.Login)
		entered, err := accounts.Find(t.Context(), domain.NewIdentity(login, "RU"))
		require.NoError(t, err, "%q", login)
		require.Equal(t, old.ID, entered.ID, "%q", login)
	}
	for name, differences := range map[string]string{
		"users": `select from first_service.users o full join users n using (id)
			where o.id is null or n.id is null or n.reg_date <> o.reg_date at time zone 'UTC' and isfinite(o.reg_date)
				or not isfinite(n.reg_date)`,
		"profiles": `select from (select distinct on (user_id) * from first_service.profiles where user_id is not null order by user_id, id) o
				full join profiles n using (id)
			where o.id is null or n.id is null or n.user_id <> o.user_id
				or (n.fname, n.lname, n.patr) <> (coalesce(o.fname, ''), coalesce(o.lname, ''), coalesce(o.patr, ''))
				or n.birthday is distinct from case when isfinite(o.birthday) then o.birthday::date end`,
		"imports": `select from first_service.codes o left join codes n using (id)
			where n.id is null or n.code <> o.code or n.method <> o.method or n.description <> o.description
				or isfinite(o.date) and n.date <> o.date at time zone 'UTC' or not isfinite(n.date)
				or n.refused - n.unkept <> (select count(*) from first_service.bad_users where code_id = o.id)`,
		"rejected records": `select from first_service.bad_users o full join bad_users n using (id)
			where o.id is null or n.id is null or n.code_id <> o.code_id or n.login <> o.login or n.description <> o.description`,
		"numbers": `select from first_service.bad_users o join bad_users n using (id)
			where n.object_id <> o.object_id and o.object_id > 0 and not exists (
				select from bad_users other where other.code_id = n.code_id and other.object_id = o.object_id)`,
	} {
		require.Empty(t, pgtest.Query[struct{}](t, url, differences), name)
	}
	odd := pgtest.Query[struct{ ID int64 }](t, url, `select user_id id from profiles where birthday < '1900-01-01' or birthday > now() order by user_id`)
	require.NotEmpty(t, odd)
	var listed []struct{ ID int64 }
	for _, f := range found {
		if f.Kind == postgres.FindingInvalid && slices.ContainsFunc(f.Violations, func(v domain.Violation) bool { return v.Field == domain.FieldBirthday }) {
			listed = append(listed, struct{ ID int64 }{f.ID})
		}
	}
	require.ElementsMatch(t, odd, listed, "birthdays that today's rules reject")
	isReported(t, db, url)
	isSameSchema(t, url)

	person := ports.RegistrationStore(postgres.NewRegistrations(db))
	login, _ := domain.NewLogin("new")
	email, _ := domain.NewEmail("new@example.com")
	id, err := person.Create(t.Context(), domain.Account{Registration: domain.Registration{Login: login, Email: email}, PasswordHash: "x"})
	require.NoError(t, err)
	require.EqualValues(t, 1001, id, "ids of deleted users are not used again")
}

// isReported checks that the figures and pages of reports have every import and rejected record.
func isReported(t *testing.T, db *postgres.DB, url string) {
	t.Helper()
	want := pgtest.Query[domain.Count](t, url, "select count(*)::int, sum(created)::int, sum(refused)::int from codes")[0]
	reports := postgres.NewReports(db)
	for range 2 { // before and after the roll-up
		s, err := reports.Statistics(t.Context(), domain.DateOf(time.Now()))
		require.NoError(t, err)
		require.Equal(t, want, s.All)
		require.NoError(t, reports.RollUp(t.Context()))
	}
	page, err := reports.Imports(t.Context(), ports.ImportQuery{Limit: 1000})
	require.NoError(t, err)
	require.Len(t, page.Imports, want.Imports)
	records := 0
	for _, it := range page.Imports {
		rejections, err := reports.Rejections(t.Context(), ports.RejectionQuery{Filter: domain.ReportFilter{Import: it.ID}, Limit: 1000})
		require.NoError(t, err)
		require.Len(t, rejections.Rejections, it.Rejected-it.Unkept)
		records += len(rejections.Rejections)
	}
	require.Equal(t, 300, records)
}

// isSameSchema checks that a database has the schema of every other one.
func isSameSchema(t *testing.T, url string) {
	t.Helper()
	const schema = `
		select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
		union all select indexdef from pg_indexes where schemaname = 'public'
		union all select format('%s %s %s %s', table_name, column_name, data_type, column_default) from information_schema.columns where table_schema = 'public'
		union all select name from bun_migrations
		order by 1`
	type row struct{ Text string }
	require.Equal(t, pgtest.Query[row](t, pgtest.New(t), schema), pgtest.Query[row](t, url, schema))
}

// Instances that start concurrently wait for the takeover of one of them.
func TestTakeoverTakesTurns(t *testing.T) {
	url := pgtest.FirstService(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 4 {
		all.Go(func() {
			var found []postgres.Finding
			cfg := takeoverConfig(&found)
			cfg.KeepFirst = true
			result, err := postgres.TakeOver(t.Context(), url, cfg)
			assertNoError(t, err)
			assertNoError(t, postgres.Migrate(t.Context(), url))
			mu.Lock()
			defer mu.Unlock()
			if result != nil {
				done++
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, done)
	require.NoError(t, open(t, url).Ready(t.Context()))
}

// A failed attempt to migrate the database left an empty table of migrations, as versions before the takeover did.
func TestTakeoverAfterFailedMigration(t *testing.T) {
	url := pgtest.FirstService(t)
	pgtest.Query[struct{}](t, url, "create table bun_migrations (id bigserial primary key, name varchar, group_id bigint, migrated_at timestamptz not null default current_timestamp)")
	var found []postgres.Finding
	cfg := takeoverConfig(&found)
	cfg.KeepFirst = true
	result, err := postgres.TakeOver(t.Context(), url, cfg)
	require.NoError(t, err)
	require.Equal(t, 13, result.Users)
}

// The first service is running, and one of its transactions is open.
func TestTakeoverNeedsTheTables(t *testing.T) {
	t.Parallel() // it waits for a timeout
	url := pgtest.FirstService(t)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "update users set phone = phone")
	require.NoError(t, err)
	var found []postgres.Finding
	cfg := takeoverConfig(&found)
	cfg.KeepFirst = true
	_, err = postgres.TakeOver(t.Context(), url, cfg)
	require.ErrorIs(t, err, postgres.ErrFirstServiceRuns)
	cfg.Check = true
	_, err = postgres.TakeOver(t.Context(), url, cfg)
	require.NoError(t, err, "a check does not wait")
}

// A database with other tables of these names is not taken over.
func TestTakeoverOfOtherTables(t *testing.T) {
	for name, change := range map[string]string{
		"missing table":  "drop table bad_users",
		"missing column": "alter table users drop column phone",
		"other type":     "alter table users alter phone type text",
	} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.FirstService(t)
			pgtest.Query[struct{}](t, url, change)
			result, err := postgres.TakeOver(t.Context(), url, takeoverConfig(new([]postgres.Finding)))
			require.NoError(t, err)
			require.Nil(t, result)
		})
	}
}
