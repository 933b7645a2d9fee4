package client_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
)

// A token is not sent over plain HTTP to another machine, unless Insecure allows it.
func TestTokenOverPlainHTTP(t *testing.T) {
	const token = "rollcall_token"
	unused := script(t)
	port := unused.url[strings.LastIndex(unused.url, ":"):]
	for _, host := range []string{"0.0.0.0", "example.com", "10.0.0.1", "[2001:db8::1]", "localhost.example.com", "127.0.0.1.example.com"} {
		t.Run("rejected for "+host, func(t *testing.T) {
			got := unused.send(t, "[]", client.Options{Server: "http://" + host + port, Token: token})
			require.ErrorContains(t, got.err, "over plain HTTP")
			require.NotContains(t, got.err.Error(), token)
		})
	}
	require.Empty(t, unused.requests)

	for _, test := range []struct {
		host     string
		insecure bool
	}{
		{"0.0.0.0", true}, // this machine, but not by a loopback address
		{"localhost", false},
		{"127.0.0.1", false},
		{"[::ffff:127.0.0.1]", false},
	} {
		t.Run("sent to "+test.host, func(t *testing.T) {
			s := script(t, respondsLines(200, annaLine+doneLine))
			got := s.send(t, "[]", client.Options{
				Server: "http://" + test.host + s.url[strings.LastIndex(s.url, ":"):], Token: token, Insecure: test.insecure,
			})
			require.NoError(t, got.err)
			require.Equal(t, "Bearer "+token, s.requests[0].Header.Get("Authorization"))
		})
	}
	t.Run("no token", func(t *testing.T) {
		s := script(t, respondsLines(200, annaLine+doneLine))
		got := s.send(t, "[]", client.Options{Server: "http://0.0.0.0" + s.url[strings.LastIndex(s.url, ":"):]})
		require.NoError(t, got.err)
	})
	for _, server := range []string{"http://Rollcall.LOCALHOST.:1", "https://127.0.0.1:1"} {
		t.Run("allowed for "+server, func(t *testing.T) {
			got := unused.send(t, "[]", client.Options{Server: server, Token: token, RetryFor: once})
			require.ErrorIs(t, got.err, client.ErrReported)
			require.NotContains(t, got.stderr, "over plain HTTP")
		})
	}
}

func TestInvalidOptions(t *testing.T) {
	dir := t.TempDir()
	one, two := fileOf(t, "one.json", "[1]"), fileOf(t, "two.csv.gz", "[2]")
	unused := script(t)
	for _, test := range []struct {
		name    string
		options client.Options
		err     string
	}{
		{"server without scheme", client.Options{Server: "localhost:5000"}, `invalid --server "localhost:5000": expected a URL such as http://127.0.0.1:5000`},
		{"invisible token", client.Options{Token: "a\n"}, "--token must be visible ASCII characters"},
		{"unknown order of dates", client.Options{Dates: "ymd"}, `invalid --dates "ymd": expected dmy or mdy`},
		{"many sheets", client.Options{Sheet: make([]string, 257)}, "--sheet must be given at most 256 times"},
		{"invisible key", client.Options{Key: "not visible"}, "--key must be 1 to 255 visible ASCII characters"},
		{"long key", client.Options{Key: strings.Repeat("k", 256)}, "--key must be 1 to 255 visible ASCII characters"},
		{"key for two files", client.Options{Key: "one", Files: []string{one, two}}, "--key requires a single file"},
		{"unknown type", client.Options{Type: "pdf"}, `invalid --type "pdf": expected json, ndjson, jsonl, csv, xlsx or a media type`},
		{"incomplete media type", client.Options{Type: "text/"}, `invalid --type "text/": `},
		{"negative time", client.Options{RetryFor: -time.Second}, "--retry-for must not be negative"},
		{"passwords of a dry run", client.Options{DryRun: true, Out: filepath.Join(dir, "people.csv")}, "--out and --dry-run must not be set together"},
		{"one file of passwords for two", client.Options{Out: filepath.Join(dir, "all.csv"), Files: []string{one, two}}, "--out must be a directory when sending several files"},
		{"two files of one name", client.Options{Out: dir, Files: []string{one, fileOf(t, "one.csv", "[3]")}}, "would both go to " + filepath.Join(dir, "one.csv")},
		{"passwords in a workbook", client.Options{Out: filepath.Join(dir, "people.xlsx")}, "workbooks are not supported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := unused.send(t, "", test.options)
			require.ErrorContains(t, got.err, test.err)
			require.NotErrorIs(t, got.err, client.ErrReported)
		})
	}
	t.Run("passwords in a missing folder", func(t *testing.T) {
		got := unused.send(t, "", client.Options{Out: filepath.Join(dir, "none", "people.csv"), Files: []string{one}})
		require.ErrorIs(t, got.err, client.ErrReported)
		require.Contains(t, got.stderr, "create file for logins and passwords: ")
	})
	require.Empty(t, unused.requests)
}
