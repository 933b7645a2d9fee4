package application_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

func TestChangePassword(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	change := func(old, chosen string) (*domain.User, error) {
		return p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: anna.ID, Made: anna.Password.Made, Old: old, New: chosen})
	}
	for _, c := range []struct {
		name, old, chosen string
		want              domain.Violations
	}{
		{"NothingEntered", "", "", domain.Violations{{Field: domain.FieldOldPassword, Code: domain.CodeRequired}, {Field: domain.FieldPassword, Code: domain.CodeRequired}}},
		{"WrongOldPassword", "wrong", "anna1234", domain.Violations{{Field: domain.FieldOldPassword, Code: domain.CodeWrong}, {Field: domain.FieldPassword, Code: domain.CodeHoldsLogin}}},
		{"SamePassword", chosen, chosen, domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeSame}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := change(c.old, c.chosen)
			require.Equal(t, c.want, violationsOf(t, err))
		})
	}
	changed, err := change(chosen, "a fine new password")
	require.NoError(t, err)
	require.True(t, changed.Password.Made.After(anna.Password.Made), "sessions distinguish passwords made at the same time")
	_, err = p.auth.User(t.Context(), anna.ID, anna.Password.Made)
	require.ErrorIs(t, err, domain.ErrSignedOut)
	_, err = p.auth.User(t.Context(), anna.ID, changed.Password.Made)
	require.NoError(t, err)
	_, err = change("a fine new password", "and another one of mine")
	require.ErrorIs(t, err, domain.ErrSignedOut, "the session is over")
	_, err = p.auth.User(t.Context(), 4711, anna.Password.Made)
	require.ErrorIs(t, err, domain.ErrSignedOut)
}

// A change that is sent twice changes the password once.
func TestChangePasswordAgain(t *testing.T) {
	p := newPeople()
	user := p.anna(t)
	change := func(old, chosen string) (*domain.User, error) {
		return p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: old, New: chosen})
	}
	const other = "a fine new password"
	changed, err := change(chosen, other)
	require.NoError(t, err)
	user = changed
	p.now = changed.Password.Made
	again, err := change(chosen, other)
	require.NoError(t, err)
	require.Equal(t, changed, again)
	wrong := domain.Violations{{Field: domain.FieldOldPassword, Code: domain.CodeWrong}}
	_, err = change(chosen, "a guess at the new one")
	require.Equal(t, wrong, violationsOf(t, err))
	p.now = p.now.Add(time.Minute)
	_, err = change(chosen, other)
	require.Equal(t, wrong, violationsOf(t, err), "later, it is a guess at the new password")
}

// A temporary password does not become a chosen one, in any spelling.
func TestTemporaryPasswordIsNotChosen(t *testing.T) {
	p := newPeople()
	password := p.importBoris(t)
	user, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: "boris", Password: password})
	require.NoError(t, err)
	for _, spelling := range []string{password, strings.ToUpper(password), strings.ReplaceAll(password, "-", "")} {
		t.Run(spelling, func(t *testing.T) {
			_, err := p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: password, New: spelling})
			require.Equal(t, domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeSame}}, violationsOf(t, err))
		})
	}
}
