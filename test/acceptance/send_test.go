package acceptance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

func TestSend(t *testing.T) {
	p := start(t)
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	good := write("good.json", `[`+person("anna", `"phone":"9000000001"`)+`,`+person("boris", `"phone":"9000000002"`)+`]`)
	bad := write("bad.json", `[`+person("Anna", `"email":"x"`)+`,7]`)
	cut := write("cut.json", `[{`)

	status, stdout, stderr := command(t, "", "send", "--server", p.url, good)
	require.Zero(t, status)
	require.Regexp(t, `^\S+good.json: 200 OK\n  anna +\S{27}\n  boris +\S{27}\n  registered 2 of 2 records, rejected 0 \(import \d+\)\n$`, stdout)
	require.Empty(t, stderr)

	status, stdout, stderr = command(t, "", "send", "--server", p.url+"/", bad, cut, filepath.Join(dir, "none.json"))
	require.Equal(t, 1, status)
	require.Regexp(t, `^\Q`+bad+`: 400 Bad Request
  record 1 (Anna): Login belongs to another user. Email is not a valid address: give one address, such as anna@example.com.
  record 2: This is not a JSON object.
  registered 0 of 2 records, rejected 2 (import \E\d+\Q)
`+cut+`: 400 Bad Request
  The file cannot be read at byte 2, in record 1: unexpected end of file.
\E$`, stdout)
	require.Contains(t, stderr, "none.json: no such file")

	status, stdout, _ = command(t, person("vera", `"phone":"9000000003"`), "send", "--server", p.url, bad, "-")
	require.Equal(t, 1, status, "one of the files registered no one")
	require.Regexp(t, `(?m)^-: 200 OK\n  vera +\S{27}$`, stdout)

	status, _, stderr = command(t, "{}", "send", "--retry-for", "0", "--server", "http://127.0.0.1:1", "-")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "connection refused")

	status, stdout, _ = command(t, "{}", "send", "--server", p.url+"/elsewhere", "-")
	require.Equal(t, 1, status)
	require.Contains(t, stdout, "404 Not Found")
}

// Sheets and the order of dates are chosen by flags.
func TestSendChoices(t *testing.T) {
	p := start(t)
	school, dates := filepath.Join("testdata/cases", "E03-sheet-per-class/people.xlsx"), filepath.Join("testdata/cases", "month-first/people.csv")
	send := func(args ...string) (int, string) {
		status, stdout, stderr := command(t, "", append([]string{"send", "--dry-run", "--server", p.url}, args...)...)
		require.Empty(t, stderr)
		return status, stdout
	}
	status, stdout := send("--sheet", "5Б", "--sheet=5А", school)
	require.Zero(t, status)
	require.Regexp(t, `(?s)e03b .*e03a .*would register 2 of 2 records`, stdout)
	status, stdout = send("--sheet", "5А, 5Б", school)
	require.Equal(t, 1, status, "a name may have commas")
	require.Contains(t, stdout, `It has no sheet "5А, 5Б"; its sheets are "5А", "5Б".`)
	status, stdout = send("--dates", "mdy", dates)
	require.Zero(t, status)
	require.Contains(t, stdout, "would register 7 of 8 records")
}

// The server accepts every format. A file sent twice registers no one twice.
func TestSendAndServer(t *testing.T) {
	p := start(t)
	dir := t.TempDir()
	csv := fileOf(t, "one.csv", "last_name,first_name,patronymic,login,phone\nIvanova,Anna,P,anna,9000000001\n")
	ndjson := fileOf(t, "two.ndjson", person("boris", `"phone":"9000000002"`)+"\n"+person("vera", `"phone":"9000000003"`)+"\n")
	packed := visitor.Gzip(t, person("gleb", `"phone":"9000000004"`))
	files := []string{csv, ndjson, fileOf(t, "three.json.gz", packed)}

	status, stdout, stderr := command(t, "", append([]string{"send", "--server", p.url, "--dry-run"}, files...)...)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "  would register 2 of 2 records, reject 0\n")
	require.Zero(t, p.count(t, "users"))

	first := map[string]string{}
	for range 2 {
		status, _, stderr = command(t, "", append([]string{"send", "--server", p.url, "--out", dir, "--force"}, files...)...)
		require.Zero(t, status, stderr)
		require.Equal(t, len(first), strings.Count(stderr, "already imported"), stderr)
		for _, name := range []string{"one.csv", "two.csv", "three.csv"} {
			content, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			if before, again := first[name]; again {
				require.Equal(t, before, string(content), "the result is the same, with its passwords")
			}
			first[name] = string(content)
		}
	}
	require.Equal(t, 4, p.count(t, "users"))

	taken := fileOf(t, "four.json", `[`+person("anna", `"phone":"9000000005"`)+`,`+person("dina", `"phone":"9000000006"`)+`]`)
	status, stdout, _ = command(t, "", "send", "--server", p.url, "--strict", taken)
	require.Equal(t, 1, status)
	require.Contains(t, stdout, "  registered 0 of 2 records, rejected 1, skipped 1 (import ")
	status, stdout, _ = command(t, "", "send", "--server", p.url, taken)
	require.Zero(t, status, "a different request has a different key")
	require.Contains(t, stdout, "  registered 1 of 2 records, rejected 1 (import ")
	status, _, stderr = command(t, "", "send", "--server", p.url, "--key", "once-more", taken)
	require.Equal(t, 1, status, "imported again; both logins are taken by now")
	require.NotContains(t, stderr, "already imported")
}

// The key of an import is derived from a secret that only the user can read.
func TestUserSecretOfSend(t *testing.T) {
	p := start(t)
	file := fileOf(t, "people.json", person("anna", `"phone":"9000000001"`))
	send := func(args ...string) (status int, stderr string) {
		status, _, stderr = command(t, "", append([]string{"send", "--server", p.url, file}, args...)...)
		return status, stderr
	}
	config := filepath.Join(t.TempDir(), "of a user")
	t.Setenv("XDG_CONFIG_HOME", config)
	status, stderr := send()
	require.Zero(t, status, stderr)
	for _, name := range []string{"rollcall", "rollcall/secret.key"} {
		info, err := os.Stat(filepath.Join(config, name))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is for its owner only", name)
	}
	status, stderr = send()
	require.Zero(t, status)
	require.Contains(t, stderr, "already imported")

	t.Setenv("XDG_CONFIG_HOME", filepath.Join(t.TempDir(), "of another user"))
	status, stderr = send()
	require.Equal(t, 1, status, "another user does not get the passwords")
	require.NotContains(t, stderr, "already imported")

	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	status, stderr = send()
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "no configuration folder for the user's secret")
	_, stderr = send("--key", "mine")
	require.Empty(t, stderr)
}

// fileOf writes a file to be sent, and returns its path.
func fileOf(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
