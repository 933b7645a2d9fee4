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

func TestRegistrations(t *testing.T) { contract.Registrations(t, accountStores) }

func accountOf(t *testing.T, number int) domain.Account {
	t.Helper()
	return domain.Account{Registration: contract.Record(t, number).Registration, PasswordHash: "x"}
}

// A registration gives way to a running import. The import does not notice, not even if it needs a login that the registration holds.
func TestRegistrationGivesWayToImport(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	registrations := postgres.NewRegistrations(db)
	runs := 0
	_, err := postgres.NewImports(db, time.Now).Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		runs++
		first, second := accountOf(t, 1), accountOf(t, 2)
		require.NoError(t, add(ctx, t, tx, first))

		person := second // holds the login that the import needs next, and waits for the import's phone
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
	require.Len(t, storedAccounts(t, url), 2)
	_, err = registrations.Create(t.Context(), accountOf(t, 1))
	require.ErrorIs(t, err, ports.ErrTaken)
}

func add(ctx context.Context, t *testing.T, tx ports.ImportTx, account domain.Account) error {
	t.Helper()
	_, err := tx.Taken(ctx, []domain.Record{{Registration: account.Registration}})
	require.NoError(t, err)
	return tx.Add(ctx, []domain.Account{account}, nil)
}

// If the answer to a registration is lost, the account is neither reported as taken nor created twice.
func TestLostRegistration(t *testing.T) {
	direct := pgtest.New(t)
	var deaf atomic.Bool
	registrations := postgres.NewRegistrations(open(t, proxy(t, direct, &deaf, func() {})))
	_, err := registrations.Create(t.Context(), accountOf(t, 1)) // prepares the statements, so that the next call sends nothing else
	require.NoError(t, err)
	deaf.Store(true)
	id, err := registrations.Create(t.Context(), accountOf(t, 2))
	require.NoError(t, err)
	require.False(t, deaf.Load(), "the proxy did not drop the answer")
	ids := pgtest.Query[struct{ ID int64 }](t, direct, `select id from users where login = 'user2'`)
	require.Len(t, ids, 1)
	require.Equal(t, ids[0].ID, id)
	_, err = registrations.Create(t.Context(), accountOf(t, 2))
	require.ErrorIs(t, err, ports.ErrTaken)
}

// A registration that the database undoes because of another transaction runs again.
func TestRegistrationRunsAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		state    string
		failures int
		want     error
	}{
		{"deadlocks", "40P01", 3, nil},
		{"serialization failures", "40001", 3, nil},
		{"too many deadlocks", "40P01", 100, ports.ErrUnavailable},
		{"full disk", "53100", 1, ports.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := pgtest.New(t)
			for _, sql := range []string{
				`create sequence runs`, // a rollback does not undo it
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
				require.Len(t, storedAccounts(t, url), 1)
				return
			}
			require.Empty(t, pgtest.Query[struct{ ID int64 }](t, url, `select id from users`))
		})
	}
}
