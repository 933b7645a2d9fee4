package application_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

func TestRolesAreGrantedByLogin(t *testing.T) {
	p := newPeople()
	users := application.NewAdministerUsers(fake.Roles{Store: p.store})
	user, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("Anna"), Password: chosen})
	require.NoError(t, err)
	require.NoError(t, users.Grant(t.Context(), "aNNA", domain.RoleOperator))
	signedIn, err := p.auth.User(t.Context(), user.ID, user.Password.Made)
	require.NoError(t, err)
	require.True(t, signedIn.Has(domain.RoleOperator))
	for listed, err := range users.Users(t.Context(), domain.RoleOperator) {
		require.NoError(t, err)
		require.Equal(t, ports.UserRoles{Login: "Anna", Roles: []domain.Role{domain.RoleOperator}}, listed)
	}
	require.ErrorIs(t, users.Revoke(t.Context(), "anna", domain.RoleOperator), domain.ErrLastOperator)
	_, err = p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("vera"), Password: chosen})
	require.NoError(t, err)
	require.NoError(t, users.Grant(t.Context(), "vera", domain.RoleOperator))
	require.NoError(t, users.Revoke(t.Context(), "anna", domain.RoleOperator))
	signedIn, err = p.auth.User(t.Context(), user.ID, user.Password.Made)
	require.NoError(t, err)
	require.False(t, signedIn.Has(domain.RoleOperator))

	for _, login := range []string{"boris", "", "two words", "a\x00b", "Anna@example.com"} {
		require.ErrorIs(t, users.Grant(t.Context(), login, domain.RoleOperator), ports.ErrNotFound, login)
		require.ErrorIs(t, users.Revoke(t.Context(), login, domain.RoleOperator), ports.ErrNotFound, login)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, users.Grant(ended, "anna", domain.RoleOperator), context.Canceled)
	require.ErrorIs(t, users.Revoke(ended, "anna", domain.RoleOperator), context.Canceled)
}
