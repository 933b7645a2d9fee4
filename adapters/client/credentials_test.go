package client_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
)

func TestCredentialsFormats(t *testing.T) {
	const (
		formula = `{"object_id":4,"status":"created","login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"}` + "\n"
		eva     = `{"object_id":5,"status":"created","login":"eva","last_name":"Ким","first_name":"Ева","patronymic":"Олеговна","group":"=7","password":"cccccc-dddddd"}` + "\n"

		csv = "\ufeff\"login\",\"password\",\"last_name\",\"first_name\",\"patronymic\",\"group\"\r\n\"anna\",\"abcdef-ghijkm\",\"\",\"\",\"\",\"\"\r\n" +
			"\"boris\",\"npqrst-uvwxyz\",\"\",\"\",\"\",\"\"\r\n\"'=1+\"\"2\"\";'=3\",\"aaaaaa-bbbbbb\",\"\",\"\",\"\",\"\"\r\n" +
			"\"eva\",\"cccccc-dddddd\",\"Ким\",\"Ева\",\"Олеговна\",\"'=7\"\r\n"
		evaJSON = `{"login":"eva","password":"cccccc-dddddd","last_name":"Ким","first_name":"Ева","patronymic":"Олеговна","group":"=7"}`
	)
	for name, want := range map[string]string{
		"people.csv":    csv,
		"people":        csv,
		"people.jsonl":  `{"login":"anna","password":"abcdef-ghijkm"}` + "\n" + `{"login":"boris","password":"npqrst-uvwxyz"}` + "\n" + `{"login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"}` + "\n" + evaJSON + "\n",
		"people.NDJSON": `{"login":"anna","password":"abcdef-ghijkm"}` + "\n" + `{"login":"boris","password":"npqrst-uvwxyz"}` + "\n" + `{"login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"}` + "\n" + evaJSON + "\n",
		"people.json":   `[{"login":"anna","password":"abcdef-ghijkm"},` + "\n" + `{"login":"boris","password":"npqrst-uvwxyz"},` + "\n" + `{"login":"=1+\"2\";=3","password":"aaaaaa-bbbbbb"},` + "\n" + evaJSON + "]\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			var during []os.FileInfo
			s := script(t, cutsOff(strings.Repeat(annaLine+borisLine, 1000)), func(w http.ResponseWriter, r *http.Request) {
				during = entries(t, dir)
				respondsLines(200, annaLine+borisLine+formula+eva+rejectedLine+doneLine)(w, r)
			})
			got := s.send(t, "[]", client.Options{Out: path})
			require.NoError(t, got.err, got.stderr)
			require.Len(t, during, 1)
			require.NotEqual(t, name, during[0].Name(), "the file gets its name when it is complete")
			require.Equal(t, os.FileMode(0o600), during[0].Mode())
			require.Equal(t, `-: 200 OK
  record 3: Login is required. Email is not a valid address.
  registered 2 of 3 records, rejected 1 (import 12); logins and passwords are in `+path+"\n", got.stdout)
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, want, string(content), "only the last attempt is in the file")
			left := entries(t, dir)
			require.Len(t, left, 1)
			require.Equal(t, os.FileMode(0o600), left[0].Mode())
		})
	}
}

// entries returns the files of a folder. Handlers may call it.
func entries(t *testing.T, dir string) []os.FileInfo {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	infos := make([]os.FileInfo, len(found))
	for i, entry := range found {
		infos[i], err = entry.Info()
		if err != nil {
			t.Error(err)
		}
	}
	return infos
}

func TestExistingFileIsKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "people.csv")
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o644))
	content := func() string {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(b)
	}
	got := script(t).send(t, "[]", client.Options{Out: path})
	require.ErrorContains(t, got.err, "already exists; use --force to overwrite it")
	require.Equal(t, "precious", content())

	for _, response := range []step{
		respondsProblem(422, "key_reused", "No."),
		respondsLines(400, rejectedLine+`{"status":"done","code":400,"objects":1,"created":0,"rejected":1}`),
		responds(200, "text/html", ""),
	} {
		got = script(t, response).send(t, "[]", client.Options{Out: path, Force: true})
		require.Error(t, got.err)
		require.Equal(t, "precious", content(), "no one was registered")
		require.Len(t, entries(t, dir), 1)
	}

	got = script(t, respondsLines(200, allLines)).send(t, "[]", client.Options{Out: path, Force: true})
	require.NoError(t, got.err, got.stderr)
	require.Contains(t, content(), "abcdef-ghijkm")
	left := entries(t, dir)
	require.Len(t, left, 1)
	require.Equal(t, os.FileMode(0o600), left[0].Mode(), "the mode of the old file is not kept")

	fresh := filepath.Join(dir, "fresh.csv")
	got = script(t, func(w http.ResponseWriter, r *http.Request) {
		err := os.WriteFile(fresh, []byte("precious"), 0o644)
		if err != nil {
			t.Error(err)
		}
		respondsLines(200, allLines)(w, r)
	}).send(t, "[]", client.Options{Out: fresh})
	require.Error(t, got.err)
	require.Contains(t, got.stderr, "already exists", "another program created it during the import")
	require.Len(t, entries(t, dir), 2)
}

