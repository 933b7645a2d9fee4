// Package spool stores data of any size while it is processed: in memory first, then in an unlinked temporary file.
package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"rollcall/adapters/internal/disk"
	"rollcall/ports"
)

const (
	// inMemory is how many bytes a spool keeps in memory. Most requests are smaller, and need no file.
	inMemory = 1 << 20

	// allInMemory is how many bytes all spools of a folder keep in memory together. A client that sends part of a body on each of
	// thousands of connections makes files.
	allInMemory = 32 << 20

	// spare is how many bytes of a disk the files leave free, or a tenth of a smaller disk. PostgreSQL, which may share the disk, stops
	// when it cannot write its log. The disk is checked once for each spareInterval bytes of a file.
	spare         = 1 << 30
	spareInterval = 8 << 20
)

// Spools stores spools, whose files are in a folder.
type Spools struct {
	dir    string
	lock   *os.File     // of the folder; nil for a folder that is shared
	memory atomic.Int64 // bytes of all spools that are in memory
}

// New returns Spools with files in dir, which must exist. If dir is empty, they are in the system's temporary folder.
func New(dir string) *Spools { return &Spools{dir: dir} }

// New implements ports.SpoolStore.
func (s *Spools) New() ports.Spool { return &spool{owner: s} }

type spool struct {
	owner   *Spools
	memory  []byte
	file    *os.File // bytes that were written when memory was full
	size    int64
	checked int64 // size at the last check of the disk
}

func (s *spool) Size() int64 { return s.size }

func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && s.reserve(len(p)) {
		s.memory = append(s.memory, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		err := s.open()
		if err != nil {
			return 0, fmt.Errorf("open spool: %w", disk.Error(err))
		}
	}
	if s.checked == 0 || s.size-s.checked >= spareInterval {
		s.checked = s.size
		err := Room(s.owner.dir)
		if err != nil {
			return 0, fmt.Errorf("write spool: %w", err)
		}
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		err = fmt.Errorf("write spool: %w", disk.Error(err))
	}
	return n, err
}

// reserve reserves memory for n more bytes, and reports whether there is room.
func (s *spool) reserve(n int) bool {
	if len(s.memory)+n > inMemory {
		return false
	}
	if s.owner.memory.Add(int64(n)) > allInMemory {
		s.owner.memory.Add(-int64(n))
		return false
	}
	return true
}

// open creates the file and unlinks it, so that it does not outlive the process, however that ends.
func (s *spool) open() error {
	file, err := os.CreateTemp(s.owner.dir, "spool-*")
	if err != nil {
		return err
	}
	err = os.Remove(file.Name())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	s.file = file
	return nil
}

// roomInterval is the time for which the space on a disk is not checked again. In that time far less than the spare space is written.
const roomInterval = 20 * time.Millisecond

// NewRoom returns a function that calls Room for a folder, and repeats its result for roomInterval. The system call took 7 % of an import
// of one record.
func NewRoom(dir string) func() error {
	var mu sync.Mutex
	var seen time.Time
	var err error
	return func() error {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(seen) > roomInterval {
			err, seen = Room(dir), time.Now()
		}
		return err
	}
}

// Room returns ports.ErrNoRoom if a folder's disk has no more space than must stay free: 1 GiB, or a tenth of a smaller disk.
func Room(dir string) error {
	var disk syscall.Statfs_t
	err := syscall.Statfs(cmp.Or(dir, os.TempDir()), &disk)
	if err == nil && disk.Bavail*uint64(disk.Bsize) < min(spare, disk.Blocks*uint64(disk.Bsize)/10) {
		return ports.ErrNoRoom
	}
	return nil // also if the system does not say
}

func (s *spool) Reader() *io.SectionReader { return io.NewSectionReader((*content)(s), 0, s.size) }

// content reads a spool at any offset.
type content spool

func (c *content) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < int64(len(c.memory)) {
		n = copy(p, c.memory[offset:])
		p, offset = p[n:], offset+int64(n)
	}
	if len(p) == 0 {
		return n, nil
	}
	if c.file == nil {
		return n, io.EOF
	}
	more, err := c.file.ReadAt(p, offset-int64(len(c.memory)))
	return n + more, err
}

func (s *spool) Close() error {
	s.owner.memory.Add(-int64(len(s.memory)))
	s.memory = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
