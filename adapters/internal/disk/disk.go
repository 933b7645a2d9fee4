// Package disk classifies the errors of a disk and locks files, for the adapters that write files.
package disk

import (
	"errors"
	"fmt"
	"syscall"

	"rollcall/ports"
)

// Error wraps an error of the system: as ports.ErrNoRoom if the disk or the quota is full, and as ports.ErrUnavailable if too many
// files are open. It returns any other error unchanged.
func Error(err error) error {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: %w", ports.ErrUnavailable, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%w: %w", ports.ErrNoRoom, err)
	}
	return err
}
