package disk_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/internal/disk"
)

func TestRemoveAbandoned(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"job-used", "job-abandoned", "other"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name, "below"), 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "job-file"), nil, 0o600))
	used, err := disk.Lock(filepath.Join(dir, "job-used"))
	require.NoError(t, err)
	_, err = disk.TryLock(used.Name())
	require.ErrorIs(t, err, syscall.EWOULDBLOCK)

	require.NoError(t, disk.RemoveAbandoned(dir, "job-"))
	require.DirExists(t, used.Name())
	require.DirExists(t, filepath.Join(dir, "other"))
	require.NoFileExists(t, filepath.Join(dir, "job-file"))
	require.NoDirExists(t, filepath.Join(dir, "job-abandoned"))

	require.NoError(t, used.Close())
	require.NoError(t, disk.RemoveAbandoned(dir, "job-"))
	require.NoDirExists(t, used.Name())
	require.ErrorIs(t, disk.RemoveAbandoned(filepath.Join(dir, "missing"), "job-"), os.ErrNotExist)
}
