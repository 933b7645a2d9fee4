package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Lock opens a file or folder and locks it, after any other process that has the lock. The lock lasts until the file is closed or the
// process ends.
func Lock(path string) (*os.File, error) { return openAndLock(path, syscall.LOCK_EX) }

// TryLock does what Lock does, but returns syscall.EWOULDBLOCK while another process has the lock.
func TryLock(path string) (*os.File, error) {
	return openAndLock(path, syscall.LOCK_EX|syscall.LOCK_NB)
}

// LockFile locks an open file, as Lock does.
func LockFile(file *os.File) error { return lock(file, syscall.LOCK_EX) }

func openAndLock(path string, how int) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	err = lock(file, how)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func lock(file *os.File, how int) error {
	err := syscall.Flock(int(file.Fd()), how)
	if err != nil {
		return &fs.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	return nil
}

// RemoveAbandoned removes the files and folders in dir whose names have a prefix and which no process has locked. The caller has
// locked dir, so that no process creates one that it has not locked yet.
func RemoveAbandoned(dir, prefix string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		lock, locked := TryLock(path)
		switch {
		case errors.Is(locked, syscall.EWOULDBLOCK), errors.Is(locked, fs.ErrNotExist):
		case locked != nil:
			err = errors.Join(err, locked)
		default:
			err = errors.Join(err, os.RemoveAll(path), lock.Close())
		}
	}
	return err
}
