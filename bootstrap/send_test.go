package bootstrap_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	assert.Zero(t, status)
	assert.Regexp(t, `^\S+good.json: 200 OK\n  anna +\S{27}\n  boris +\S{27}\n  registered 2 of 2 objects, refused 0 \(import \d+\)\n$`, stdout)
	assert.Empty(t, stderr)

	status, stdout, stderr = command(t, "", "send", "--server", p.url+"/", bad, cut, filepath.Join(dir, "none.json"))
	assert.Equal(t, 1, status)
	assert.Regexp(t, `^\Q`+bad+`: 400 Bad Request
  object 1 (Anna): Login belongs to another user. E-mail is not a valid address.
  object 2: This is not a JSON object.
  registered 0 of 2 objects, refused 2 (import \E\d+\Q)
`+cut+`: 400 Bad Request
  Bad request! JSON file is empty or broken at byte 2, in object 1: the file is cut short.
\E$`, stdout)
	assert.Contains(t, stderr, "none.json: no such file")

	status, stdout, _ = command(t, person("vera", `"phone":"9000000003"`), "send", "--server", p.url, bad, "-")
	assert.Equal(t, 1, status, "one of the files registered nobody")
	assert.Regexp(t, `(?m)^-: 200 OK\n  vera +\S{27}$`, stdout)

	status, _, stderr = command(t, "{}", "send", "--retry-for", "0", "--server", "http://127.0.0.1:1", "-")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "connection refused")

	status, stdout, _ = command(t, "{}", "send", "--server", p.url+"/elsewhere", "-")
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "404 Not Found")
}
