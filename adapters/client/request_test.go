package client_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
	"rollcall/adapters/spool"
)

// The bytes of a file are sent unchanged. Its name or Type sets the Content-Type and Content-Encoding.
func TestFormats(t *testing.T) {
	const workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	for _, test := range []struct{ name, option, mediaType, encoding string }{
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
		t.Run(test.name+" "+test.option, func(t *testing.T) {
			const content = "\x1f\x8bany bytes"
			s := script(t, respondsLines(200, allLines))
			name := test.name
			if name != "-" {
				name = fileOf(t, name, content)
			}
			got := s.send(t, content, client.Options{Files: []string{name}, Type: test.option})
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

// A file that cannot be read is named once, with the reason.
func TestFilesThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	missing := filepath.Join(folder, "people.csv")
	got := script(t).send(t, "", client.Options{Files: []string{missing, folder}})
	require.ErrorIs(t, got.err, client.ErrReported)
	require.Equal(t, missing+": no such file or directory\n"+
		folder+": a folder cannot be sent: name the files in it, such as "+filepath.Join(folder, "*.csv")+"\n", got.stderr)
}

// Input that can be read only once is sent again in a retry.
func TestRetryOfPipe(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 1<<17) // more than a spool keeps in memory
	s := script(t, hangsUp(1<<20), respondsLines(200, allLines), hangsUp(1<<20), respondsLines(200, allLines))
	got := s.send(t, content, client.Options{})
	require.NoError(t, got.err, got.stderr)
	require.Equal(t, content, string(s.bodies[1]))

	pipe := filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	go func() { _ = os.WriteFile(pipe, []byte(content), 0) }()
	got = s.send(t, "", client.Options{Files: []string{pipe}})
	require.NoError(t, got.err, got.stderr)
	require.Equal(t, content, string(s.bodies[3]))
	require.Equal(t, "text/csv", s.requests[3].Header.Get("Content-Type"))
}

// Equal requests of one user have equal keys. Any other two requests have different keys.
func TestKeys(t *testing.T) {
	steps := make([]step, 16)
	for i := range steps {
		steps[i] = respondsLines(200, allLines)
	}
	s := script(t, steps...)
	key := func(content string, options client.Options) string {
		got := s.send(t, content, options)
		require.NoError(t, got.err, got.stderr)
		return s.requests[len(s.requests)-1].Header.Get("Idempotency-Key")
	}
	first := key("[1]", client.Options{})
	require.Regexp(t, "^[!-~]{32,255}$", first)
	require.Equal(t, first, key("[1]", client.Options{}))
	require.Equal(t, first, key("[1]", client.Options{RetryFor: time.Hour, Out: filepath.Join(t.TempDir(), "out")}), "the request is the same")
	require.Equal(t, first, key("[1]", client.Options{Server: s.url + "/"}), "the address is the same")
	require.Equal(t, "mine", key("[1]", client.Options{Key: "mine"}))
	keys := map[string]bool{
		first:                                                    true,
		key("[2]", client.Options{}):                             true,
		key("[1]", client.Options{Strict: true}):                 true,
		key("[1]", client.Options{Type: "csv"}):                  true,
		key("[1]", client.Options{Charset: "cp1252"}):            true,
		key("[1]", client.Options{Dates: "mdy"}):                 true,
		key("[1]", client.Options{Sheet: []string{"a"}}):         true,
		key("[1]", client.Options{Sheet: []string{"a", "b"}}):    true,
		key("[1]", client.Options{Sheet: []string{"a&sheet=b"}}): true,
		key("[1]", client.Options{Server: s.url + "/x"}):         true,
	}
	require.Len(t, keys, 10)

	s.secret = "the secret of another user"
	another := key("[1]", client.Options{})
	require.NotEqual(t, first, another, "another user with the same file must not get its passwords")
	require.Equal(t, another, key("[1]", client.Options{}))
}

// Without a secret, only a file with a key of the user's choice is sent.
func TestKeyWithoutSecret(t *testing.T) {
	s := script(t, respondsLines(200, allLines))
	for _, test := range []struct {
		key, stderr string
		err         error
	}{
		{"", "-: derive idempotency key: no folder; choose a --key, and use it again to retry\n", client.ErrReported},
		{"mine", "", nil},
	} {
		var stdout, stderr strings.Builder
		err := client.New(client.Config{
			Options: s.withDefaults(client.Options{Key: test.key}),
			Secret:  func() ([]byte, error) { return nil, errors.New("no folder") },
			Spools:  spool.New(""),
			Stdin:   strings.NewReader("[1]"),
			Stdout:  &stdout,
			Stderr:  &stderr,
		}).Send(t.Context())
		require.Equal(t, test.err, err)
		require.Equal(t, test.stderr, stderr.String())
	}
	require.Equal(t, "mine", s.requests[0].Header.Get("Idempotency-Key"))
}

// The query names the encoding. An answer that asks for it is followed by what to do.
func TestCharset(t *testing.T) {
	s := script(t, respondsLines(200, allLines), respondsProblem(400, "encoding_unclear", "The encoding is unclear. It may be a or b."))
	for _, want := range []string{"", "-: 400 Bad Request\n  The encoding is unclear. It may be a or b.\n  Run 'rollcall send' again with --charset and the encoding that reads these words right.\n"} {
		got := s.send(t, "[1]", client.Options{Charset: "windows-1252"})
		require.Contains(t, got.stdout+got.stderr, want)
	}
	require.Equal(t, "charset=windows-1252", s.requests[0].URL.RawQuery)
}

// The query has the sheets and the order of dates. The notes of the answer say which sheets were not read, and which options help.
func TestSheetsAndDates(t *testing.T) {
	s := script(t, respondsLines(200, annaLine+`{"status":"done","import":12,"code":200,"objects":2,"created":1,"rejected":1,"hidden_rows":3,"ambiguous_dates":1,`+
		`"sheets":[{"sheet":"5А","rows":24,"read":true},{"sheet":"5Б","rows":22,"read":false}]}`), respondsLines(200, annaLine+
		`{"status":"done","import":12,"code":200,"objects":1,"created":1,"rejected":0,"sheets":[{"sheet":"5А","rows":24,"read":true}]}`))
	got := s.send(t, "[1]", client.Options{Sheet: []string{"5А", "a, b"}, Dates: "mdy"})
	require.NoError(t, got.err)
	require.Equal(t, url.Values{"sheet": {"5А", "a, b"}, "dates": {"mdy"}}, s.requests[0].URL.Query())
	require.Equal(t, `-: 200 OK
  anna                           abcdef-ghijkm
  sheet "5А" was read (rows: 24)
  warning: sheet "5Б" was not read (rows: 22); to read it, send the file with --sheet "5Б"
  warning: hidden rows were read: 3
  dates that can be read in two ways: 1; send the file with --dates dmy or --dates mdy
  registered 1 of 2 records, rejected 1 (import 12)
`, got.stdout)
	got = s.send(t, "[1]", client.Options{})
	require.NotContains(t, got.stdout, "sheet", "a workbook with one sheet")
}

func TestDryRunAndStrict(t *testing.T) {
	dry := strings.NewReplacer(`,"password":"abcdef-ghijkm"`, "", `,"password":"npqrst-uvwxyz"`, "").Replace(annaLine+borisLine) + rejectedLine
	s := script(t,
		respondsLines(200, allLines),
		respondsLines(200, dry+strings.Replace(doneLine, `"import":12,`, "", 1)),
		respondsLines(400, `{"object_id":1,"status":"skipped","login":"anna"}`+"\n"+rejectedLine+`{"status":"done","import":13,"code":400,"objects":2,"created":0,"rejected":1}`),
	)
	got := s.send(t, "[]", client.Options{})
	require.NoError(t, got.err)
	require.Empty(t, s.requests[0].URL.RawQuery)
	require.Empty(t, s.requests[0].Header.Get("Prefer"))
	require.Equal(t, http.MethodPost+" /useradd", s.requests[0].Method+" "+s.requests[0].URL.Path)

	got = s.send(t, "[]", client.Options{DryRun: true, Key: "mine"})
	require.NoError(t, got.err)
	require.Equal(t, "dry_run=true", s.requests[1].URL.RawQuery)
	require.NotContains(t, s.requests[1].Header, "Idempotency-Key")
	require.Equal(t, `-: 200 OK
  anna                           would be registered
  boris                          would be registered
  record 3: Login is required. Email is not a valid address.
  would register 2 of 3 records, reject 1
`, got.stdout)

	got = s.send(t, "[]", client.Options{Strict: true})
	require.ErrorIs(t, got.err, client.ErrReported)
	require.Equal(t, "handling=strict", s.requests[2].Header.Get("Prefer"))
	require.Equal(t, `-: 400 Bad Request
  record 3: Login is required. Email is not a valid address.
  registered 0 of 2 records, rejected 1, skipped 1 (import 13)
`, got.stdout)
}
