package report_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

func TestErrorsOfReport(t *testing.T) {
	errBroken := errors.New("connection lost")
	for _, f := range formats(t) {
		for _, where := range []string{"imports", "rejections"} {
			if where == "imports" && !f.imports || where == "rejections" && !f.rejections {
				continue
			}
			t.Run(f.name+" "+where, func(t *testing.T) {
				r := of(t, imports(), rejections())
				if where == "imports" {
					r.Imports = breaks(t, imports()[0], errBroken)
					r.Rejections = func(func(domain.Rejection, error) bool) { t.Error("rejections are read after an error") }
				} else {
					r.Rejections = breaks(t, rejections()[0], errBroken)
				}
				err := f.writer.Write(io.Discard, r)
				require.ErrorIs(t, err, errBroken)
				require.ErrorContains(t, err, "read "+where)
			})
		}
	}
}

// breaks yields a value and an error. The reader must stop there.
func breaks[T any](t *testing.T, value T, err error) func(yield func(T, error) bool) {
	return func(yield func(T, error) bool) {
		require.True(t, yield(value, nil))
		require.False(t, yield(value, err), "the reader continues after an error")
	}
}

// narrow is a writer with room for a number of bytes.
type narrow struct{ room int }

var errFull = errors.New("full")

func (n *narrow) Write(p []byte) (int, error) {
	written := min(len(p), n.room)
	n.room -= written
	if written < len(p) {
		return written, errFull
	}
	return written, nil
}

func TestErrorsOfWriter(t *testing.T) {
	for _, f := range formats(t) {
		t.Run(f.name, func(t *testing.T) {
			size := len(write(t, f.writer, of(t, imports(), rejections())))
			// The parts of a workbook have no fixed order, so its size varies by some bytes.
			for _, room := range []int{0, 1, size / 2, size * 9 / 10} {
				err := f.writer.Write(&narrow{room}, of(t, imports(), rejections()))
				require.ErrorIs(t, err, errFull, "room for %d of %d bytes", room, size)
			}
		})
	}
}

// silent writes half of the bytes, and returns no error.
type silent struct{}

func (silent) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestShortWrite(t *testing.T) {
	for _, f := range formats(t) {
		t.Run(f.name, func(t *testing.T) {
			err := f.writer.Write(silent{}, of(t, imports(), rejections()))
			require.ErrorIs(t, err, io.ErrShortWrite)
		})
	}
}

// After an error of the writer the rest of the report is not read. A workbook is written after all is read.
func TestReadingStopsAtError(t *testing.T) {
	for _, f := range formats(t) {
		if !f.rejections || strings.HasSuffix(f.name, ".xlsx") {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			read := 0
			one := rejections()[0]
			err := f.writer.Write(&narrow{}, ports.Report{
				Imports: func(func(domain.Import, error) bool) {},
				Rejections: func(yield func(domain.Rejection, error) bool) {
					for yield(one, nil) {
						read++
					}
				},
			})
			require.ErrorIs(t, err, errFull)
			require.Less(t, read, 10_000)
		})
	}
}
