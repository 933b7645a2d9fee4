package disk_test

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/internal/disk"
	"rollcall/ports"
)

func TestError(t *testing.T) {
	for _, c := range []struct {
		name                  string
		err                   error
		isFull, isUnavailable bool
	}{
		{"DiskIsFull", syscall.ENOSPC, true, true},
		{"QuotaIsFull", syscall.EDQUOT, true, true},
		{"FileIsTooLarge", syscall.EFBIG, true, true},
		{"ProcessHasTooManyFiles", syscall.EMFILE, false, true},
		{"SystemHasTooManyFiles", syscall.ENFILE, false, true},
		{"FileIsMissing", syscall.ENOENT, false, false},
		{"NoErrorOfTheSystem", io.EOF, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cause := &os.PathError{Op: "write", Path: "file", Err: c.err}
			err := disk.Error(cause)
			require.ErrorIs(t, err, cause)
			require.Equal(t, c.isFull, errors.Is(err, ports.ErrNoRoom))
			require.Equal(t, c.isUnavailable, errors.Is(err, ports.ErrUnavailable))
		})
	}
	require.NoError(t, disk.Error(nil))
}
