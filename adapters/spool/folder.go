package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"rollcall/adapters/internal/disk"
)

// prefix is what the names of folders begin with that are a process's own.
const prefix = "process-"

// Open makes Spools with files in a folder of this process's own in dir, and removes what processes left there that were
// killed. It makes dir when it is missing; several processes may have the same.
func Open(dir string) (_ *Spools, err error) {
	err = os.MkdirAll(dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("make spool folder: %w", disk.Error(err))
	}
	others, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open spool folder: %w", err)
	}
	defer func() { err = errors.Join(err, others.Close()) }()
	// or a folder that is made just now, and not locked yet, would be removed
	err = syscall.Flock(int(others.Fd()), syscall.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("lock spool folder: %w", err)
	}
	err = removeAbandoned(dir)
	if err != nil {
		return nil, fmt.Errorf("tidy spool folder: %w", err)
	}
	own, err := os.MkdirTemp(dir, prefix)
	if err != nil {
		return nil, fmt.Errorf("make spool folder: %w", disk.Error(err))
	}
	lock, err := lockFolder(own)
	if err != nil {
		return nil, fmt.Errorf("lock spool folder: %w", err)
	}
	return &Spools{dir: own, lock: lock}, nil
}

// Dir is the folder, where others may make files that need not outlive the process.
func (s *Spools) Dir() string { return s.dir }

// Close removes the folder. Files of spools that are still open can be used until they are closed.
func (s *Spools) Close() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

// removeAbandoned removes the folders whose processes have ended, and their locks with them.
func removeAbandoned(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		folder := filepath.Join(dir, entry.Name())
		lock, err := lockFolder(folder)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = errors.Join(os.RemoveAll(folder), lock.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lockFolder locks a folder until its file is closed, or the process ends. It returns EWOULDBLOCK when another has it.
func lockFolder(folder string) (*os.File, error) {
	lock, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}
