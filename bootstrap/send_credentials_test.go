package bootstrap_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSendWritesCredentials(t *testing.T) {
	const formula = `{"object_id":4,"status":"created","login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"}` + "\n"
	for name, want := range map[string]string{
		"people.csv":    "\ufeff\"login\",\"password\"\r\n\"anna\",\"abcdef-ghijkm\"\r\n\"boris\",\"npqrst-uvwxyz\"\r\n\"'=1+\"\"2\"\";'=3\",\"aaaaaa-bbbbbb\"\r\n",
		"people":        "\ufeff\"login\",\"password\"\r\n\"anna\",\"abcdef-ghijkm\"\r\n\"boris\",\"npqrst-uvwxyz\"\r\n\"'=1+\"\"2\"\";'=3\",\"aaaaaa-bbbbbb\"\r\n",
		"people.jsonl":  `{"login":"anna","password":"abcdef-ghijkm"}` + "\n" + `{"login":"boris","password":"npqrst-uvwxyz"}` + "\n" + `{"login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"}` + "\n",
		"people.NDJSON": `{"login":"anna","password":"abcdef-ghijkm"}` + "\n" + `{"login":"boris","password":"npqrst-uvwxyz"}` + "\n" + `{"login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"}` + "\n",
		"people.json":   `[{"login":"anna","password":"abcdef-ghijkm"},` + "\n" + `{"login":"boris","password":"npqrst-uvwxyz"},` + "\n" + `{"login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"}]` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			whole := inLines(200, annaLine+borisLine+formula+refusedLine+doneLine)
			s := script(t, cutOff(strings.Repeat(annaLine+borisLine, 1000)), func(w http.ResponseWriter, r *http.Request) {
				require.NoFileExists(t, path, "it has its name only when it is whole")
				for _, begun := range entries(t, dir) {
					require.Equal(t, os.FileMode(0o600), begun.Mode())
				}
				whole(w, r)
			})
			got := s.send(t, "[]", "--out", path, "-")
			require.NoError(t, got.err, got.stderr)
			require.Equal(t, `-: 200 OK
  object 3: Login is required. Email is not a valid address.
  registered 2 of 3 objects, refused 1 (import 12); logins and passwords are in `+path+"\n", got.stdout)
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, want, string(content), "of the attempt that ended well")
			left := entries(t, dir)
			require.Len(t, left, 1)
			require.Equal(t, os.FileMode(0o600), left[0].Mode())
		})
	}
}

// entries are the files of a folder.
func entries(t *testing.T, dir string) []os.FileInfo {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	infos := make([]os.FileInfo, len(found))
	for i, entry := range found {
		infos[i], err = entry.Info()
		require.NoError(t, err)
	}
	return infos
}

func TestSendKeepsFilesThatAreThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "people.csv")
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o644))
	content := func() string {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(b)
	}
	got := script(t).send(t, "[]", "--out", path, "-")
	require.ErrorContains(t, got.err, "is there already; --force overwrites it")
	require.Equal(t, "precious", content())

	for _, answer := range []step{
		asProblem(422, "key_reused", "No."),
		inLines(400, refusedLine+`{"status":"done","code":400,"objects":1,"created":0,"rejected":1}`),
		answered(200, "text/html", ""),
	} {
		got = script(t, answer).send(t, "[]", "--force", "--out", path, "-")
		require.Error(t, got.err)
		require.Equal(t, "precious", content(), "nobody was registered")
		require.Len(t, entries(t, dir), 1)
	}

	got = script(t, inLines(200, wholeAnswer)).send(t, "[]", "--force", "--out", path, "-")
	require.NoError(t, got.err, got.stderr)
	require.Contains(t, content(), "abcdef-ghijkm")
	left := entries(t, dir)
	require.Len(t, left, 1)
	require.Equal(t, os.FileMode(0o600), left[0].Mode(), "whatever it was before")

	fresh := filepath.Join(dir, "fresh.csv")
	got = script(t, func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, os.WriteFile(fresh, []byte("precious"), 0o644))
		inLines(200, wholeAnswer)(w, r)
	}).send(t, "[]", "--out", fresh, "-")
	require.Error(t, got.err)
	require.Contains(t, got.stderr, "is there already", "by now")
	require.Len(t, entries(t, dir), 2)
}

