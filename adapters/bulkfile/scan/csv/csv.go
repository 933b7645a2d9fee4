// Package csv scans tables by RFC 4180 in constant memory. Unlike encoding/csv it accepts any usual line break, cuts long cells, and
// continues with the next line after a misplaced quote. A quote in a cell that does not begin with one stands for itself.
package csv

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"rollcall/adapters/bulkfile/scan"
)

// Rows yields the rows of a file in UTF-8. Cells are separated by delimiter, and bounded by limits.
func Rows(r io.Reader, delimiter byte, limits scan.Limits) scan.Rows {
	return func(yield func(scan.Row, error) bool) {
		buf := scan.NewBuffer()
		defer scan.PutBuffer(buf)
		s := &scanner{r: r, buf: buf[:], delimiter: delimiter, limits: limits}
		for s.next() {
			if !yield(s.row, nil) {
				return
			}
		}
		if !errors.Is(s.err, io.EOF) {
			yield(scan.Row{}, fmt.Errorf("read file: %w", s.err))
		}
	}
}

type scanner struct {
	r         io.Reader
	buf       []byte
	pos, end  int   // of the bytes in buf that are not used yet
	err       error // that ended the reading
	delimiter byte
	limits    scan.Limits

	row   scan.Row
	texts []byte // of the row's cells
	ends  []int  // of each cell in texts
	cuts  []bool // for each cell
	cut   bool   // the cell that is read exceeds the limits
	from  int    // of that cell in texts
}

// next reads a row, and returns false when there is none.
func (s *scanner) next() bool {
	s.texts, s.ends, s.cuts, s.row.Broken = s.texts[:0], s.ends[:0], s.cuts[:0], false
	if !s.more() {
		return false
	}
	for s.cell() {
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return false
	}
	s.row.Cells = s.row.Cells[:0]
	from := 0
	for i, end := range s.ends {
		c := scan.Cell{Cut: s.cuts[i]}
		c.Text, c.Malformed = scan.ValidText(s.texts[from:end], c.Cut)
		s.row.Cells = append(s.row.Cells, c)
		from = end
	}
	return true
}

// cell reads a cell and what ends it, and reports whether the row has another.
func (s *scanner) cell() bool {
	s.from, s.cut = len(s.texts), false
	last := !s.readCell()
	if len(s.ends) == scan.MaxCells {
		s.row.Broken, s.texts = true, s.texts[:s.from]
	} else {
		s.ends, s.cuts = append(s.ends, len(s.texts)), append(s.cuts, s.cut)
	}
	return !last
}

// readCell reads the text of a cell and the byte after it, and reports whether that is a delimiter.
func (s *scanner) readCell() bool {
	if !s.more() {
		return false
	}
	if s.buf[s.pos] == '"' {
		s.pos++
		s.quoted()
	}
	for s.more() {
		run := s.buf[s.pos:s.end]
		n := 0
		for n < len(run) && run[n] != s.delimiter && run[n] != '\n' && run[n] != '\r' {
			n++
		}
		s.put(run[:n])
		s.pos += n
		if n == len(run) {
			continue
		}
		s.pos++
		c := run[n]
		if c == '\r' && s.more() && s.buf[s.pos] == '\n' {
			s.pos++
		}
		return c == s.delimiter
	}
	return false
}

// quoted reads the rest of a cell that began with a quote, up to the quote that ends it.
func (s *scanner) quoted() {
	for s.more() {
		run := s.buf[s.pos:s.end]
		n := bytes.IndexByte(run, '"')
		if n < 0 {
			s.put(run)
			s.pos = s.end
			continue
		}
		s.put(run[:n])
		s.pos += n + 1
		if !s.more() {
			return
		}
		switch s.buf[s.pos] {
		case '"': // a quote that is doubled stands for itself
			s.put(s.buf[s.pos : s.pos+1])
			s.pos++
		case s.delimiter, '\n', '\r':
			return
		default:
			s.row.Broken = true
			return
		}
	}
	s.row.Broken = true // the file ends before the quote
}

// put adds to the cell as much as the limits allow.
func (s *scanner) put(part []byte) {
	if room := s.limits.Room(len(s.texts), len(s.texts)-s.from); len(part) > room {
		part, s.cut = part[:room], true
	}
	s.texts = append(s.texts, part...)
}

// more reports whether there is another byte, and fills buf when all are used.
func (s *scanner) more() bool {
	if s.pos < s.end {
		return true
	}
	if s.err != nil {
		return false
	}
	s.pos = 0
	s.end, s.err = io.ReadAtLeast(s.r, s.buf, 1)
	return s.end > 0
}
