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

// A folder of root's that PostgreSQL's account may not enter stays closed to it, and the error says what to do. For an ordinary
// user, who runs it as himself, it is any private folder.
func TestFoldersThatOnlyTheProgramMayEnter(t *testing.T) {
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
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "permissions of others' folders stay")
		require.NoError(t, os.Chmod(private, 0o701))
	}
	s := start(t, config(dir))
	// more than its memory holds, so that a backend makes files as well
	require.Equal(t, []string{"100000"}, query(t, s.URL(localpg.Database),
		"set work_mem = '64kB'; select count(*) from (select n from generate_series(1, 100000) n order by n::text) sorted"))
}

// Programs in a folder that the account may not enter are none, and the error names the folder.
func TestProgramsThatOnlyTheProgramMayRun(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who runs everything as himself
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

// The folders that the program makes let the account through whatever the umask, and others stay as they are.
func TestUmask(t *testing.T) {
	dir := openDir(t)
	before := syscall.Umask(0o077)
	t.Cleanup(func() { syscall.Umask(before) })
	start(t, config(filepath.Join(dir, "data", "postgres")))
}

func TestPostgreSQLHasNoCapability(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	start(t, config(dir))
	require.Zero(t, capabilities(t, serverPID(t, dir)))
}

// What a user began, root goes on with as the user, and the user can again.
func TestRootRunsAUsersServerAsTheUser(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	stop(t, s)
	user := os.Geteuid()
	if user == 0 {
		user = 12345 // any that is not PostgreSQL's account
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

func TestCtrlCIsNotForTheServer(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	start(t, config(dir))
	group, err := syscall.Getpgid(serverPID(t, dir))
	require.NoError(t, err)
	require.NotEqual(t, syscall.Getpgrp(), group, "a terminal tells a whole process group")
}

// capabilities are those in effect.
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