// A command that runs again continues where it ended, and overwrites nothing.
func TestRunAgainIntoFolder(t *testing.T) {
	dir := t.TempDir()
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(content)
	}
	one, two := fileOf(t, "one.json", "[1]"), fileOf(t, "two.json", "[2]")
	got := script(t, respondsLines(200, allLines), responds(404, "text/plain", "")).send(t, "", client.Options{Out: dir, Files: []string{one, two}})
	require.Error(t, got.err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".two.csv.part"), []byte("left by a killed command"), 0o644))
	got = script(t, respondsLines(200, allLines), respondsLines(200, allLines)).send(t, "", client.Options{Out: dir, Files: []string{one, two}})
	require.NoError(t, got.err, got.stderr)
	require.Len(t, entries(t, dir), 2)
	require.Equal(t, read("one.csv"), read("two.csv"))

	const gleb = `{"object_id":1,"status":"created","login":"gleb","password":"aaaaaa-bbbbbb"}` + "\n"
	for _, number := range []string{"2", "3"} {
		whole := strings.Replace(gleb, "gleb", "gleb"+number, 1) + `{"status":"done","code":200,"objects":1,"created":1,"rejected":0}`
		for range 2 {
			got = script(t, respondsLines(200, whole)).send(t, "", client.Options{Out: dir, Files: []string{one}})
			require.NoError(t, got.err, got.stderr)
			require.Contains(t, got.stdout, filepath.Join(dir, "one-"+number+".csv"))
		}
		require.Contains(t, read("one-"+number+".csv"), "gleb"+number)
	}
	require.Equal(t, read("one.csv"), read("two.csv"), "the first file is unchanged")
	for _, file := range entries(t, dir) {
		require.Equal(t, os.FileMode(0o600), file.Mode())
	}
}

func TestFolderGetsFileForEachInput(t *testing.T) {
	dir := t.TempDir()
	one, two := fileOf(t, "one.json", "[1]"), fileOf(t, "two.csv.gz", "[2]")
	got := script(t, respondsLines(200, allLines), respondsLines(200, allLines), respondsLines(200, allLines)).send(t, "[3]", client.Options{Out: dir, Files: []string{one, two, "-"}})
	require.NoError(t, got.err, got.stderr)
	for _, name := range []string{"one.csv", "two.csv", "stdin.csv"} {
		require.FileExists(t, filepath.Join(dir, name))
	}
}

// An interrupted client stops immediately and leaves no file.
func TestInterruption(t *testing.T) {
	for _, test := range []struct {
		name     string
		response string // that the server sends before the interruption
	}{
		{"before the response", ""},
		{"inside the response", annaLine},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			dir := t.TempDir()
			file := fileOf(t, "people.json", "[]")
			s := script(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if test.response != "" {
					respondsLines(200, test.response)(w, r)
					_ = http.NewResponseController(w).Flush()
				}
				interrupt()
				<-r.Context().Done()
			})
			got := s.sendUntil(t, ctx, nil, client.Options{Out: dir, Files: []string{file, fileOf(t, "more.json", "[]")}})
			require.ErrorIs(t, got.err, context.Canceled)
			require.Empty(t, got.stdout)
			require.Empty(t, got.pauses)
			require.Empty(t, entries(t, dir))
		})
	}
	t.Run("while standard input is silent", func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		silent, w := io.Pipe()
		defer w.Close()
		go func() {
			_, _ = w.Write([]byte("[")) // returns when the client has read it
			interrupt()
		}()
		got := script(t).sendUntil(t, ctx, silent, client.Options{})
		require.ErrorIs(t, got.err, context.Canceled)
	})
}

// If two commands write to one path concurrently, one may fail, but neither publishes the other's file.
func TestTwoCommandsWithOnePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.csv")
	begun, end := make(chan struct{}), make(chan struct{})
	second := script(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-end
		respondsLines(200, strings.ReplaceAll(allLines, "anna", "gleb"))(w, r)
	})
	done := make(chan error)
	first := script(t, func(w http.ResponseWriter, r *http.Request) {
		go func() { done <- second.send(t, "[2]", client.Options{Out: path}).err }()
		<-begun
		respondsLines(200, allLines)(w, r)
	})
	got := first.send(t, "[1]", client.Options{Out: path})
	_, early := os.Lstat(path)
	close(end)
	err := <-done
	require.ErrorIs(t, early, os.ErrNotExist, "the second command has not finished")
	require.Error(t, got.err)
	require.Contains(t, got.stderr, "another command writes")
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(content), "gleb")
}
