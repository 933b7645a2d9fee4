package postgres_test

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

// found returns the logins that a page finds by name.
func found(t *testing.T, db *postgres.DB, filter domain.UserFilter) (logins []string) {
	t.Helper()
	page, err := postgres.NewUsers(db).Page(t.Context(), ports.UserQuery{Filter: filter, Order: domain.UsersByName}, ports.SearchTerms{Region: "RU"})
	require.NoError(t, err)
	for _, f := range page.Users {
		logins = append(logins, f.User.Login)
	}
	return logins
}

// Users are added in parts, those of the smallest import first.
func TestListAddsUsersInParts(t *testing.T) {
	db := open(t, pgtest.New(t))
	const large = 2*postgres.ListUsers + 10
	for sql, args := range map[string][]any{
		`insert into users (login, login_key, password_hash, phone, code_id)
			select 'user' || n, 'user' || n, 'x', n, case when n = 5 then 2 else 1 end from generate_series(1, $1::bigint) n`: {large},
		`insert into codes (id, code, description, created, unlisted_after, unlisted_until)
			values (1, 200, 'x', $1::bigint - 1, 0, $1::bigint), (2, 200, 'x', 1, 4, 5), (3, 200, 'x', 1, 6, 7)`: {large},
	} {
		_, err := db.Pool().Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	store := postgres.NewUsers(db)
	left, err := store.List(t.Context())
	require.NoError(t, err)
	require.Less(t, left, large-postgres.ListUsers+10)
	require.Equal(t, []string{"user5"}, found(t, db, domain.UserFilter{Import: 2}))
	for range 3 {
		left, err = store.List(t.Context())
		require.NoError(t, err)
	}
	require.Zero(t, left)
	count, err := store.Count(t.Context(), ports.UserSelection{}, ports.SearchTerms{}, 2*large)
	require.NoError(t, err)
	require.Equal(t, large, count)
}

// The planner expects one user if it counted users while the first large import ran.
func TestListLooksUpEachUser(t *testing.T) {
	url := pgtest.New(t)
	db, err := postgres.Open(t.Context(), url)
	require.NoError(t, err)
	const large = 4 * postgres.ListUsers
	for _, sql := range []string{
		fmt.Sprintf(`insert into users (login, login_key, password_hash, phone, code_id) select 'U' || n, 'u' || n, 'x', n, 1 from generate_series(1, %d) n`, large),
		"insert into profiles (user_id, lname, fname, patr) select id, 'L', 'F', 'P' from users",
		fmt.Sprintf(`insert into codes (id, code, description, created, unlisted_after, unlisted_until) values (1, 200, 'x', %d, %d, %[1]d)`, large, large-postgres.ListUsers),
	} {
		_, err = db.Pool().Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	pgtest.Query[struct{}](t, pgtest.Superuser(url), "update pg_class set relpages = 100, reltuples = 0 where relname in ('users', 'users_pkey', 'profiles', 'profiles_pkey', 'profiles_user_id_key')")
	_, err = postgres.NewUsers(db).List(t.Context())
	require.NoError(t, err)
	const least = large + 3*postgres.ListUsers // for the references of profiles, then for each listed user twice, and for each profile once
	require.Less(t, entriesRead(t, db, url, "relname in ('users', 'profiles')", least), 2*large)
}

// A page tells how many users of a large import it cannot find yet, and finds those of a small one.
func TestPageListsNewUsers(t *testing.T) {
	db := open(t, pgtest.New(t))
	_, err := db.Pool().Exec(t.Context(), `
		insert into users (login, login_key, password_hash, phone, code_id)
			select 'user' || n, 'user' || n, 'x', n, case when n = 1 then 2 else 1 end from generate_series(1, 10000) n;
		insert into codes (id, code, description, created, unlisted_after, unlisted_until) values (1, 200, 'x', 9999, 1, 10000), (2, 200, 'x', 1, 0, 1)`)
	require.NoError(t, err)
	page, err := postgres.NewUsers(db).Page(t.Context(), ports.UserQuery{Filter: domain.UserFilter{Text: "user1"}, Order: domain.UsersByName}, ports.SearchTerms{})
	require.NoError(t, err)
	require.NotEmpty(t, page.Users)
	require.Equal(t, "user1", page.Users[0].User.Login)
	require.Positive(t, page.Unlisted)
	require.Less(t, page.Unlisted, 9999)
}

// What other versions of the program and the takeover do to users is found by a search through all of them.
func TestReconcile(t *testing.T) {
	db := open(t, pgtest.New(t))
	users := postgres.NewUsers(db)
	run := func(sql string) {
		t.Helper()
		_, err := db.Pool().Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	run(`insert into users (id, login, login_key, password_hash, phone) values (1, 'anna', 'anna', '$sha256$x', '1'), (2, 'boris', 'boris', '$sha256$x', '2');
		insert into profiles (user_id, lname, fname, patr) values (1, 'Ёлкина', 'Анна', 'x')`)
	require.Empty(t, found(t, db, domain.UserFilter{}))
	require.NoError(t, users.Reconcile(t.Context()))
	require.Equal(t, []string{"boris", "anna"}, found(t, db, domain.UserFilter{Status: domain.StatusNeverSignedIn}))
	require.Equal(t, []string{"anna"}, found(t, db, domain.UserFilter{Text: "елк"}))
	run(`insert into sign_ins (user_id, at, address, browser) values (1, now(), 'x', 'x');
		update users set suspended_at = now() where id = 2`)
	require.NoError(t, users.Reconcile(t.Context()))
	require.Equal(t, []string{"anna"}, found(t, db, domain.UserFilter{Status: domain.StatusTemporaryPassword}))
	require.Equal(t, []string{"boris"}, found(t, db, domain.UserFilter{Status: domain.StatusSuspended}))
	run(`delete from users where id = 2`)
	require.NoError(t, users.Reconcile(t.Context()))
	count, err := users.Count(t.Context(), ports.UserSelection{}, ports.SearchTerms{}, 10)
	require.NoError(t, err)
	require.Equal(t, 1, count)
}

// Users from before the migration, and those that the previous version registers beside this one, are found when a server has reconciled.
func TestMigrationOfFoundUsers(t *testing.T) {
	const insert = `insert into users (login, login_key, password_hash, phone, code_id) values ('%[1]s', '%[1]s', 'x', '%[2]d', %[2]d);
		insert into codes (id, code, description, created) values (%[2]d, 200, 'x', 1)`
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000110", fmt.Sprintf(insert, "before", 1))
	_, err := db.Pool().Exec(t.Context(), fmt.Sprintf(insert, "beside", 2))
	require.NoError(t, err)
	require.Empty(t, found(t, db, domain.UserFilter{}))
	require.NoError(t, postgres.NewUsers(db).Reconcile(t.Context()))
	require.Equal(t, []string{"before", "beside"}, found(t, db, domain.UserFilter{}))
}

// A sign-in of a user who is not listed yet is not lost.
func TestListKeepsChangesFromBefore(t *testing.T) {
	db := open(t, pgtest.New(t))
	_, err := db.Pool().Exec(t.Context(), `
		insert into users (login, login_key, password_hash, phone, code_id) values ('anna', 'anna', '$sha256$x', '1', 1);
		insert into codes (id, code, description, created, unlisted_after, unlisted_until) values (1, 200, 'x', 1, 0, 1)`)
	require.NoError(t, err)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.NoError(t, postgres.NewAccounts(db).SignedIn(t.Context(), 1, "$sha256$x", domain.SignIn{Time: at}))
	_, err = db.Pool().Exec(t.Context(), "delete from sign_ins") // which are forgotten in time
	require.NoError(t, err)
	require.Equal(t, []string{"anna"}, found(t, db, domain.UserFilter{Status: domain.StatusTemporaryPassword, Import: 1, SignedInBefore: at.Add(time.Second)}))
	require.Empty(t, found(t, db, domain.UserFilter{SignedInBefore: at}))
}

// directoryUsers is the number of users of TestPagesOfLargeDirectory. With another number than that of `make test` it reads the pages of all
// pairs in every order.
var directoryUsers = flag.Int("users", largeDirectory, "number of users in the test of a large directory")

// The size of what fillDirectory stores, and the bound of what a page of users reads: rows and index entries.
const (
	largeDirectory = 200_000
	fewUsers       = 300
)

// newDirectory returns the URL of a database with users. A database larger than those of other tests is on the disk.
func newDirectory(t *testing.T, size int) (url string) {
	t.Helper()
	if size <= largeDirectory {
		url = pgtest.New(t)
	} else {
		url = pgtest.Start(t, pgtest.Dir(t)).URL(localpg.Database)
		require.NoError(t, postgres.Migrate(t.Context(), url))
	}
	fillDirectory(t, url, size)
	for _, table := range pgtest.Query[struct {
		Name  string
		Bytes int
	}](t, url, "select relname, pg_total_relation_size(relid) from pg_stat_user_tables where relname in ('users', 'profiles', 'directory') order by 1") {
		t.Logf("%s of %d users: %d MiB with its indexes", table.Name, size, table.Bytes>>20)
	}
	return url
}

// fillDirectory fills a database with users, most of whom have common names, groups and imports. Others are rare.
func fillDirectory(t *testing.T, url string, size int) {
	t.Helper()
	indexes := pgtest.Query[struct{ Name, Definition string }](t, url,
		"select indexname, indexdef from pg_indexes where tablename = 'directory' and indexname <> 'directory_pkey'")
	for _, index := range indexes { // created after the rows, which takes less time
		pgtest.Query[struct{}](t, url, "drop index "+index.Name)
	}
	for _, sql := range []string{
		`create table marker ()`,
		`alter table users set (autovacuum_enabled = off)`, // whose work would be counted
		`alter table profiles set (autovacuum_enabled = off)`,
		`alter table directory set (autovacuum_enabled = off)`,
		fmt.Sprintf(`insert into users (id, login, login_key, password_hash, email, email_key, phone, code_id, reg_date)
			select n, 'user' || n, 'user' || n, case when n %% 3 = 0 then 'x' else '$sha256$' || n end, 'mail' || n || '@example.com', 'mail' || n || '@example.com',
				'79' || lpad(n::text, 9, '0'), n %% 100, timestamptz '2026-01-01' + n %% 100 * interval '1 day'
			from generate_series(1, %d) n`, size),
		`insert into profiles (user_id, fname, lname, patr)
			select id, (array['Иван', 'Мария', 'Анна'])[1 + id % 3], (array['Смирнов', 'Иванов', 'Ким'])[1 + id % 7 % 3] || case when id % 11 = 0 then id::text else '' end, 'x' from users`,
		`insert into directory (user_id, name_key, first_key, group_key, import, registered, last_sign_in, standing, temporary_since)
			select u.id, lower(lname || ' ' || fname || ' x' ), lower(fname || ' ' || lname), case when u.id % 50000 = 1 then 'rare' when u.id % 2 = 0 then 'common' end,
				nullif(case when u.id % 60000 = 2 then 101 else code_id end, 0), reg_date, case when u.id % 3 = 0 then timestamptz '2026-03-01' + u.id % 1000 * interval '1 hour' end,
				case when u.id % 40000 = 3 then 0 when u.id % 3 = 0 then 3 when u.id % 30000 = 7 then 2 else 1 end,
				case when u.id % 3 <> 0 then reg_date + interval '-1 year' * (u.id % 20000 = 5)::int end
			from users u join profiles p on p.user_id = u.id`,
	} {
		pgtest.Query[struct{}](t, url, sql)
	}
	for _, index := range indexes {
		pgtest.Query[struct{}](t, url, index.Definition)
	}
	pgtest.Query[struct{}](t, url, "analyze")
}

// directoryFilters are conditions that many users meet, few, or none.
func directoryFilters() []domain.UserFilter {
	day := func(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	return []domain.UserFilter{
		{Text: "и"},
		{Text: "ким анна"},
		{Text: "смирнов11"},
		{Text: "и а"},
		{Text: "и а и"},
		{Text: "user"},
		{Text: "user1999"},
		{Text: "mail10"},
		{Text: "8 900 000"},
		{Text: "nobody"},
		{Status: domain.StatusSuspended},
		{Status: domain.StatusActive},
		{Status: domain.StatusNeverSignedIn},
		{Status: domain.StatusTemporaryPassword},
		{Status: domain.StatusTemporaryPasswordExpired},
		{Group: "common"},
		{Group: "rare"},
		{Group: "none"},
		{Import: 50},
		{Import: 101},
		{Import: 999},
		{From: day(90)},
		{Until: day(5)},
		{From: day(40), Until: day(41)},
		{From: day(1000)},
		{SignedInBefore: day(60)},
		{SignedInBefore: day(80)},
	}
}

// pairOf returns the filter of both conditions, and whether they are different ones.
func pairOf(a, b domain.UserFilter) (pair domain.UserFilter, ok bool) {
	pair = a
	ok = (a.Text == "" || b.Text == "") && (a.Status == "" || b.Status == "") && (a.Group == "" || b.Group == "") && (a.Import == 0 || b.Import == 0) &&
		(a.From.IsZero() && a.Until.IsZero() || b.From.IsZero() && b.Until.IsZero()) && (a.SignedInBefore.IsZero() || b.SignedInBefore.IsZero())
	if b.Text != "" {
		pair.Text = b.Text
	}
	if b.Status != "" {
		pair.Status = b.Status
	}
	if b.Group != "" {
		pair.Group = b.Group
	}
	if b.Import != 0 {
		pair.Import = b.Import
	}
	if !b.From.IsZero() || !b.Until.IsZero() {
		pair.From, pair.Until = b.From, b.Until
	}
	if !b.SignedInBefore.IsZero() {
		pair.SignedInBefore = b.SignedInBefore
	}
	return pair, ok
}

func TestPageRejectsThePlaceOfAnotherText(t *testing.T) {
	db := open(t, pgtest.New(t))
	for order, place := range map[domain.UserOrder]string{
		domain.UsersByName: `{"o":"name","s":999,"i":1}`, domain.UsersByRegistered: `{"o":"-registered","s":1000000,"k":"x","i":-1}`,
	} {
		t.Run(string(order), func(t *testing.T) {
			query := ports.UserQuery{Filter: domain.UserFilter{Text: "a"}, Order: order, After: base64.RawURLEncoding.EncodeToString([]byte(place))}
			_, err := postgres.NewUsers(db).Page(t.Context(), query, ports.SearchTerms{Region: "RU"})
			require.ErrorIs(t, err, ports.ErrPlace)
		})
	}
}

// No page of users reads a whole table, whatever its filter selects, alone and in pairs, in any order.
func TestPagesOfLargeDirectory(t *testing.T) {
	url, isLong := newDirectory(t, *directoryUsers), *directoryUsers != largeDirectory
	filters := append([]domain.UserFilter{{}}, directoryFilters()...)
	for i, a := range directoryFilters() {
		for _, b := range directoryFilters()[i+1:] {
			if pair, ok := pairOf(a, b); ok {
				filters = append(filters, pair)
			}
		}
	}
	terms := ports.SearchTerms{Region: "RU", Expired: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)}
	for n, order := range []domain.UserOrder{domain.UsersByName, domain.UsersByRegistered, domain.UsersByLastSignIn} {
		var worst cost
		var worstFilter domain.UserFilter
		pagesOf := func(db *postgres.DB, filter domain.UserFilter) (pages int) {
			store, after := postgres.NewUsers(db), ""
			for pages < 3 {
				page, err := store.Page(t.Context(), ports.UserQuery{Filter: filter, Order: order, After: after}, terms)
				require.NoError(t, err)
				pages++
				after = page.Next
				if after == "" {
					break
				}
			}
			return pages
		}
		for i, filter := range filters {
			if !isLong && i > len(directoryFilters()) && i%12 != 4*n { // a fourth of the pairs, each in one order
				continue
			}
			pages := 0
			got := costOf(t, url, "'users', 'profiles', 'directory', 'roles'", func(db *postgres.DB) { pages = pagesOf(db, filter) })
			require.Zero(t, got.Scans, "%+v by %s", filter, order)
			require.Less(t, got.Rows/pages, fewUsers, "%+v by %s", filter, order)
			require.Less(t, got.Blocks/pages, fewBlocks, "%+v by %s", filter, order)
			if got.Blocks/pages > worst.Blocks {
				worstFilter = filter
			}
			worst.Rows, worst.Blocks = max(worst.Rows, got.Rows/pages), max(worst.Blocks, got.Blocks/pages)
		}
		t.Logf("by %s: %d filters, at most %d rows and %d blocks a page, for %+v", order, len(filters), worst.Rows, worst.Blocks, worstFilter)
	}
	t.Run("BeforeADay", func(t *testing.T) { // a page of old users reads no more of the index than one of new users
		blocks := func(filter domain.UserFilter) int {
			return costOf(t, url, "'users', 'profiles', 'directory', 'roles'", func(db *postgres.DB) {
				_, err := postgres.NewUsers(db).Page(t.Context(), ports.UserQuery{Filter: filter, Order: domain.UsersByRegistered}, terms)
				require.NoError(t, err)
			}).Blocks
		}
		newest, before := blocks(domain.UserFilter{}), blocks(domain.UserFilter{Until: time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)})
		t.Logf("blocks of a page of the newest users: %d, of those before a day: %d", newest, before)
		require.Less(t, before, newest+newest/4)
	})
	t.Run("GenericPlans", func(t *testing.T) {
		const times = 7 // more often than the server makes plans for the arguments
		pages := 0
		got := costOf(t, url, "'users', 'profiles', 'directory', 'roles'", func(db *postgres.DB) {
			for range times {
				for _, filter := range directoryFilters() {
					_, err := postgres.NewUsers(db).Page(context.WithoutCancel(t.Context()), ports.UserQuery{Filter: filter, Order: domain.UsersByName}, terms)
					require.NoError(t, err)
					pages++
				}
			}
		})
		require.Zero(t, got.Scans)
		require.Less(t, got.Rows/pages, fewUsers)
	})
}

// PostgreSQL plans a page once for all groups and imports. A page reads the right index even if the statistics know only one large group, or only
// small imports.
func TestPagesWithoutStatistics(t *testing.T) {
	url := pgtest.New(t)
	const add = `insert into directory (user_id, name_key, first_key, group_key, import, registered, last_sign_in, standing)
		select n, 'a' || n, 'a', '%s', %s, timestamptz '2026-01-01' + n * interval '1 second', timestamptz '2026-03-01' + n * interval '1 second', 3
		from generate_series(%d, %d) n`
	for _, sql := range []string{
		"create table marker ()", "alter table directory set (autovacuum_enabled = off)",
		fmt.Sprintf(add, "old", "n", 1001, 20_000), "analyze directory", fmt.Sprintf(add, "new", "1", 1, 1000),
	} {
		pgtest.Query[struct{}](t, url, sql)
	}
	for name, filter := range map[string]domain.UserFilter{
		"Group": {Group: "new"}, "Text": {Group: "new", Text: "a"}, "Import": {Import: 1}, "Both": {Group: "new", Import: 1}, "None": {Group: "none", Status: domain.StatusActive},
		"Few": {Import: 1, SignedInBefore: time.Date(2026, 3, 1, 0, 0, 5, 0, time.UTC)},
	} {
		for _, order := range domain.UserOrders() {
			t.Run(fmt.Sprint(name, order), func(t *testing.T) {
				got := costOf(t, url, "'directory'", func(db *postgres.DB) {
					_, err := postgres.NewUsers(db).Page(t.Context(), ports.UserQuery{Filter: filter, Order: order}, ports.SearchTerms{})
					require.NoError(t, err)
				})
				require.Less(t, got.Rows, fewUsers)
			})
		}
	}
}
