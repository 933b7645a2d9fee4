package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

func accountStores(t *testing.T) contract.AccountsSubject {
	t.Helper()
	return accountStoresOf(open(t, pgtest.New(t)))
}

func accountStoresOf(db *postgres.DB) contract.AccountsSubject {
	return contract.AccountsSubject{
		Registrations: postgres.NewRegistrations(db), Accounts: postgres.NewAccounts(db), Imports: postgres.NewImports(db, time.Now),
		Roles: postgres.NewRoles(db),
	}
}

func TestRegistrations(t *testing.T) { contract.Registrations(t, accountStores) }
func TestAccounts(t *testing.T)      { contract.Accounts(t, accountStores) }
func TestRoles(t *testing.T)         { contract.Roles(t, accountStores) }

func TestSetupCodes(t *testing.T) {
	contract.SetupCodes(t, func(t *testing.T) contract.SetupCodesSubject {
		t.Helper()
		db := open(t, pgtest.New(t))
		return contract.SetupCodesSubject{AccountsSubject: accountStoresOf(db), Codes: postgres.NewSetupCodes(db)}
	})
}

// Whoever was an operator before the migration keeps setup codes away.
func TestMigrationSetupCodes(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000006", `
		insert into users (login, login_key, password_hash, phone) values ('anna', 'anna', 'x', '1'), ('boris', 'boris', 'x', '2');
		insert into roles values (1, 'operator')`)
	codes := postgres.NewSetupCodes(db)
	created, err := codes.Create(t.Context(), []byte("x"), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.False(t, created)
}

// What is removed is what does not work.
func TestSetupCodesAreSwept(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	codes, anna := postgres.NewSetupCodes(db), accountOf(t, 1)
	id, err := postgres.NewRegistrations(db).Create(t.Context(), anna)
	require.NoError(t, err)
	for hash, lifetime := range map[string]time.Duration{"good": time.Hour, "expired": -time.Second} {
		_, err := codes.Create(t.Context(), []byte(hash), time.Now().Add(lifetime))
		require.NoError(t, err)
	}
	left := func() (hashes []string) {
		require.NoError(t, codes.Sweep(t.Context()))
		for _, row := range pgtest.Query[struct{ Hash []byte }](t, url, "select hash from setup_codes") {
			hashes = append(hashes, string(row.Hash))
		}
		return hashes
	}
	require.Equal(t, []string{"good"}, left())
	pgtest.Query[struct{}](t, url, "insert into roles select id, 'operator' from users")
	require.Empty(t, left())
	require.ErrorIs(t, codes.Use(t.Context(), []byte("good"), time.Now(), id), ports.ErrNotFound)
}

func accountOf(t *testing.T, number int) domain.Account {
	t.Helper()
	return domain.Account{Registration: contract.Record(t, number).Registration, PasswordHash: "x"}
}

// A person who registers gives way to an import that is under way, which takes no notice: not even when it comes to want
// what the person has.
func TestRegistrationGivesWayToImport(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	registrations := postgres.NewRegistrations(db)
	runs := 0
	_, err := postgres.NewImports(db, time.Now).Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		runs++
		first, second := accountOf(t, 1), accountOf(t, 2)
		require.NoError(t, add(ctx, t, tx, first))

		person := second // whose login the import will want, when the person waits for its phone
		person.Registration.Email = domain.Email{}
		person.Registration.Phone = first.Registration.Phone
		created := make(chan error, 1)
		start := time.Now()
		go func() {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			_, err := registrations.Create(ctx, person)
			created <- err
		}()
		require.Eventually(t, func() bool {
			return pgtest.Query[struct{ N int }](t, url, `select count(*) from pg_locks where not granted`)[0].N > 0
		}, 10*time.Second, time.Millisecond)
		require.NoError(t, add(ctx, t, tx, second))
		require.ErrorIs(t, <-created, ports.ErrUnavailable)
		require.Greater(t, time.Since(start), 400*time.Millisecond)
		return tx.Finish(ctx, domain.Tally{Records: 2, Registered: 2}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, 1, runs)
	require.Len(t, accounts(t, url), 2)
	_, err = registrations.Create(t.Context(), accountOf(t, 1))
	require.ErrorIs(t, err, ports.ErrTaken)
}

func add(ctx context.Context, t *testing.T, tx ports.ImportTx, account domain.Account) error {
	t.Helper()
	_, err := tx.Taken(ctx, []domain.Record{{Registration: account.Registration}})
	require.NoError(t, err)
	return tx.Add(ctx, []domain.Account{account}, nil)
}

// An account that was stored, and whose id was lost on the way, is neither told to be taken nor stored twice.
func TestLostRegistration(t *testing.T) {
	direct := pgtest.New(t)
	var deaf atomic.Bool
	registrations := postgres.NewRegistrations(open(t, proxy(t, direct, &deaf, func() {})))
	_, err := registrations.Create(t.Context(), accountOf(t, 1)) // prepares the statements, so that the next is all that is sent
	require.NoError(t, err)
	deaf.Store(true)
	id, err := registrations.Create(t.Context(), accountOf(t, 2))
	require.NoError(t, err)
	require.False(t, deaf.Load(), "the answer was lost")
	ids := pgtest.Query[struct{ ID int64 }](t, direct, `select id from users where login = 'user2'`)
	require.Len(t, ids, 1)
	require.Equal(t, ids[0].ID, id)
	_, err = registrations.Create(t.Context(), accountOf(t, 2))
	require.ErrorIs(t, err, ports.ErrTaken)
}

// A registration that the database undoes for the sake of others is run again.
func TestRegistrationRunsAgain(t *testing.T) {
	for _, c := range []struct {
		state    string
		failures int
		want     error
	}{
		{"40P01", 3, nil},
		{"40001", 3, nil},
		{"40P01", 100, ports.ErrUnavailable},
		{"53100", 1, ports.ErrUnavailable},
	} {
		t.Run(c.state, func(t *testing.T) {
			url := pgtest.New(t)
			for _, sql := range []string{
				`create sequence runs`, // which a rollback does not take back
				`create function fail() returns trigger language plpgsql as $$ begin
					if nextval('runs') <= tg_argv[1]::int then raise 'failure' using errcode = tg_argv[0]; end if;
					return new; end $$`,
			} {
				pgtest.Query[struct{}](t, url, sql)
			}
			pgtest.Query[struct{}](t, url, fmt.Sprintf(
				`create trigger fail before insert on profiles for each row execute function fail('%s', '%d')`, c.state, c.failures))
			_, err := postgres.NewRegistrations(open(t, url)).Create(t.Context(), accountOf(t, 1))
			require.ErrorIs(t, err, c.want)
			if c.want == nil {
				require.Len(t, accounts(t, url), 1)
				return
			}
			require.Empty(t, pgtest.Query[struct{ ID int64 }](t, url, `select id from users`))
		})
	}
}

// The tables allow a user without a profile.
func TestUserWithoutProfile(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewAccounts(open(t, url))
	pgtest.Query[struct{}](t, url, `insert into users (id, login, login_key, password_hash, phone) values (7, 'A', 'a', 'x', '79')`)
	found, err := store.Find(t.Context(), domain.Identity{Login: "a"})
	require.NoError(t, err)
	user, err := store.User(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, user, found)
	require.Equal(t, "A", user.Login)
	require.Empty(t, user.FirstName)
}

// What is asked for about people does not stay in the server's memory.
func TestNoPersonalStatementIsPrepared(t *testing.T) {
	db := open(t, pgtest.New(t)+"&pool_max_conns=1")
	store := postgres.NewAccounts(db)
	_, err := store.Find(t.Context(), domain.Identity{Login: "secret"})
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.ErrorIs(t, store.SetPassword(t.Context(), 1, "secret", domain.StoredPassword{Hash: "secret"}), ports.ErrChanged)
	var prepared int
	err = db.Pool().QueryRow(t.Context(), `select count(*) from pg_prepared_statements where statement ~ 'secr[e]t'`).Scan(&prepared)
	require.NoError(t, err)
	require.Zero(t, prepared)
}

// Whatever time zone and style of dates the database has, times are the same.
func TestTimesAreInUTC(t *testing.T) {
	url := pgtest.New(t)
	pgtest.Query[struct{}](t, url, `do $$ begin
		execute format('alter database %I set timezone to ''Asia/Kolkata''', current_database());
		execute format('alter database %I set datestyle to ''German''', current_database()); end $$`)
	db := open(t, url)
	id, err := postgres.NewRegistrations(db).Create(t.Context(), accountOf(t, 1))
	require.NoError(t, err)
	store := postgres.NewAccounts(db)
	made := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	require.NoError(t, store.SetPassword(t.Context(), id, "x", domain.StoredPassword{Hash: "y", Made: made}))
	user, err := store.User(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, made, user.Password.Made)
	require.WithinDuration(t, time.Now(), user.Registered, time.Minute)
	require.Equal(t, time.UTC, user.Registered.Location())
	require.Equal(t, "2000-02-29", user.Birthday.Time().Format(time.DateOnly))
}

// A role is of an account, and not of whoever has its login later.
func TestRolesEndWithTheAccount(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	registrations, roles, account := postgres.NewRegistrations(db), postgres.NewRoles(db), accountOf(t, 1)
	_, err := registrations.Create(t.Context(), account)
	require.NoError(t, err)
	require.NoError(t, roles.Grant(t.Context(), account.Registration.Login, domain.RoleOperator))
	pgtest.Query[struct{}](t, url, `delete from users`)
	id, err := registrations.Create(t.Context(), account)
	require.NoError(t, err)
	user, err := postgres.NewAccounts(db).User(t.Context(), id)
	require.NoError(t, err)
	require.False(t, user.Has(domain.RoleOperator))
	require.Empty(t, pgtest.Query[struct{ Role string }](t, url, `select role from roles`))
}

// Passwords from before are taken for unused, and the program of before goes on beside this one.
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
