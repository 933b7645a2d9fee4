// Package spool gives room for data of any size: in memory at first, then in a file without a name.
package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"

	"rollcall/adapters/internal/disk"
	"rollcall/ports"
)

const (
	// inMemory is how many bytes a spool keeps in memory: most requests are smaller, and need no file.
	inMemory = 1 << 20

	// allInMemory is how many bytes all spools of a folder keep there together: whoever sends part of a body on each of some thousand
	// connections gets files.
	allInMemory = 32 << 20

	// spare is how many bytes files leave free on their disk, or a tenth of a smaller one: for PostgreSQL above all, which may have the
	// same and ends where there is no room for its log. It is looked at once in spareInterval bytes of a file.
	spare         = 1 << 30
	spareInterval = 8 << 20
)

// Spools makes spools whose files are in a folder.
type Spools struct {
	dir    string
	lock   *os.File     // nil where others use the folder, too
	memory atomic.Int64 // bytes that are not in files
}

// New makes Spools with files in dir, which must exist; empty for the system's temporary folder.
func New(dir string) *Spools { return &Spools{dir: dir} }

// New implements ports.SpoolStore.
func (s *Spools) New() ports.Spool { return &spool{of: s} }

type spool struct {
	of     *Spools
	memory []byte
	file   *os.File // what is written after memory was full
	size   int64
	looked int64 // size when the disk was looked at
}

func (s *spool) Size() int64 { return s.size }

func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && s.fits(len(p)) {
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
	if s.looked == 0 || s.size-s.looked >= spareInterval {
		s.looked = s.size
		err := Room(s.of.dir)
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

// fits tells whether there is room for more bytes in memory, and takes it.
func (s *spool) fits(n int) bool {
	if len(s.memory)+n > inMemory {
		return false
	}
	if s.of.memory.Add(int64(n)) > allInMemory {
		s.of.memory.Add(-int64(n))
		return false
	}
	return true
}

// open makes the file and takes its name away at once, so that nothing is left of it however the program ends.
func (s *spool) open() error {
	file, err := os.CreateTemp(s.of.dir, "spool-*")
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

// Room returns ports.ErrNoRoom when the disk of a folder has no more room than what must stay free: 1 GiB, or a tenth of a
// smaller disk.
func Room(dir string) error {
	var disk syscall.Statfs_t
	err := syscall.Statfs(cmp.Or(dir, os.TempDir()), &disk)
	if err == nil && disk.Bavail*uint64(disk.Bsize) < min(spare, disk.Blocks*uint64(disk.Bsize)/10) {
		return ports.ErrNoRoom
	}
	return nil // also where the system does not tell
}

func (s *spool) Reader() *io.SectionReader { return io.NewSectionReader((*content)(s), 0, s.size) }

// content reads a spool from any place.
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
	s.of.memory.Add(-int64(len(s.memory)))
	s.memory = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
