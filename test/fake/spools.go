package fake

import (
	"bytes"
	"io"
	"sync/atomic"

	"rollcall/ports"
)

// Spools stores spools in memory, and counts the open ones.
type Spools struct{ open atomic.Int64 }

// Open returns the number of spools and logs that are not closed.
func (s *Spools) Open() int64 { return s.open.Load() }

// New implements ports.SpoolStore.
func (s *Spools) New() ports.Spool {
	s.open.Add(1)
	return &spool{owner: s}
}

type spool struct {
	bytes.Buffer

	owner *Spools
}

func (s *spool) Reader() *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(s.Bytes()), 0, s.Size())
}

func (s *spool) Size() int64  { return int64(s.Len()) }
func (s *spool) Close() error { s.owner.open.Add(-1); return nil }
