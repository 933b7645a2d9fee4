package bulkfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"rollcall/domain"
	"rollcall/ports"
)

// NDJSON reads an object on each line. Blank lines are passed over. A line that is broken is a candidate that cannot be
// read, and those behind it are read all the same.
type NDJSON struct{}

// byteOrderMark is passed over at the beginning of a file.
const byteOrderMark = "\xef\xbb\xbf"

// Candidates yields the objects of a file, as JSON does.
func (NDJSON) Candidates(r io.Reader) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		buf := buffers.Get().(*[readSize]byte) //nolint:forcetypeassert // nothing else is put there
		defer buffers.Put(buf)
		d := &lineDecoder{lines: lineReader{r: bufio.NewReaderSize(r, readSize)}}
		d.jsonDecoder = jsonDecoder{r: &d.lines, buf: buf[:], start: -1}
		err := d.file(yield)
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// lineDecoder reads each line as a file of its own.
type lineDecoder struct {
	jsonDecoder

	lines lineReader
}

func (d *lineDecoder) file(yield func(*domain.Candidate, error) bool) error {
	mark, _ := d.lines.r.Peek(len(byteOrderMark))
	if string(mark) == byteOrderMark {
		_, _ = d.lines.r.Discard(len(mark))
	}
	number := 0
	for d.lines.next() {
		blank, err := d.line(number + 1)
		if err != nil && !errors.Is(err, domain.ErrBrokenFile) {
			return err
		}
		if blank {
			continue
		}
		number++
		if err != nil {
			d.candidate = domain.Candidate{Number: number, Unreadable: true, Original: d.lines.quoted()}
		}
		if !yield(&d.candidate, nil) {
			return errStop
		}
	}
	if !errors.Is(d.lines.err, io.EOF) {
		return fmt.Errorf("read file: %w", d.lines.err)
	}
	if number == 0 {
		return &domain.BrokenFileError{Reason: "the file is empty"}
	}
	return nil
}

// line reads the line that begins, as a candidate, and tells whether there is nothing on it.
func (d *lineDecoder) line(number int) (blank bool, err error) {
	d.pos, d.end, d.offset, d.err, d.start = 0, 0, 0, nil, -1
	c, err := d.token()
	if err != nil {
		return errors.Is(err, domain.ErrBrokenFile), err
	}
	err = d.parse(c, number)
	if err != nil {
		return false, err
	}
	_, err = d.token()
	if err == nil {
		return false, d.broken("something follows after the object")
	}
	if !errors.Is(err, domain.ErrBrokenFile) {
		return false, err
	}
	d.setOriginal()
	d.candidate.Original = bytes.TrimSpace(d.candidate.Original)
	return false, nil
}

// lineReader reads a line, and ends there with io.EOF until the next one is asked for.
type lineReader struct {
	r    *bufio.Reader
	part []byte // of the line, to be read; the whole line where it is short
	rest []byte // of part
	ends bool   // the line ends behind part
	done bool   // the line was read to its end
	long bool   // the line has more parts
	err  error  // of r
}

// next goes on to the next line, and returns false when there is none.
func (l *lineReader) next() bool {
	for !l.ends && l.part != nil { // what nobody wanted of the last one
		l.read()
	}
	if l.err != nil {
		return false
	}
	l.done = false
	l.read()
	l.long = !l.ends
	return len(l.part) > 0
}

func (l *lineReader) read() {
	l.part, l.err = l.r.ReadSlice('\n')
	l.ends = !errors.Is(l.err, bufio.ErrBufferFull)
	if !l.ends {
		l.err = nil
	}
	l.rest = l.part
}

// Read implements io.Reader. The last line, too, ends in a line feed: without one a number would not be complete.
func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 && !l.ends {
		l.read()
	}
	switch {
	case len(l.rest) > 0:
		n := copy(p, l.rest)
		l.rest = l.rest[n:]
		return n, nil
	case l.err != nil && !errors.Is(l.err, io.EOF):
		return 0, l.err
	case l.done:
		return 0, io.EOF
	}
	l.done = true
	p[0] = '\n'
	return 1, nil
}

// quoted is the line as a string in JSON, or nothing when it is too long to be kept.
func (l *lineReader) quoted() []byte {
	if l.long {
		return nil
	}
	line := strings.TrimRight(string(l.part), "\r\n")
	if !utf8.ValidString(line) {
		line = strings.ToValidUTF8(line, string(utf8.RuneError))
	}
	quoted, err := json.Marshal(line)
	if err != nil || len(quoted) > ports.MaxOriginal {
		return nil
	}
	return quoted
}
