package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

func TestMigrateTakesTurns(t *testing.T) {
	url := pgtest.New(t)
	pgtest.Query[struct{}](t, url, `drop schema public cascade`)
	pgtest.Query[struct{}](t, url, `create schema public`)
	db := open(t, url)
	require.ErrorIs(t, db.Ready(t.Context()), ports.ErrUnavailable)
	var all sync.WaitGroup
	for range 4 { // instances that start concurrently
		all.Go(func() { assertNoError(t, postgres.Migrate(t.Context(), url)) })
	}
	all.Wait()
	require.NoError(t, db.Ready(t.Context()))
	tables := pgtest.Query[struct{ Name string }](t, url, `
		select table_name::text from information_schema.tables where table_schema = 'public' and table_name not like 'bun_%' order by 1`)
	require.Equal(t, []struct{ Name string }{
		{"access_tokens"},
		{"audit"},
		{"bad_users"},
		{"code_reasons"},
		{"codes"},
		{"directory"},
		{"idempotency_keys"},
		{"limits"},
		{"outcomes"},
		{"profiles"},
		{"reason_statistics"},
		{"roles"},
		{"running_imports"},
		{"sessions"},
		{"setup_codes"},
		{"sign_ins"},
		{"statistics"},
		{"statistics_zone"},
		{"upload_parts"},
		{"uploads"},
		{"users"},
	}, tables)
}