// A command that is run again goes on where it ended, and overwrites nothing.
func TestSendAgainIntoAFolder(t *testing.T) {
	dir := t.TempDir()
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(content)
	}
	one, two := fileOf(t, "one.json", "[1]"), fileOf(t, "two.json", "[2]")
	got := script(t, inLines(200, wholeAnswer), answered(404, "text/plain", "")).send(t, "", "--out", dir, one, two)
	require.Error(t, got.err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".two.csv.part"), []byte("of a command that was killed"), 0o644))
	got = script(t, inLines(200, wholeAnswer), inLines(200, wholeAnswer)).send(t, "", "--out", dir, one, two)
	require.NoError(t, got.err, got.stderr)
	require.Len(t, entries(t, dir), 2)
	require.Equal(t, read("one.csv"), read("two.csv"))

	const gleb = `{"object_id":1,"status":"created","login":"gleb","password":"aaaaaa-bbbbbb"}` + "\n"
	for _, number := range []string{"2", "3"} {
		whole := strings.Replace(gleb, "gleb", "gleb"+number, 1) + `{"status":"done","code":200,"objects":1,"created":1,"rejected":0}`
		for range 2 {
			got = script(t, inLines(200, whole)).send(t, "", "--out", dir, one)
			require.NoError(t, got.err, got.stderr)
			require.Contains(t, got.stdout, filepath.Join(dir, "one-"+number+".csv"))
		}
		require.Contains(t, read("one-"+number+".csv"), "gleb"+number)
	}
	require.Equal(t, read("one.csv"), read("two.csv"), "what was there")
	for _, file := range entries(t, dir) {
		require.Equal(t, os.FileMode(0o600), file.Mode())
	}
}

func TestSendWritesAFileForEach(t *testing.T) {
	dir := t.TempDir()
	one, two := fileOf(t, "one.json", "[1]"), fileOf(t, "two.csv.gz", "[2]")
	got := script(t, inLines(200, wholeAnswer), inLines(200, wholeAnswer), inLines(200, wholeAnswer)).send(t, "[3]", "--out", dir, one, two, "-")
	require.NoError(t, got.err, got.stderr)
	for _, name := range []string{"one.csv", "two.csv", "stdin.csv"} {
		require.FileExists(t, filepath.Join(dir, name))
	}

	none := script(t) // is not asked
	for _, args := range [][]string{
		{"--out", filepath.Join(dir, "all.csv"), one, two},
		{"--out", t.TempDir(), one, fileOf(t, "one.csv", "[3]")},
		{"--out", filepath.Join(dir, "people.xlsx"), one},
		{"--out", filepath.Join(dir, "none", "people.csv"), one},
		{"--out", filepath.Join(t.TempDir(), "people.csv"), "--dry-run", one},
		{"--key", "one", one, two},
		{"--key", "not visible", one},
		{"--type", "pdf", one},
		{"--type", "text/", one},
		{"--server", "localhost:5000", one},
		{"--retry-for", "-1s", one},
	} {
		got := none.send(t, "", args...)
		require.Error(t, got.err, args)
	}
	require.Empty(t, none.requests)
}

// Who interrupts the program has it end at once, and leaves no file.
func TestSendIsInterrupted(t *testing.T) {
	for name, during := range map[string]func(interrupt func()) step{
		"before the answer": func(interrupt func()) step {
			return func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				interrupt()
				<-r.Context().Done()
			}
		},
		"inside the answer": func(interrupt func()) step {
			return func(w http.ResponseWriter, r *http.Request) {
				inLines(200, annaLine)(w, r)
				_ = http.NewResponseController(w).Flush()
				interrupt()
				<-r.Context().Done()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			dir := t.TempDir()
			file := fileOf(t, "people.json", "[]")
			s := script(t, during(interrupt))
			got := s.sendUntil(t, ctx, nil, "--out", dir, file, fileOf(t, "more.json", "[]"))
			require.ErrorContains(t, got.err, "interrupted")
			require.Empty(t, got.stdout)
			require.Empty(t, got.pauses)
			require.Empty(t, entries(t, dir))
		})
	}
	t.Run("while the standard input is silent", func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		silent, w := io.Pipe()
		defer w.Close()
		go func() {
			_, _ = w.Write([]byte("[")) // which is read
			interrupt()
		}()
		got := script(t).sendUntil(t, ctx, silent, "-")
		require.ErrorContains(t, got.err, "interrupted")
	})
}

// Of two commands that write to the same place at once one may fail, but none claims the other's file.
func TestSendTwiceAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.csv")
	begun, end := make(chan struct{}), make(chan struct{})
	second := script(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-end
		inLines(200, strings.ReplaceAll(wholeAnswer, "anna", "gleb"))(w, r)
	})
	done := make(chan error)
	first := script(t, func(w http.ResponseWriter, r *http.Request) {
		go func() { done <- second.send(t, "[2]", "--out", path, "-").err }()
		<-begun
		inLines(200, wholeAnswer)(w, r)
	})
	got := first.send(t, "[1]", "--out", path, "-")
	_, early := os.Lstat(path)
	close(end)
	err := <-done
	require.ErrorIs(t, early, os.ErrNotExist, "what the second had not written yet")
	require.Error(t, got.err)
	require.Contains(t, got.stderr, "another command writes")
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(content), "gleb")
}
