package bootstrap_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file is sent as it is, with what its name or --type says of it.
func TestSendFormats(t *testing.T) {
	const workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	for _, test := range []struct{ name, said, mediaType, encoding string }{
		{"people.json", "", "application/json", ""},
		{"people.ndjson", "", "application/x-ndjson", ""},
		{"people.jsonl", "", "application/x-ndjson", ""},
		{"people.csv", "", "text/csv", ""},
		{"PEOPLE.XLSX", "", workbook, ""},
		{"people.txt", "", "application/octet-stream", ""},
		{"people", "", "application/octet-stream", ""},
		{"people.json.gz", "", "application/json", "gzip"},
		{"people.CSV.ZST", "", "text/csv", "zstd"},
		{"people.gz", "", "application/octet-stream", "gzip"},
		{"people.txt", "csv", "text/csv", ""},
		{"people.gz", "json", "application/json", ""},
		{"people", "ndjson.zst", "application/x-ndjson", "zstd"},
		{"people.csv.gz", "text/csv; charset=windows-1251", "text/csv; charset=windows-1251", "gzip"},
		{"-", "", "application/octet-stream", ""},
		{"-", "xlsx", workbook, ""},
	} {
		t.Run(test.name+" "+test.said, func(t *testing.T) {
			const content = "\x1f\x8bbytes, whatever they are"
			s := script(t, inLines(200, wholeAnswer))
			args := []string{test.name}
			if test.name != "-" {
				args[0] = fileOf(t, test.name, content)
			}
			if test.said != "" {
				args = append(args, "--type", test.said)
			}
			got := s.send(t, content, args...)
			require.NoError(t, got.err, got.stderr)
			require.Empty(t, got.stderr)
			header := s.requests[0].Header
			require.Equal(t, test.mediaType, header.Get("Content-Type"))
			require.Equal(t, test.encoding, header.Get("Content-Encoding"))
			require.Equal(t, "application/x-ndjson, application/problem+json;q=0.9, application/json;q=0.5", header.Get("Accept"))
			require.Equal(t, content, string(s.bodies[0]))
			require.Equal(t, int64(len(content)), s.requests[0].ContentLength)
		})
	}
}

// What can be read only once is sent again all the same.
func TestSendPipesAgain(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 1<<17) // more than is kept in memory
	s := script(t, hungUp(1<<20), inLines(200, wholeAnswer), hungUp(1<<20), inLines(200, wholeAnswer))
	got := s.send(t, content, "-")
	require.NoError(t, got.err, got.stderr)
	require.Equal(t, content, string(s.bodies[1]))

	pipe := filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	go func() { _ = os.WriteFile(pipe, []byte(content), 0) }()
	got = s.send(t, "", pipe)
	require.NoError(t, got.err, got.stderr)
	require.Equal(t, content, string(s.bodies[3]))
	require.Equal(t, "text/csv", s.requests[3].Header.Get("Content-Type"))
}

// The same key comes for the same, another for what is another request.
func TestSendMakesKeys(t *testing.T) {
	steps := make([]step, 13)
	for i := range steps {
		steps[i] = inLines(200, wholeAnswer)
	}
	s := script(t, steps...)
	key := func(content string, args ...string) string {
		got := s.send(t, content, append(args, "-")...)
		require.NoError(t, got.err, got.stderr)
		return s.requests[len(s.requests)-1].Header.Get("Idempotency-Key")
	}
	first := key("[1]")
	require.Regexp(t, "^[!-~]{32,255}$", first)
	require.Equal(t, first, key("[1]"))
	require.Equal(t, first, key("[1]", "--retry-for", "1h", "--out", filepath.Join(t.TempDir(), "out")), "the request is the same")
	require.Equal(t, first, key("[1]", "--server", s.url+"/"), "and so is the address")
	require.Equal(t, "mine", key("[1]", "--key", "mine"))
	others := map[string]bool{
		first: true, key("[2]"): true, key("[1]", "--strict"): true, key("[1]", "--type", "csv"): true, key("[1]", "--server", s.url+"/x"): true,
	}
	require.Len(t, others, 5, "each is another")

	config := filepath.Join(t.TempDir(), "of another user")
	t.Setenv("XDG_CONFIG_HOME", config)
	another := key("[1]")
	require.NotEqual(t, first, another, "who has the file has not its answer")
	require.Equal(t, another, key("[1]"))
	for _, path := range []string{filepath.Join(config, "rollcall"), filepath.Join(config, "rollcall", "secret.key")} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "only its owner reads %s", path)
	}

	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	got := s.send(t, "[1]", "-")
	require.Error(t, got.err)
	require.Contains(t, got.stderr, "give any --key")
	require.Equal(t, "mine", key("[1]", "--key", "mine"))
}

func TestSendAsksForAsMuch(t *testing.T) {
	dry := strings.ReplaceAll(strings.ReplaceAll(annaLine+borisLine, `,"password":"abcdef-ghijkm"`, ""), `,"password":"npqrst-uvwxyz"`, "") + refusedLine
	s := script(t,
		inLines(200, wholeAnswer),
		inLines(200, dry+strings.Replace(doneLine, `"import":12,`, "", 1)),
		inLines(400, `{"object_id":1,"status":"skipped","login":"anna"}`+"\n"+refusedLine+`{"status":"done","import":13,"code":400,"objects":2,"created":0,"rejected":1}`),
	)
	got := s.send(t, "[]", "-")
	require.NoError(t, got.err)
	require.Empty(t, s.requests[0].URL.RawQuery)
	require.Empty(t, s.requests[0].Header.Get("Prefer"))
	require.Equal(t, http.MethodPost+" /useradd", s.requests[0].Method+" "+s.requests[0].URL.Path)

	got = s.send(t, "[]", "--dry-run", "--key", "mine", "-")
	require.NoError(t, got.err)
	require.Equal(t, "dry_run=true", s.requests[1].URL.RawQuery)
	require.NotContains(t, s.requests[1].Header, "Idempotency-Key")
	require.Equal(t, `-: 200 OK
  anna                           would be registered
  boris                          would be registered
  object 3: Login is required. Email is not a valid address.
  would register 2 of 3 objects, refuse 1
`, got.stdout)

	got = s.send(t, "[]", "--strict", "-")
	require.Error(t, got.err, "nobody was registered")
	require.Equal(t, "handling=strict", s.requests[2].Header.Get("Prefer"))
	require.Equal(t, `-: 400 Bad Request
  object 3: Login is required. Email is not a valid address.
  registered 0 of 2 objects, refused 1, skipped 1 (import 13)
`, got.stdout)
}
