package ports

import (
	"errors"
	"fmt"
)

// The errors that several ports return.
var (
	// ErrNotFound is returned when what was asked for does not exist.
	ErrNotFound = errors.New("not found")

	// ErrChanged is returned when a value has changed since it was read.
	ErrChanged = errors.New("changed concurrently")

	// ErrPlace is returned for a place that is not the Next of any page.
	ErrPlace = errors.New("invalid place of a page")

	// ErrBusy is returned when too much work of one kind is running or waiting.
	ErrBusy = errors.New("busy")

	// ErrUnavailable is returned for a failure that is likely to be temporary.
	ErrUnavailable = errors.New("unavailable")

	// ErrNoRoom is an ErrUnavailable: a disk is full.
	ErrNoRoom = fmt.Errorf("%w: no space left on the disk", ErrUnavailable)

	// ErrLocked is an ErrUnavailable: another change of the same account is running.
	ErrLocked = fmt.Errorf("%w: another change of the account is running", ErrUnavailable)
)
