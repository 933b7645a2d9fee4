package acceptance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// user runs a subcommand of 'rollcall user' with the program's database.
func (p *program) user(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return command(t, "", append([]string{"user", "--data-dir", t.TempDir(), "--database-url", p.database}, args...)...)
}

func TestRoles(t *testing.T) {
	p := start(t)
	for _, login := range []string{"vera", "Boris", "Яна"} {
		p.temporaryPassword(t, login)
	}
	for _, test := range []struct {
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
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			status, stdout, stderr := p.user(t, test.args...)
			require.Equal(t, test.status, status)
			require.Equal(t, test.stdout, stdout)
			require.Contains(t, stderr, test.stderr)
		})
	}
	for _, args := range []string{"", "grant vera", "grant vera king", "list --role king"} {
		t.Run("invalid: "+args, func(t *testing.T) {
			status, _, stderr := p.user(t, strings.Fields(args)...)
			require.Equal(t, 2, status)
			require.Contains(t, stderr, "rollcall: error: ")
		})
	}
}
