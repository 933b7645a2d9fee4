package acceptance_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// user runs a command about users, over the program's database.
func (p *program) user(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return command(t, "", append([]string{"user", "--data-dir", t.TempDir(), "--database-url", p.database}, args...)...)
}

func TestUsersAndTheirRoles(t *testing.T) {
	p := start(t)
	for _, login := range []string{"vera", "Boris", "Яна"} {
		p.generated(t, login)
	}
	for _, c := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{[]string{"list"}, 0, "Boris\t\nvera\t\nЯна\t\n", ""},
		{[]string{"grant", "bORIS", "operator"}, 0, "", ""},
		{[]string{"grant", "яна", "operator"}, 0, "", ""},
		{[]string{"grant", "яна", "operator"}, 0, "", ""},
		{[]string{"list", "--role", "operator"}, 0, "Boris\toperator\nЯна\toperator\n", ""},
		{[]string{"revoke", "ЯНА", "operator"}, 0, "", ""},
		{[]string{"revoke", "яна", "operator"}, 0, "", ""},
		{[]string{"list"}, 0, "Boris\toperator\nvera\t\nЯна\t\n", ""},
		{[]string{"grant", "anna", "operator"}, 1, "", "rollcall: no user has the login \"anna\"\n"},
		{[]string{"revoke", "two words", "operator"}, 1, "", "rollcall: no user has the login \"two words\"\n"},
		{[]string{"list", "--database-url", "postgres://127.0.0.1:1/x"}, 1, "", "rollcall: migrate: "},
	} {
		status, stdout, stderr := p.user(t, c.args...)
		require.Equal(t, c.status, status, c.args)
		require.Equal(t, c.stdout, stdout, c.args)
		require.Contains(t, stderr, c.stderr, c.args)
	}
	for _, args := range [][]string{{"grant", "vera"}, {"grant", "vera", "king"}, {"list", "--role", "king"}, {}} {
		status, _, stderr := p.user(t, args...)
		require.NotZero(t, status, args)
		require.Contains(t, stderr, "rollcall: error: ", args)
	}
}