// migrateOver applies the migrations before the one with a number, runs a fixture, and applies the others.
func migrateOver(t *testing.T, db *postgres.DB, number, fixture string) {
	t.Helper()
	run := func(sql string) {
		t.Helper()
		_, err := db.Pool().Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	files, err := filepath.Glob("migrations/*.up.sql")
	require.NoError(t, err)
	at := slices.IndexFunc(files, func(file string) bool { return strings.HasPrefix(filepath.Base(file), number) })
	require.Positive(t, at)
	run(`drop schema public cascade; create schema public`)
	for i, file := range files {
		if i == at {
			run(fixture)
		}
		sql, err := os.ReadFile(file)
		require.NoError(t, err)
		run(string(sql))
	}
}

// An answer that a version before senders stored is found by the id of the only token that ever had the name.
func TestMigrationOfSenders(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000005", `
		insert into access_tokens (name, hash, created_at, revoked_at) values
			('crm', 'a', now(), now()), ('crm', 'b', now(), null), ('school', 'c', now(), null);
		insert into codes (code, description, token) values (200, 'x', 'school'), (200, 'x', 'crm'), (200, 'x', null);
		insert into idempotency_keys (key, code_id, objects, fingerprint, salt, expires) values
			(sha256('of school'), 1, 1, 'x', 'x', now() + interval '1 day'),
			(sha256('of crm'), 2, 1, 'x', 'x', now() + interval '1 day'),
			(sha256('of all'), 3, 1, 'x', 'x', now() + interval '1 day'),
			(sha256('expired'), 1, 1, 'x', 'x', now() - interval '1 second')`)
	const revoked, crm, school = 1, 2, 3
	store := postgres.NewImports(db, time.Now)
	importBy := func(key domain.ImportKey) error {
		_, err := store.Do(t.Context(), ports.ImportMode{Key: key}, func(ctx context.Context, tx ports.ImportTx) error {
			_, err := tx.Taken(ctx, nil)
			require.NoError(t, err)
			return tx.Finish(ctx, domain.Tally{}, nil)
		})
		return err
	}
	for _, c := range []struct {
		name     string
		key      domain.ImportKey
		answerOf int64 // 0 for none
	}{
		{"key of the token", domain.ImportKey{Token: school, Value: "of school"}, 1},
		{"key of another token", domain.ImportKey{Token: crm, Value: "of school"}, 0},
		{"key of a user with the token's id", domain.ImportKey{User: school, Value: "of school"}, 0},
		{"token whose name another one had", domain.ImportKey{Token: crm, Value: "of crm"}, 0},
		{"revoked token with the name", domain.ImportKey{Token: revoked, Value: "of crm"}, 0},
		{"key without an owner", domain.ImportKey{Value: "of all"}, 3},
		{"key without an owner, sent with a token", domain.ImportKey{Token: school, Value: "of all"}, 0},
		{"expired key", domain.ImportKey{Token: school, Value: "expired"}, 0},
		{"unknown key", domain.ImportKey{Token: school, Value: "other"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := store.Recall(t.Context(), c.key, io.Discard)
			if c.answerOf == 0 {
				require.ErrorIs(t, err, ports.ErrNotFound)
				require.NoError(t, importBy(c.key))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.answerOf, answer.Import)
			require.ErrorIs(t, importBy(c.key), ports.ErrKeyUsed)
		})
	}

	// An earlier version runs an import and holds the lock of its key.
	conn, err := db.Pool().Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	sum := sha256.Sum256([]byte("running"))
	_, err = conn.Exec(t.Context(), "select pg_advisory_lock($1)", int64(binary.BigEndian.Uint64(sum[:])))
	require.NoError(t, err)
	require.ErrorIs(t, importBy(domain.ImportKey{Token: crm, Value: "running"}), ports.ErrKeyRunning)
	require.NoError(t, importBy(domain.ImportKey{User: crm, Value: "running"}))
	_, err = conn.Exec(t.Context(), "select pg_advisory_unlock_all()")
	require.NoError(t, err)
	require.NoError(t, importBy(domain.ImportKey{Token: crm, Value: "running"}))
}

// Imports from before the migration are in reports.
func TestMigrationOfReports(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261123000003", `
		insert into codes (code, date, description) values
			(200, '2026-01-01 12:00Z', 'All users have been created (5 of 5 users)'),
			(200, '2026-01-01 13:00Z', 'Not all users have been created (created by 11 of 13 users)'),
			(400, '2026-01-02 12:00Z', 'Bad request! Users haven''t been created.'),
			(413, '2026-01-02 13:00Z', 'Bad request! JSON file is empty or broken.');
		insert into bad_users (code_id, object_id, login, description, violations) values
			(2, 1, 'Anna', 'x', '[{"field": "login", "code": "taken"}, {"field": "email", "code": "taken"}]'),
			(2, 9, null, 'x', '[{"field": "", "code": "not_object"}]'),
			(3, 1, 'ANNA', 'x', '[{"field": "login", "code": "too_long", "limit": 50}, {"field": "login", "code": "too_long", "limit": 50}]')`)
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

// All rejections of imports from before the migration are stored.
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

// An operator from before the migration prevents setup codes.
func TestMigrationOfSetupCodes(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000006", `
		insert into users (login, login_key, password_hash, phone) values ('anna', 'anna', 'x', '1'), ('boris', 'boris', 'x', '2');
		insert into roles values (1, 'operator')`)
	codes := postgres.NewSetupCodes(db)
	created, err := codes.Create(t.Context(), []byte("x"), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.False(t, created)
}

// People whose keys the migration changes are found again once the server has started.
func TestMigrationOfFurtherNames(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261127000010", `
		insert into users (id, login, login_key, password_hash, phone) values (1, 'anna', 'anna', 'x', '1'), (2, 'jean', 'jean', 'x', '2'), (3, 'ivan', 'ivan', 'x', '3');
		insert into profiles (user_id, lname, fname, patr) values (1, 'Ким', 'Анна Мария', ''), (2, 'О’Нил', 'Жан', ''), (3, 'Ли', 'Иван', '');
		insert into directory (user_id, name_key, first_key, registered, standing)
			values (1, 'ким анна мария', 'анна мария ким', now(), 3), (2, 'о’нил жан', 'жан о’нил', now(), 3), (3, 'ли иван', 'иван ли', now(), 3)`)
	require.Equal(t, []string{"ivan"}, found(t, db, domain.UserFilter{}))
	require.NoError(t, postgres.NewUsers(db).Reconcile(t.Context()))
	require.Equal(t, []string{"anna"}, found(t, db, domain.UserFilter{Text: "анна ким"}))
	require.Equal(t, []string{"jean"}, found(t, db, domain.UserFilter{Text: "о'нил"}))
	require.Equal(t, []string{"anna", "ivan", "jean"}, found(t, db, domain.UserFilter{}))
}

// Answers from before the migration have no notes. The previous version runs beside this one.
func TestMigrationOfNotes(t *testing.T) {
	const insert = `insert into idempotency_keys (key, code_id, objects, fingerprint, salt, expires) values (sha256('%s'), 1, 1, 'x', 'x', now() + interval '1 day')`
	url := pgtest.New(t)
	db := open(t, url)
	migrateOver(t, db, "20261126000040", `insert into codes (code, description) values (200, 'x');`+fmt.Sprintf(insert, "before"))
	pgtest.Query[struct{}](t, url, `do $$ begin `+fmt.Sprintf(insert, "beside")+`; end $$`)
	for _, key := range []string{"before", "beside"} {
		answer, err := postgres.NewImports(db, time.Now).Recall(t.Context(), domain.ImportKey{Value: key}, io.Discard)
		require.NoError(t, err)
		require.Equal(t, &ports.KeptAnswer{Import: 1, Tally: domain.Tally{Records: 1}, Fingerprint: []byte("x"), Salt: []byte("x")}, answer)
	}
}

// Answers from before the migration are not forgotten, and neither are those that the previous version stores beside this one.
func TestMigrationOfForgottenAnswers(t *testing.T) {
	const insert = `insert into idempotency_keys (key, code_id, objects, fingerprint, salt, expires) values (sha256('%s'), 1, 1, 'x', 'x', now() + interval '1 day');`
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261127000020", `insert into codes (code, description) values (200, 'x');`+fmt.Sprintf(insert, "before"))
	_, err := db.Pool().Exec(t.Context(), fmt.Sprintf(insert, "beside"))
	require.NoError(t, err)
	for _, key := range []string{"before", "beside"} {
		answer, err := postgres.NewImports(db, time.Now).Recall(t.Context(), domain.ImportKey{Value: key}, io.Discard)
		require.NoError(t, err)
		require.False(t, answer.Forgotten)
	}
}

// The answers of changes before the migration still name their users.
func TestMigrationOfPlainIDs(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261127000030", `
		insert into users (login, login_key, password_hash, phone) values ('anna', 'anna', 'x', '1');
		insert into idempotency_keys (key, objects, fingerprint, salt, expires, registered, rejected, users)
			select sha256('of a change'), 10000, 'x', 'x', now() + interval '1 day', 10000, 0, array_agg(n) from generate_series(1, 10000) n`)
	changeAccount(t, db, 1, ports.AccountChange{Deleted: true})
	answer, err := postgres.NewImports(db, time.Now).Recall(t.Context(), domain.ImportKey{Value: "of a change"}, io.Discard)
	require.NoError(t, err)
	require.True(t, answer.Forgotten)
}

// Passwords from before the migration count as unused, and the previous version runs beside this one.
func TestMigrationOfPasswordUse(t *testing.T) {
	const before = `insert into users (login, login_key, password_hash, phone) values ('A', 'a', '$sha256$x', '79');`
	url := pgtest.New(t)
	db := open(t, url)
	migrateOver(t, db, "20261126000003", before)
	store := postgres.NewAccounts(db)
	user, err := store.Find(t.Context(), domain.Identity{Login: "a"})
	require.NoError(t, err)
	require.Nil(t, user.PasswordUsedBy)
	require.NoError(t, store.UsePassword(t.Context(), user.ID, user.Password.Hash, []byte("browser")))
	pgtest.Query[struct{}](t, url, `do $$ begin
		insert into users (login, login_key, password_hash, phone) values ('B', 'b', 'x', '78');
		update users set password_hash = 'y', password_date = now() where login = 'A'; end $$`)
	user, err = store.Find(t.Context(), domain.Identity{Login: "b"})
	require.NoError(t, err)
	require.Nil(t, user.PasswordUsedBy)
}

// Imports from before the migration are counted already. Figures stay the same, and include imports of the previous version.
func TestMigrationOfRollUp(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	migrateOver(t, db, "20261126000010", `
		insert into codes (code, description, created, refused) values (200, 'x', 2, 1), (200, 'x', 2, 1);
		insert into code_reasons (field, code, code_id, objects) values ('login', 'taken', 1, 2), ('', 'not_object', 2, 2);
		insert into statistics values ('2024-10-04', 0, 1, 2, 1), ('2024-10-04', 31999, 1, 2, 1);
		insert into reason_statistics values ('2024-10-04', 0, 'login', 'taken', 2), ('2024-10-04', 31999, '', 'not_object', 2)`)
	require.Empty(t, uncounted(t, url))
	reports := postgres.NewReports(db)
	check := func(imports int64) {
		t.Helper()
		s, err := reports.Statistics(t.Context(), statisticsDay)
		require.NoError(t, err)
		assertExact(t, s, imports, imports)
		require.NoError(t, reports.RollUp(t.Context()))
	}
	check(2)
	check(2)
	pgtest.Query[struct{}](t, url, importOfPreviousVersion)
	check(3)
	require.NoError(t, importRejecting(t.Context(), postgres.NewImports(db, dayOfStatistics), false))
	check(4)
	check(4)
}

// Rejections from before the migration have no places, nor have those of the previous version that runs beside this one.
func TestMigrationOfPlaces(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	const rejection = `insert into bad_users (code_id, object_id, description, violations) values (1, %d, 'x', '[]')`
	migrateOver(t, db, "20261126000030", `
		insert into codes (code, description, refused) values (400, 'Bad request! Users haven''t been created.', 2);`+fmt.Sprintf(rejection, 1))
	pgtest.Query[struct{}](t, url, fmt.Sprintf(rejection, 2))
	want := []domain.Rejection{
		{Import: 1, Record: 1, Description: "x", Violations: domain.Violations{}}, {Import: 1, Record: 2, Description: "x", Violations: domain.Violations{}},
	}
	reports := postgres.NewReports(db)
	page, err := reports.Rejections(t.Context(), ports.RejectionQuery{Filter: domain.ReportFilter{Import: 1}, Limit: 9})
	require.NoError(t, err)
	require.Equal(t, want, page.Rejections)
	require.NoError(t, reports.Read(t.Context(), ports.ReportQuery{Violations: true}, func(report ports.Report) error {
		var got []domain.Rejection
		for it, err := range report.Rejections {
			require.NoError(t, err)
			got = append(got, it)
		}
		require.Equal(t, want, got)
		return nil
	}))
}

// Users from before the migration have no group. The previous version, which runs beside this one, registers users without one.
func TestMigrationOfGroups(t *testing.T) {
	const insert = `insert into users (login, login_key, password_hash, phone) values ('%[1]s', '%[1]s', 'x', '%[2]d');
		insert into profiles (fname, lname, patr, user_id) select 'x', 'x', 'x', id from users where login = '%[1]s'`
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000070", fmt.Sprintf(insert, "before", 1))
	_, err := db.Pool().Exec(t.Context(), fmt.Sprintf(insert, "beside", 2))
	require.NoError(t, err)
	for _, login := range []string{"before", "beside"} {
		user, err := postgres.NewAccounts(db).Find(t.Context(), domain.Identity{Login: login})
		require.NoError(t, err)
		require.Empty(t, user.Group)
	}
}

// Tokens of a version before scopes import as before, and do nothing else.
func TestMigrationOfTokenScopes(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000080", `insert into access_tokens (name, hash, created_at) values ('crm', 'a', now())`)
	token, err := postgres.NewAccessTokens(db).Use(t.Context(), []byte("a"), time.Now())
	require.NoError(t, err)
	require.Equal(t, []domain.Scope{domain.ScopeUseradd}, token.Scopes)
}
