package report

import (
	"fmt"
	"io"
)

// outputSize is how many bytes an output collects before it writes them.
const outputSize = 64 << 10

// An output collects rows in one piece of memory.
type output struct {
	w   io.Writer
	buf []byte
}

func newOutput(w io.Writer) *output {
	return &output{w: w, buf: make([]byte, 0, outputSize+outputSize/4)}
}

// endRow writes the collected rows if they are long enough.
func (o *output) endRow() error {
	if len(o.buf) < outputSize {
		return nil
	}
	return o.flush()
}

// flush writes the collected rows.
func (o *output) flush() error {
	n, err := o.w.Write(o.buf)
	if err == nil && n < len(o.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	o.buf = o.buf[:0]
	return nil
}
