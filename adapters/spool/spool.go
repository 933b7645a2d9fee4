// Package spool gives room for data of any size: in memory at first, then in a file without a name.
package spool

import (
	"errors"
	"fmt"
	"io"
	"os"

	"rollcall/ports"
)

// inMemory is how many bytes a spool keeps in memory: most requests are smaller, and need no file.
const inMemory = 1 << 20

// Spools makes spools whose files are in a folder.
type Spools struct {
	dir  string
	lock *os.File // nil where others use the folder, too
}

// New makes Spools with files in dir, which must exist; empty for the system's temporary folder.
func New(dir string) *Spools { return &Spools{dir: dir} }

// New implements ports.Spools.
func (s *Spools) New() ports.Spool { return &spool{dir: s.dir} }

type spool struct {
	dir    string
	memory []byte
	file   *os.File // what is written after memory was full
	size   int64
}

func (s *spool) Size() int64 { return s.size }

func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.memory)+len(p) <= inMemory {
		s.memory = append(s.memory, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		err := s.open()
		if err != nil {
			return 0, fmt.Errorf("open spool: %w", ports.NoRoom(err))
		}
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		err = fmt.Errorf("write spool: %w", ports.NoRoom(err))
	}
	return n, err
}

// open makes the file and takes its name away at once, so that nothing is left of it however the program ends.
func (s *spool) open() error {
	file, err := os.CreateTemp(s.dir, "spool-*")
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
	s.memory = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
