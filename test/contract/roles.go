package contract

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Roles proves a ports.RoleStore.
func Roles(t *testing.T, subject func(*testing.T) AccountsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, AccountsSubject)
	}{
		{"GrantsAndRevokes", grantsAndRevokes},
		{"GrantsOnce", grantsOnce},
		{"KeepsTheLastOperator", keepsLastOperator},
		{"FindsNoUnknownLogin", findsNoUnknownLogin},
		{"ListsUsers", listsUsers},
		{"CopiesTheCallersMemory", rolesCopyMemory},
		{"StopsWithItsContext", rolesStopWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// otherRole is a role that stores do not know.
const otherRole domain.Role = "other"

func login(t *testing.T, text string) domain.Login {
	t.Helper()
	login, violations := domain.NewLogin(text)
	require.Nil(t, violations)
	return login
}

func listed(t *testing.T, s AccountsSubject, role domain.Role) []ports.UserRoles {
	t.Helper()
	var all []ports.UserRoles
	for user, err := range s.Roles.List(t.Context(), role) {
		require.NoError(t, err)
		all = append(all, ports.UserRoles{Login: user.Login, Roles: append([]domain.Role(nil), user.Roles...)})
	}
	return all
}

func roles(t *testing.T, s AccountsSubject, id int64) []domain.Role {
	t.Helper()
	user, err := s.Accounts.User(t.Context(), id)
	require.NoError(t, err)
	found, err := s.Accounts.Find(t.Context(), domain.NewIdentity(user.Login, "RU"))
	require.NoError(t, err)
	require.Equal(t, found.Roles, user.Roles)
	return user.Roles
}

func grantsAndRevokes(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	anna, boris := create(t, s, record(t, 1, "Anna", "a@example.com", "")), create(t, s, record(t, 2, "Борис", "b@example.com", ""))
	require.Nil(t, anna.Roles)
	require.NoError(t, s.Roles.Grant(ctx, login(t, "aNNA"), domain.RoleOperator))
	require.NoError(t, s.Roles.Grant(ctx, login(t, "БОРИС"), otherRole))
	require.NoError(t, s.Roles.Grant(ctx, login(t, "борис"), domain.RoleOperator))
	require.Equal(t, []domain.Role{domain.RoleOperator}, roles(t, s, anna.ID))
	require.Equal(t, []domain.Role{domain.RoleOperator, otherRole}, roles(t, s, boris.ID))

	require.NoError(t, s.Roles.Revoke(ctx, login(t, "борис"), domain.RoleOperator))
	require.NoError(t, s.Roles.Revoke(ctx, login(t, "anna"), otherRole), "the user does not have the role")
	require.Equal(t, []domain.Role{domain.RoleOperator}, roles(t, s, anna.ID))
	require.Equal(t, []domain.Role{otherRole}, roles(t, s, boris.ID))
	require.NoError(t, s.Roles.Revoke(ctx, login(t, "борис"), otherRole))
	require.Nil(t, roles(t, s, boris.ID))
}

func keepsLastOperator(t *testing.T, s AccountsSubject) {
	names := make([]string, 20)
	for i := range names {
		names[i] = create(t, s, Record(t, i)).Login
		require.NoError(t, s.Roles.Grant(t.Context(), login(t, names[i]), domain.RoleOperator))
	}
	create(t, s, record(t, len(names), "anna", "a@example.com", ""))
	require.NoError(t, s.Roles.Grant(t.Context(), login(t, "anna"), otherRole))
	var all sync.WaitGroup
	var kept atomic.Int32
	for _, name := range names {
		all.Go(func() {
			err := s.Roles.Revoke(t.Context(), login(t, name), domain.RoleOperator)
			if err != nil {
				kept.Add(1)
				require.ErrorIs(t, err, domain.ErrLastOperator)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, kept.Load())
	operators := listed(t, s, domain.RoleOperator)
	require.Len(t, operators, 1)
	require.ErrorIs(t, s.Roles.Revoke(t.Context(), login(t, operators[0].Login), domain.RoleOperator), domain.ErrLastOperator)
	require.NoError(t, s.Roles.Revoke(t.Context(), login(t, "anna"), domain.RoleOperator), "the user does not have the role")
	require.NoError(t, s.Roles.Revoke(t.Context(), login(t, "anna"), otherRole), "the last user with another role can lose it")
}

func grantsOnce(t *testing.T, s AccountsSubject) {
	anna := create(t, s, record(t, 1, "Anna", "a@example.com", ""))
	var all sync.WaitGroup
	key := login(t, "anna")
	for range 20 {
		all.Go(func() { require.NoError(t, s.Roles.Grant(t.Context(), key, domain.RoleOperator)) })
	}
	all.Wait()
	require.Equal(t, []domain.Role{domain.RoleOperator}, roles(t, s, anna.ID))
}

func findsNoUnknownLogin(t *testing.T, s AccountsSubject) {
	create(t, s, record(t, 1, "Anna", "boris@example.com", ""))
	for _, name := range []string{"boris", "boris@example.com", "anna2", "%"} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, s.Roles.Grant(t.Context(), login(t, name), domain.RoleOperator), ports.ErrNotFound)
			require.ErrorIs(t, s.Roles.Revoke(t.Context(), login(t, name), domain.RoleOperator), ports.ErrNotFound)
		})
	}
	require.ErrorIs(t, s.Roles.Grant(t.Context(), domain.Login{}, domain.RoleOperator), ports.ErrNotFound)
	require.Empty(t, listed(t, s, domain.RoleOperator))
}

func listsUsers(t *testing.T, s AccountsSubject) {
	require.Empty(t, listed(t, s, ""))
	for i, name := range []string{"vera", "Boris", "anna", "Яна"} {
		create(t, s, record(t, i, name, name+"@example.com", ""))
	}
	for _, name := range []string{"vera", "boris"} {
		require.NoError(t, s.Roles.Grant(t.Context(), login(t, name), domain.RoleOperator))
	}
	require.NoError(t, s.Roles.Grant(t.Context(), login(t, "anna"), otherRole))
	operator := []domain.Role{domain.RoleOperator}
	boris, vera := ports.UserRoles{Login: "Boris", Roles: operator}, ports.UserRoles{Login: "vera", Roles: operator}
	anna := ports.UserRoles{Login: "anna", Roles: []domain.Role{otherRole}}
	require.Equal(t, []ports.UserRoles{anna, boris, vera, {Login: "Яна"}}, listed(t, s, ""))
	require.Equal(t, []ports.UserRoles{boris, vera}, listed(t, s, domain.RoleOperator))
	require.Empty(t, listed(t, s, "unknown"))
	for range 40 { // an abandoned list returns its connection
		for user, err := range s.Roles.List(t.Context(), "") {
			require.NoError(t, err)
			require.Equal(t, "anna", user.Login)
			break
		}
	}
}

func rolesCopyMemory(t *testing.T, s AccountsSubject) {
	anna := create(t, s, record(t, 1, "Anna", "a@example.com", ""))
	require.NoError(t, s.Roles.Grant(t.Context(), login(t, "anna"), domain.RoleOperator))
	user, err := s.Accounts.User(t.Context(), anna.ID)
	require.NoError(t, err)
	user.Roles[0] = otherRole
	for user := range s.Roles.List(t.Context(), "") {
		user.Roles[0] = otherRole
	}
	require.Equal(t, []domain.Role{domain.RoleOperator}, roles(t, s, anna.ID))
}

func rolesStopWithContext(t *testing.T, s AccountsSubject) {
	anna := create(t, s, record(t, 1, "Anna", "a@example.com", ""))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	errs := []error{
		s.Roles.Grant(ctx, login(t, "anna"), domain.RoleOperator),
		s.Roles.Revoke(ctx, login(t, "anna"), domain.RoleOperator),
	}
	for _, err := range s.Roles.List(ctx, "") {
		errs = append(errs, err)
	}
	require.Len(t, errs, 3)
	for _, err := range errs {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
		require.NotErrorIs(t, err, ports.ErrNotFound)
	}
	require.Nil(t, roles(t, s, anna.ID))
}
