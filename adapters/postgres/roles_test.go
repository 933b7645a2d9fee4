package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

func TestRoles(t *testing.T) { contract.Roles(t, accountStores) }

// A role belongs to an account. A later account with the same login does not have it.
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
