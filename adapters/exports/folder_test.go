package exports_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/exports"
	"rollcall/ports"
	"rollcall/test/contract"
)

const unfinished = ".unfinished-"

// names returns the names of the files in a folder, with unfinished files only if all is set.
func names(t *testing.T, dir string, all bool) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	found := []string{}
	for _, entry := range entries {
		if all || !strings.HasPrefix(entry.Name(), unfinished) {
			found = append(found, entry.Name())
		}
	}
	return found
}

func TestExports(t *testing.T) {
	contract.Exports(t, func(t *testing.T) contract.ExportsSubject {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "not", "there") // Make creates it
		t.Cleanup(func() {
			for _, name := range names(t, dir, true) {
				require.NotContains(t, name, unfinished)
			}
		})
		return contract.ExportsSubject{Store: exports.New(dir, 100<<20), Names: func() []string { return names(t, dir, false) }}
	})
}

func makeFile(t *testing.T, folder *exports.Folder, kind string, size int) *ports.ExportFile {
	t.Helper()
	file, err := folder.Make(ports.ExportName{Kind: kind, Detail: "1", Extension: "txt"}, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("x", size))
		return err
	})
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return file
}

// age sets the time of a file back.
func age(t *testing.T, dir, name string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	require.NoError(t, os.Chtimes(filepath.Join(dir, name), at, at))
}

func TestOldestFilesAreRemovedFirst(t *testing.T) {
	dir := t.TempDir()
	folder := exports.New(dir, 100)
	makeFile(t, folder, "b", 40)
	makeFile(t, folder, "a", 30)
	makeFile(t, folder, "c", 30)
	age(t, dir, "b-1.txt", 2*time.Hour)
	age(t, dir, "a-1.txt", 3*time.Hour)
	age(t, dir, "c-1.txt", time.Hour)
	require.Equal(t, []string{"a-1.txt", "b-1.txt", "c-1.txt"}, names(t, dir, true), "100 bytes may be kept")
	makeFile(t, folder, "d", 1)
	require.Equal(t, []string{"b-1.txt", "c-1.txt", "d-1.txt"}, names(t, dir, true))
	makeFile(t, folder, "e", 70)
	require.Equal(t, []string{"d-1.txt", "e-1.txt"}, names(t, dir, true))
	makeFile(t, folder, "f", 100)
	require.Equal(t, []string{"f-1.txt"}, names(t, dir, true))
}

// A file with a time in the future, from before the clock was corrected, does not outlive the newest.
func TestNewestFileIsRemovedLast(t *testing.T) {
	dir := t.TempDir()
	folder := exports.New(dir, 100)
	makeFile(t, folder, "future", 60)
	age(t, dir, "future-1.txt", -time.Hour)
	makeFile(t, folder, "new", 60)
	require.Equal(t, []string{"new-1.txt"}, names(t, dir, true))
}

func TestFileLargerThanFolder(t *testing.T) {
	for _, room := range []int64{0, 100} {
		dir := t.TempDir()
		file := makeFile(t, exports.New(dir, room), "large", 1000)
		require.Empty(t, names(t, dir, true))
		content, err := io.ReadAll(file)
		require.NoError(t, err)
		require.Len(t, content, 1000)
		require.EqualValues(t, 1000, file.Size)
	}
}

// Sweep removes the unfinished files of killed processes, and keeps those of running ones.
func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "exports")
	folder := exports.New(dir, 100)
	require.NoError(t, folder.Sweep(), "the folder is missing")
	name := ports.ExportName{Kind: "a", Detail: "1", Extension: "txt"}
	file, err := folder.Make(name, func(io.Writer) error {
		require.NoError(t, os.WriteFile(filepath.Join(dir, unfinished+"killed"), []byte("x"), 0o600))
		require.Len(t, names(t, dir, true), 2)
		require.NoError(t, exports.New(dir, 100).Sweep())
		require.Len(t, names(t, dir, true), 1)
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Equal(t, []string{"a-1.txt"}, names(t, dir, true))
}

// Files that the program did not name are not removed.
func TestForeignFilesStay(t *testing.T) {
	dir := t.TempDir()
	others := []string{"a-.txt", "a-b-1.txt", "a-notes.txt", "a.txt", "aa-1.txt", "a-1.text", "a-2.TXT"}
	for _, name := range others {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a-3.txt"), 0o700))
	makeFile(t, exports.New(dir, 100), "a", 1)
	require.ElementsMatch(t, append(others, "a-1.txt", "a-3.txt"), names(t, dir, true))
}

func TestOnlyOwnerHasAccess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "exports")
	makeFile(t, exports.New(dir, 100), "a", 1)
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, "a-1.txt"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode(), path)
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	name := ports.ExportName{Kind: "a", Detail: "1", Extension: "txt"}
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}} {
		_, err := exports.New(dir, 100).Make(name, func(io.Writer) error { return full })
		require.ErrorIs(t, err, ports.ErrUnavailable)
		require.ErrorIs(t, err, full)
	}
	require.Empty(t, names(t, dir, true))
}

func TestFolderCannotBeCreated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	locked := filepath.Join(t.TempDir(), "locked")
	require.NoError(t, os.Mkdir(locked, 0o500))
	for _, dir := range []string{file, filepath.Join(file, "below"), locked} {
		if dir == locked && os.Geteuid() == 0 {
			continue // root may write everywhere
		}
		_, err := exports.New(dir, 100).Make(ports.ExportName{Kind: "a", Detail: "1", Extension: "txt"}, func(io.Writer) error {
			return errors.New("write was called")
		})
		var pathErr *os.PathError
		require.ErrorAs(t, err, &pathErr, dir)
	}
}
