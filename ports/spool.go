package ports

import "io"

// SpoolStore stores data of any size while it is processed.
type SpoolStore interface {
	// New returns an empty spool.
	New() Spool
}

// A Spool holds a stream of bytes that is written once and can be read repeatedly. It is not safe for concurrent use.
type Spool interface {
	// Write appends to the spool. It returns ErrUnavailable if the disk is full.
	io.Writer

	// Reader reads what has been written so far, from the beginning.
	Reader() *io.SectionReader

	// Size returns the number of bytes written.
	Size() int64

	// Close frees the storage. No reader may be used after it.
	io.Closer
}
