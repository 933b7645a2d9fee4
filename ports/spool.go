package ports

import "io"

// Spools gives room for data of any size, while it is worked on.
type Spools interface {
	// New returns an empty spool.
	New() Spool
}

// Spool holds a stream of bytes that was written once, to be read as often as needed. It is for one user at a time.
type Spool interface {
	// Write appends to the spool. It returns ErrUnavailable when there is no room.
	io.Writer

	// Reader reads the spool from its beginning to what is written by now.
	Reader() *io.SectionReader

	// Size is how many bytes were written.
	Size() int64

	// Close frees the room. No reader may be used after it.
	io.Closer
}
