package acceptance_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// secretFile creates a file with a secret.
func secretFile(t *testing.T, secret string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(secret+"\n"), 0o600))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

// A flag, a variable and a file set the same secret key. The log warns if other users can read it.
func TestSecretKey(t *testing.T) {
	secret := hex.EncodeToString([]byte("the secret key of all instances!"))
	first := start(t, "--secret-key", secret)
	want := first.post(t, annaOnly(), "Idempotency-Key", "key").body
	require.Contains(t, want, "password")
	require.Contains(t, first.logged(), `level=WARN msg="other users of this machine can read a secret in the command line`)
	require.Contains(t, first.logged(), "flag=--secret-key variable=ROLLCALL_SECRET_KEY file=--secret-key-file")
	require.NotContains(t, first.logged(), secret)

	for _, test := range []struct{ variable, value string }{
		{"ROLLCALL_SECRET_KEY", secret},
		{"ROLLCALL_SECRET_KEY_FILE", secretFile(t, secret, 0o400)},
	} {
		t.Run(test.variable, func(t *testing.T) {
			t.Setenv(test.variable, test.value)
			p := &program{}
			p.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(), "--database-url", first.database)
			require.Equal(t, want, p.post(t, annaOnly(), "Idempotency-Key", "key").body)
			require.NotContains(t, p.logged(), "other users of this machine")
		})
	}
}

func TestSecretKeyIsNotShown(t *testing.T) {
	const wrong = "not a key, but still a secret"
	t.Setenv("ROLLCALL_SECRET_KEY", wrong)
	status, stdout, stderr := command(t, "", "serve", "--data-dir", t.TempDir())
	require.NotZero(t, status)
	require.Contains(t, stderr, "invalid secret key: expected 32 or more bytes")
	require.NotContains(t, stdout+stderr, wrong)
}

func TestDatabaseURLFromFile(t *testing.T) {
	file, shared := secretFile(t, pgtest.New(t), 0o600), secretFile(t, pgtest.New(t), 0o644)
	status, _, stderr := command(t, "", "migrate", "--database-url-file", file, "--data-dir", t.TempDir())
	require.Zero(t, status, stderr)
	require.Empty(t, stderr)
	t.Setenv("DATABASE_URL_FILE", shared)
	status, _, stderr = command(t, "", "user", "list", "--data-dir", t.TempDir())
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, `level=WARN msg="other users of this machine can read a file with a secret; restrict it with chmod 600" `+
		`flag=--database-url-file file=`+shared+` mode=-rw-r--r--`)
}

func TestExposedDatabasePassword(t *testing.T) {
	for _, test := range []struct {
		url     string
		exposed bool
	}{
		{"postgres://rollcall:hush@127.0.0.1:1/x", true},
		{"postgres://rollcall@127.0.0.1:1/x?password=hush", true},
		{"host=127.0.0.1 port=1 password=hush", true},
		{"postgres://rollcall@127.0.0.1:1/x", false},
		{"host=127.0.0.1 port=1 user=rollcall", false},
	} {
		t.Run(test.url, func(t *testing.T) {
			status, _, stderr := command(t, "", "migrate", "--log-format", "json", "--database-url", test.url, "--data-dir", t.TempDir())
			require.Equal(t, 1, status)
			require.Equal(t, test.exposed, strings.Contains(stderr, `"level":"WARN","msg":"other users of this machine can read a secret`))
			require.NotContains(t, stderr, "hush")
		})
	}
}

func TestInvalidSecretFiles(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	key, url := strings.Repeat("0", 64), "postgres://127.0.0.1:1/x"
	for _, test := range []struct {
		name string
		args []string
	}{
		{"missing key", []string{"serve", "--secret-key-file", none}},
		{"empty key", []string{"serve", "--secret-key-file", secretFile(t, " ", 0o600)}},
		{"short key", []string{"serve", "--secret-key-file", secretFile(t, "short", 0o600)}},
		{"key twice", []string{"serve", "--secret-key", key, "--secret-key-file", secretFile(t, key, 0o600)}},
		{"URL twice", []string{"migrate", "--database-url", url, "--database-url-file", secretFile(t, url, 0o600)}},
		{"missing URL of tokens", []string{"token", "list", "--database-url-file", none}},
		{"missing URL of users", []string{"user", "list", "--database-url-file", none}},
		{"missing token", []string{"send", "--token-file", none, "-"}},
		{"token twice", []string{"send", "--token", "t", "--token-file", secretFile(t, "t", 0o600), "-"}},
		{"token over plain HTTP", []string{"send", "--server", "http://example.com", "--token-file", secretFile(t, "t", 0o600), "-"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, stderr := command(t, "", test.args...)
			require.Equal(t, 2, status)
			require.Contains(t, stderr, "rollcall: error: ")
		})
	}
}
