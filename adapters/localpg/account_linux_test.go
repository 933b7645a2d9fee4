package localpg_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
)

// The program does not open a folder of root to PostgreSQL's account; the error says what to do. For any other user, who runs
// PostgreSQL under the same account, a private folder works.
func TestPrivateFolder(t *testing.T) {
	t.Parallel()
	private := privateDir(t)
	dir := filepath.Join(private, "data", "postgres")
	if os.Geteuid() == 0 {
		_, err := localpg.Start(t.Context(), config(dir))
		require.ErrorContains(t, err, "in "+dir)
		require.ErrorContains(t, err, "may not enter "+private+":")
		for _, way := range []string{"chmod o+x " + private, "--data-dir", "DATABASE_URL"} {
			require.ErrorContains(t, err, way)
		}
		require.NoDirExists(t, filepath.Join(dir, "data"))
		info, err := os.Stat(private)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "the program does not change folders that it did not create")
		require.NoError(t, os.Chmod(private, 0o701))
	}
	s := start(t, config(dir))
	// The sort exceeds work_mem, so that a backend writes temporary files.
	require.Equal(t, []string{"100000"}, query(t, s.URL(localpg.Database),
		"set work_mem = '64kB'; select count(*) from (select n from generate_series(1, 100000) n order by n::text) sorted"))
}

// Binaries in a folder that the account may not enter are not used; the error names the folder.
func TestPrivateBinaries(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root switches to another account
	}
	bin := binaries(t)
	hideBinaries(t)
	private := privateDir(t)
	for _, name := range []string{"postgres", "initdb"} {
		program, err := os.ReadFile(filepath.Join(bin, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(private, name), program, 0o755))
	}
	t.Setenv("PATH", os.Getenv("PATH")+":"+private)
	cfg := config(openDir(t))
	cfg.BinariesURL = serve(t, http.NotFoundHandler())
	_, err := localpg.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "chmod o+x "+private)
}

// The account may enter the folders that the program creates, whatever the umask.
func TestUmask(t *testing.T) {
	dir := openDir(t)
	before := syscall.Umask(0o077)
	t.Cleanup(func() { syscall.Umask(before) })
	start(t, config(filepath.Join(dir, "data", "postgres")))
}

func TestNoCapabilities(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	start(t, config(dir))
	require.Zero(t, capabilities(t, serverPID(t, dir)))
}

// Root runs the server of another user's folder as that user, who can run it again later.
func TestRootRunsServerAsItsUser(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	stop(t, s)
	user := os.Geteuid()
	if user == 0 {
		user = 12345 // any user but PostgreSQL's account
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			require.NoError(t, err)
			return os.Lchown(path, user, user)
		}))
	}
	start(t, config(dir))
	info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(serverPID(t, dir))))
	require.NoError(t, err)
	require.Equal(t, user, int(info.Sys().(*syscall.Stat_t).Uid))
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		require.Equal(t, user, int(info.Sys().(*syscall.Stat_t).Uid), path)
		return nil
	}))
}

func TestServerHasOwnProcessGroup(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	start(t, config(dir))
	group, err := syscall.Getpgid(serverPID(t, dir))
	require.NoError(t, err)
	require.NotEqual(t, syscall.Getpgrp(), group, "a terminal signals a process group on Ctrl-C")
}

// capabilities returns the effective capabilities of a process.
func capabilities(t *testing.T, pid int) uint64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(status), "CapEff:")
	require.True(t, found)
	var set uint64
	_, err = fmt.Sscanf(after, "%x", &set)
	require.NoError(t, err)
	return set
}
