package spool

import (
	"errors"
	"fmt"
	"os"

	"rollcall/adapters/internal/disk"
)

// prefix is the prefix of the folders that processes have for themselves.
const prefix = "process-"

// Open returns Spools with files in a folder of this process in dir, and removes the folders of processes that were killed. It creates
// dir if it is missing. Several processes may share dir.
func Open(dir string) (_ *Spools, err error) {
	err = os.MkdirAll(dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("create spool folder: %w", disk.Error(err))
	}
	// Without this lock another process could remove the folder before it is locked.
	all, err := disk.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("lock spool folder: %w", err)
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	err = disk.RemoveAbandoned(dir, prefix)
	if err != nil {
		return nil, fmt.Errorf("clean up spool folder: %w", err)
	}
	own, err := os.MkdirTemp(dir, prefix)
	if err != nil {
		return nil, fmt.Errorf("create spool folder: %w", disk.Error(err))
	}
	lock, err := disk.TryLock(own)
	if err != nil {
		return nil, fmt.Errorf("lock spool folder: %w", err)
	}
	return &Spools{dir: own, lock: lock}, nil
}

// Dir returns the folder. Other parts of the program may create files in it that need not outlive the process.
func (s *Spools) Dir() string { return s.dir }

// Close removes the folder. The files of open spools can be used until the spools are closed.
func (s *Spools) Close() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}
