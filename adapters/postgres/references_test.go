package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

// owner returns the URL of a database for the role that owns it, and may set session_replication_role.
func owner(_ *testing.T, url string) string { return url }

// withoutParameter returns the URL of a database for a role that may do everything in it but set session_replication_role.
func withoutParameter(t *testing.T, of string) string {
	t.Helper()
	u, err := url.Parse(of)
	require.NoError(t, err)
	role := "plain_" + strings.TrimPrefix(u.Path, "/")
	for _, sql := range []string{
		"create role " + role, "grant " + role + " to rollcall",
		"grant all on all tables in schema public to " + role, "grant all on all sequences in schema public to " + role,
	} {
		pgtest.Query[struct{}](t, pgtest.Superuser(of), sql)
	}
	t.Cleanup(func() {
		pgtest.Query[struct{}](t, pgtest.Superuser(of), "drop owned by "+role)
		pgtest.Query[struct{}](t, pgtest.Superuser(of), "drop role "+role)
	})
	query := u.Query()
	query.Set("role", role)
	u.RawQuery = query.Encode()
	return u.String()
}

// addTwoBatches runs an exclusive import of two batches with two accounts and a rejection each. The rejections have no reasons, whose
// rows refer to the import, too.
func addTwoBatches(t *testing.T, db *postgres.DB) error {
	t.Helper()
	_, err := postgres.NewImports(db, time.Now).Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		for batch := range 2 {
			records := []domain.Record{contract.Record(t, 3*batch+1), contract.Record(t, 3*batch+2)}
			_, err := tx.Taken(ctx, records)
			if err != nil {
				return err
			}
			err = tx.Add(ctx, []domain.Account{{Registration: records[0].Registration, PasswordHash: "x"}, {Registration: records[1].Registration, PasswordHash: "x"}},
				[]domain.Rejection{{Record: 3 * (batch + 1), Description: "x"}})
			if err != nil {
				return err
			}
		}
		return tx.Finish(ctx, domain.Tally{Records: 6, Registered: 4, Rejected: 2}, nil)
	})
	return err
}

// roles are the ways to check the references of an import.
var roles = []struct {
	name string
	url  func(*testing.T, string) string
	err  string // of a wrong reference
}{
	{"once", owner, "refers to a row that the import has not stored"},
	{"row by row", withoutParameter, "SQLSTATE 23503"},
}

// A row that refers to no row of its import fails the import, and nothing is stored. It does not matter how references are checked.
func TestWrongReferences(t *testing.T) {
	for _, role := range roles {
		for _, c := range []struct{ name, trigger string }{
			{"a profile without a user", "before insert on users for each row when (new.login = 'user5')"},
			{"a profile without a user in the first batch", "before insert on users for each row when (new.login = 'user1')"},
			{"rejections without an import", "before insert on codes for each row"},
		} {
			t.Run(role.name+"/"+c.name, func(t *testing.T) {
				direct := pgtest.New(t)
				for _, sql := range []string{
					"create function move() returns trigger language plpgsql as 'begin new.id := new.id + 1000; return new; end'",
					"create trigger move " + c.trigger + " execute function move()",
				} {
					pgtest.Query[struct{}](t, direct, sql)
				}
				err := addTwoBatches(t, open(t, role.url(t, direct)))
				require.ErrorContains(t, err, role.err)
				require.NotErrorIs(t, err, ports.ErrUnavailable, "another attempt would fail, too")
				require.Empty(t, storedAccounts(t, direct))
				require.Empty(t, storedImports(t, direct))
				require.Zero(t, pgtest.Query[struct{ N int }](t, direct, "select count(*)::int from bad_users")[0].N)
			})
		}
	}
}

