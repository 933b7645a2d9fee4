package localpg_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
)

// TestFoldersThatOnlyTheProgramMayEnter stands for a checkout of root's, which PostgreSQL's account cannot enter. For an
// ordinary user, who runs it as himself, it is any private folder.
func TestFoldersThatOnlyTheProgramMayEnter(t *testing.T) {
	t.Parallel()
	private := privateDir(t)
	dir := filepath.Join(private, "data", "postgres")
	for _, start := range []string{"first", "second"} {
		s, err := localpg.Start(t.Context(), config(dir))
		require.NoError(t, err, start)
		url := s.URL(localpg.Database)
		// more than its memory holds, so that a backend makes files as well
		assert.Equal(t, []string{"100000"}, query(t, url,
			"set work_mem = '64kB'; select count(*) from (select n from generate_series(1, 100000) n order by n::text) sorted"))
		if os.Geteuid() == 0 {
			assert.Equal(t, uint64(1)<<2, capabilities(t, serverPID(t, dir)), "it gets CAP_DAC_READ_SEARCH, and no more")
		}
		stop(t, s)
	}
	info, err := os.Stat(private)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "permissions of others' folders stay")
}

func TestNoCapabilityWithoutNeed(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	start(t, config(dir))
	assert.Zero(t, capabilities(t, serverPID(t, dir)))
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
	assert.Equal(t, user, int(info.Sys().(*syscall.Stat_t).Uid))
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		assert.Equal(t, user, int(info.Sys().(*syscall.Stat_t).Uid), path)
		return nil
	}))
}

func TestCtrlCIsNotForTheServer(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	start(t, config(dir))
	group, err := syscall.Getpgid(serverPID(t, dir))
	require.NoError(t, err)
	assert.NotEqual(t, syscall.Getpgrp(), group, "a terminal tells a whole process group")
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
