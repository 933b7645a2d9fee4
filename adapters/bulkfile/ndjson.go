package bulkfile

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/json"
	"rollcall/domain"
	"rollcall/ports"
)

// NDJSON reads a file with an object on each line, and skips blank lines. A broken line gives an unreadable candidate, and does not
// affect other lines.
type NDJSON struct{}

// Candidates yields the records of a file, as JSON does.
func (NDJSON) Candidates(r io.Reader, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		buf := scan.NewBuffer()
		defer scan.PutBuffer(buf)
		lines := lineReader{r: bufio.NewReaderSize(r, len(buf))}
		reader := objectReader{json: json.NewScanner(&lines, buf[:], ports.MaxOriginal), notes: notes}
		mark, _ := lines.r.Peek(len(scan.ByteOrderMark))
		if string(mark) == scan.ByteOrderMark {
			_, _ = lines.r.Discard(len(mark))
		}
		number := 1
		for lines.next() {
			reader.json.Reset()
			if reader.json.AtEnd() { // a blank line
				continue
			}
			candidate, err := reader.line(number, lines.number)
			if errors.Is(err, domain.ErrBrokenFile) {
				candidate, err = reader.unreadable(lines.quoted()), nil
			}
			if !yield(candidate, err) || err != nil {
				return
			}
			number++
		}
		switch {
		case !errors.Is(lines.err, io.EOF):
			yield(nil, fmt.Errorf("read file: %w", lines.err))
		case number == 1:
			yield(nil, &domain.BrokenFileError{Reason: "the file is empty"})
		}
	}
}

// line reads the rest of a line, which is one value.
func (r *objectReader) line(number, line int) (*domain.Candidate, error) {
	r.record(number, domain.Place{Line: line})
	if !r.json.AtEnd() {
		r.json.Fail("unexpected data after the end of the JSON value")
	}
	return r.end(bytes.TrimSpace(r.json.Raw())), brokenFile(r.json.Err(), number)
}

// A lineReader reads a line, and ends with io.EOF until next is called.
type lineReader struct {
	r      *bufio.Reader
	number int    // of the line, from 1
	part   []byte // of the line; the whole line where it is short
	rest   []byte // of part, to be read
	last   bool   // part ends the line
	done   bool   // the line feed was read
	long   bool   // the line has several parts
	err    error  // of r
}

// next begins the next line, and returns false when there is none.
func (l *lineReader) next() bool {
	for !l.last && l.part != nil { // the rest of a line that was not read to its end
		l.read()
	}
	if l.err != nil {
		return false
	}
	l.number++
	l.done = false
	l.read()
	l.long = !l.last
	return len(l.part) > 0
}

func (l *lineReader) read() {
	l.part, l.err = l.r.ReadSlice('\n')
	l.last = !errors.Is(l.err, bufio.ErrBufferFull)
	if !l.last {
		l.err = nil
	}
	l.rest = l.part
}

// Read implements io.Reader. The last line ends in a line feed, too: without one a number would be incomplete.
func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 && !l.last {
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

// quoted returns the line as a string in JSON, or nil when it is too long to be kept.
func (l *lineReader) quoted() []byte {
	if l.long {
		return nil
	}
	line := strings.TrimRight(string(l.part), "\r\n")
	if !utf8.ValidString(line) {
		line = strings.ToValidUTF8(line, string(utf8.RuneError))
	}
	quoted, err := stdjson.Marshal(line)
	if err != nil || len(quoted) > ports.MaxOriginal {
		return nil
	}
	return quoted
}