// After an import that was undone, PostgreSQL may know many pages without rows. What it plans for these then reads each row once, too.
func TestReferencesAreReadOnce(t *testing.T) {
	direct := pgtest.New(t)
	pgtest.Query[struct{}](t, pgtest.Superuser(direct), "update pg_class set relpages = 1000, reltuples = 0 where relname in ('users', 'profiles')")
	db, err := postgres.Open(t.Context(), direct)
	require.NoError(t, err)
	const users = 1000
	records, accounts := make([]domain.Record, users), make([]domain.Account, users)
	for n := range users {
		records[n] = contract.Record(t, n+1)
		accounts[n] = domain.Account{Registration: records[n].Registration, PasswordHash: "x"}
	}
	_, err = postgres.NewImports(db, time.Now).Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, records)
		if err == nil {
			err = tx.Add(ctx, accounts, nil)
		}
		return errors.Join(err, tx.Finish(ctx, domain.Tally{Records: users, Registered: users}, nil))
	})
	require.NoError(t, err)
	require.Equal(t, users, entriesRead(t, db, direct, "indexrelname = 'profiles_user_id_key'", users))
}

// entriesRead closes db, and returns how many entries of the indexes of a condition its connections have read. It waits until all of them have
// reported that, which are at least a number of entries.
func entriesRead(t *testing.T, db *postgres.DB, url, condition string, least int) (read int) {
	t.Helper()
	require.NoError(t, db.Close()) // connections report what they have read when they end
	require.Eventually(t, func() bool {
		read = pgtest.Query[struct{ Entries int }](t, url, "select sum(idx_tup_read)::int as entries from pg_stat_user_indexes where "+condition)[0].Entries
		return read >= least
	}, 10*time.Second, 10*time.Millisecond)
	return read
}

// Only COPY itself runs without triggers, and only if the tables have no others than those of their references.
func TestTriggersOfOthersFire(t *testing.T) {
	for _, c := range []struct {
		name, trigger string
		url           func(*testing.T, string) string
	}{
		{"on profiles", "after insert on profiles for each row", owner},
		{"on profiles, once a statement", "after insert on profiles for each statement", owner},
		{"on rejections", "after insert on bad_users for each row", owner},
		{"on users", "after insert on users for each row", owner},
		{"on imports", "after insert on codes for each row", owner},
		{"as a superuser", "after insert on profiles for each row", func(_ *testing.T, url string) string { return pgtest.Superuser(url) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			direct := pgtest.New(t)
			for _, sql := range []string{
				"create table fired (at text default current_setting('session_replication_role'))",
				"create function fire() returns trigger language plpgsql as 'begin insert into fired default values; return new; end'",
				"create trigger fire " + c.trigger + " execute function fire()",
			} {
				pgtest.Query[struct{}](t, direct, sql)
			}
			require.NoError(t, addTwoBatches(t, open(t, c.url(t, direct))))
			type fired struct{ At string }
			require.Equal(t, []fired{{"origin"}}, pgtest.Query[fired](t, direct, "select distinct at from fired"))
		})
	}
}

// An import of a database with many rows checks its own references, not those of others that took ids between its own.
func TestReferencesAmongIDsOfOthers(t *testing.T) {
	direct := pgtest.New(t)
	db := open(t, direct)
	registrations := postgres.NewRegistrations(db)
	other := 100
	_, err := postgres.NewImports(db, time.Now).Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		for batch := range 3 {
			// Each batch leaves an id to the next one, and a registration takes the id between.
			record, spare := contract.Record(t, batch), contract.Record(t, 10+batch)
			_, err := tx.Taken(ctx, []domain.Record{record, spare})
			require.NoError(t, err)
			_, err = registrations.Create(ctx, accountOf(t, other))
			require.NoError(t, err)
			other++
			err = tx.Add(ctx, []domain.Account{{Registration: record.Registration, PasswordHash: "x"}}, nil)
			require.NoError(t, err)
		}
		records := []domain.Record{contract.Record(t, 20), contract.Record(t, 21), contract.Record(t, 22)}
		_, err := tx.Taken(ctx, records)
		require.NoError(t, err)
		accounts := make([]domain.Account, len(records))
		for i := range records {
			accounts[i] = domain.Account{Registration: records[i].Registration, PasswordHash: "x"}
		}
		require.NoError(t, tx.Add(ctx, accounts, nil))
		return tx.Finish(ctx, domain.Tally{Records: 6, Registered: 6}, nil)
	})
	require.NoError(t, err)
	require.Len(t, storedAccounts(t, direct), 9)
}
