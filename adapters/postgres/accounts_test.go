package postgres_test

import (
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
		Roles: postgres.NewRoles(db), Directory: postgres.NewDirectory(db), Sessions: postgres.NewSessions(db), Users: postgres.NewUsers(db),
		SaveSession: func(t *testing.T, key string, lifetime time.Duration) {
			t.Helper()
			_, err := db.Pool().Exec(t.Context(), "insert into sessions (k, v, e) values ($1, 'x', $2)", key, time.Now().Add(lifetime).Unix())
			require.NoError(t, err)
		},
	}
}

func TestAccounts(t *testing.T) { contract.Accounts(t, accountStores) }

func TestUsers(t *testing.T) { contract.Users(t, accountStores) }

func TestUsersOfLargeDirectory(t *testing.T) {
	contract.Users(t, func(t *testing.T) contract.AccountsSubject {
		t.Helper()
		db := open(t, pgtest.New(t))
		stores := accountStoresOf(db)
		stores.Users = postgres.NewUsersOfLarge(db)
		return stores
	})
}

func TestDirectory(t *testing.T) { contract.Directory(t, accountStores) }

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

// Personal data does not stay in the server's memory as part of prepared statements.
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
