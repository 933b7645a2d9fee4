// Package csv scans tables by RFC 4180 in constant memory. Unlike encoding/csv it accepts any usual line break, cuts long cells, and reads
// blanks around quotes and the ="007" of spreadsheets. A quote in a cell that does not begin with one stands for itself.
//
// A misplaced or unclosed quote breaks its own line only. A cell in quotes may span lines, so the scanner reads ahead from the first
// line break inside quotes. If the quotes turn out to be no pair, it returns to that line break.
package csv

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"rollcall/adapters/bulkfile/scan"
)

// maxSpan is how many bytes of a row may follow its first line. A cell of Excel has at most 32,767 characters.
const maxSpan = 128 << 10

// Rows yields the rows of a file in UTF-8. Cells are separated by delimiter, and bounded by limits. The caller sets width to the number of
// cells of the header row when it has found that row, and to 0 before.
func Rows(r io.Reader, delimiter byte, limits scan.Limits, width *int) scan.Rows {
	return func(yield func(scan.Row, error) bool) {
		buf := scan.NewBuffer()
		defer scan.PutBuffer(buf)
		s := &scanner{r: r, buf: buf[:], delimiter: delimiter, limits: limits, width: width, line: 1}
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
	line      int   // number of the line at pos
	width     *int  // cells of the header row
	offset    int64 // of buf in the file
	failed    int64 // offset up to which the scanner has read ahead in vain

	row    scan.Row
	texts  []byte // of the row's cells
	ends   []int  // of each cell in texts
	cuts   []bool // for each cell
	quotes []bool // for each cell: it is in quotes
	cut    bool   // the cell that is read exceeds the limits
	quoted bool   // the cell that is read is in quotes
	from   int    // of that cell in texts
	spans  bool   // the row goes beyond its first line
	span   span   // of such a row
}

// A span is a row that goes beyond its first line, inside quotes that may be no pair.
type span struct {
	// The state of the scanner at the end of the first line.
	pos   int  // after the line break
	texts int  // length of texts
	ends  int  // number of cells that ended
	from  int  // as in scanner
	cut   bool // as in scanner

	width     int  // cells of a whole row
	lineTexts int  // length of texts at the beginning of the current line
	lineEnds  int  // number of cells that ended before the current line
	whole     int  // lines that would be whole rows if their quotes were ignored, and are none as they are
	ragged    bool // another line would have fewer cells, or more
}

// next reads a row, and returns false when there is none.
func (s *scanner) next() bool {
	s.texts, s.ends, s.cuts, s.quotes = s.texts[:0], s.ends[:0], s.cuts[:0], s.quotes[:0]
	s.row.Broken, s.spans, s.span = false, false, span{}
	if !s.more() {
		return false
	}
	s.row.Line = s.line
	for s.cell() {
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return false
	}
	if s.spans {
		s.endLine(0)
		if s.row.Broken || s.span.swallows() || *s.width > 0 && len(s.ends) > *s.width {
			s.back()
		}
	}
	s.row.Cells = s.row.Cells[:0]
	from := 0
	for i, end := range s.ends {
		c := scan.Cell{Cut: s.cuts[i], Quoted: s.quotes[i]}
		c.Text, c.Malformed = scan.ValidText(s.texts[from:end], c.Cut)
		s.row.Cells = append(s.row.Cells, c)
		from = end
	}
	if len(s.ends) < *s.width && !s.row.Broken {
		s.row.Broken = s.joins()
	}
	return true
}

// joins reports whether a row is short because two stray quotes have made one cell of several: with the delimiters inside quotes, the row
// is whole.
func (s *scanner) joins() bool {
	inside := 0
	for i := range s.row.Cells {
		if s.quotes[i] {
			inside += s.delimiters(s.row.Cells[i].Text)
		}
	}
	return inside > 0 && len(s.ends)+inside == *s.width
}

// delimiters returns the number of delimiters in a text, without those of prose, which a blank follows.
func (s *scanner) delimiters(text []byte) (n int) {
	for at, c := range text {
		if c == s.delimiter && (at+1 == len(text) || text[at+1] != ' ') {
			n++
		}
	}
	return n
}

// cell reads a cell and what ends it, and reports whether the row has another.
func (s *scanner) cell() bool {
	s.from, s.cut, s.quoted = len(s.texts), false, false
	last := !s.readCell()
	if len(s.ends) == scan.MaxCells {
		s.row.Broken, s.texts = s.row.Broken || len(bytes.TrimSpace(s.texts[s.from:])) > 0, s.texts[:s.from]
	} else {
		s.endCell()
	}
	return !last
}

func (s *scanner) endCell() {
	s.ends, s.cuts, s.quotes = append(s.ends, len(s.texts)), append(s.cuts, s.cut), append(s.quotes, s.quoted)
}

// readCell reads the text of a cell and the byte after it, and reports whether that is a delimiter.
func (s *scanner) readCell() bool {
	if !s.more() {
		return false
	}
	if c := s.buf[s.pos]; c <= '=' && !s.row.Broken { // which the letters of most cells exceed
		s.open(c)
	}
	for (!s.spans || !s.row.Broken) && s.more() {
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
		if run[n] == s.delimiter {
			s.pos++
			return true
		}
		s.lineBreak(run[n])
		return false
	}
	return false
}

// lineBreak skips the line break that begins with c, and returns it.
func (s *scanner) lineBreak(c byte) string {
	s.pos++
	s.line++
	if c == '\n' {
		return "\n"
	}
	if s.more() && s.buf[s.pos] == '\n' {
		s.pos++
		return "\r\n"
	}
	return "\r"
}

// open reads a cell in quotes, if the cell that begins with c is one. Blanks, or the = of spreadsheets, may precede the quote.
func (s *scanner) open(c byte) {
	switch {
	case c == '=':
		s.put(s.buf[s.pos : s.pos+1])
		s.pos++
	case s.isBlank(c):
		s.blanks()
	}
	if !s.more() || s.buf[s.pos] != '"' {
		return
	}
	s.texts, s.cut, s.quoted = s.texts[:s.from], false, true
	s.pos++
	s.quotedText()
}

// isBlank reports whether a byte may stand between a quote and a delimiter.
func (s *scanner) isBlank(c byte) bool { return (c == ' ' || c == '\t') && c != s.delimiter }

// blanks adds the blanks at this place to the cell.
func (s *scanner) blanks() {
	for s.more() && s.isBlank(s.buf[s.pos]) {
		s.put(s.buf[s.pos : s.pos+1])
		s.pos++
	}
}

// quotedText reads the rest of a cell in quotes, up to the delimiter or line break after it.
func (s *scanner) quotedText() {
	for s.more() {
		run := s.buf[s.pos:s.end]
		n := 0
		for n < len(run) && run[n] != '"' && run[n] != '\n' && run[n] != '\r' {
			n++
		}
		s.put(run[:n])
		s.pos += n
		if n == len(run) {
			continue
		}
		if run[n] != '"' {
			if !s.nextLine(run[n]) {
				s.row.Broken = true
				return
			}
			continue
		}
		s.pos++
		if s.more() && s.buf[s.pos] == '"' { // a quote that is doubled stands for itself
			s.put(s.buf[s.pos : s.pos+1])
			s.pos++
			continue
		}
		end := len(s.texts)
		s.blanks()
		if !s.more() || s.buf[s.pos] == s.delimiter || s.buf[s.pos] == '\n' || s.buf[s.pos] == '\r' {
			s.texts = s.texts[:end]
			return
		}
		s.row.Broken = true
		return
	}
	s.row.Broken = true // the file ends before the quote, or the row exceeds maxSpan
	if !s.spans {
		s.split()
	}
}

// swallows reports whether the quotes of a row have made its text of other rows.
func (s *span) swallows() bool { return s.whole > 1 || s.whole > 0 && !s.ragged }

// nextLine goes beyond a line break inside quotes, which begins with c. It returns false if the quotes are no pair.
func (s *scanner) nextLine(c byte) bool {
	at := s.offset + int64(s.pos)
	begins := !s.spans
	if begins {
		s.span = span{texts: len(s.texts), ends: len(s.ends), from: s.from, cut: s.cut, width: *s.width}
	}
	s.endLine(1)
	text := s.lineBreak(c)
	if begins {
		s.spans, s.span.pos = true, s.pos
	}
	s.put([]byte(text))
	s.span.lineTexts, s.span.lineEnds = len(s.texts), len(s.ends)
	return at >= s.failed && s.span.whole < 2
}

// endLine counts the cells of a line of a row that spans lines, as if there were no quotes. The cells that have not ended are open.
func (s *scanner) endLine(open int) {
	text := s.texts[s.span.lineTexts:] // the delimiters in it are inside quotes
	ended := len(s.ends) - s.span.lineEnds
	if ended == 0 && len(bytes.TrimSpace(text)) == 0 {
		return
	}
	inside := s.delimiters(text)
	cells := ended + open + inside
	if s.span.width == 0 {
		s.span.width = cells
	}
	switch {
	case cells != s.span.width:
		s.span.ragged = true
	case inside > 0:
		s.span.whole++
	}
}

// back makes the first line of a row that spans lines a broken row, and returns to the line after it.
func (s *scanner) back() {
	// No row that begins before this place is read ahead again, so that every byte is read ahead once.
	s.failed = s.offset + int64(s.pos)
	s.pos, s.from, s.cut, s.quoted = s.span.pos, s.span.from, s.span.cut, false
	s.texts, s.ends, s.cuts, s.quotes = s.texts[:s.span.texts], s.ends[:s.span.ends], s.cuts[:s.span.ends], s.quotes[:s.span.ends]
	s.line, s.row.Broken = s.row.Line+1, true
	s.split()
	s.endCell()
}

// split divides the cell that is read at its delimiters, as if its quote were absent.
func (s *scanner) split() {
	text := s.texts[s.from:]
	s.texts = s.texts[:s.from]
	for len(s.ends) < scan.MaxCells-1 {
		i := bytes.IndexByte(text, s.delimiter)
		if i < 0 {
			break
		}
		s.texts = append(s.texts, text[:i]...)
		s.endCell()
		s.from, text = len(s.texts), text[i+1:]
	}
	s.texts = append(s.texts, text...)
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
	kept := 0 // bytes that the scanner may return to
	if s.spans {
		kept = s.end - s.span.pos
		if kept >= maxSpan {
			s.row.Broken = true
			return false
		}
		buf := s.buf
		if 2*kept > len(buf) {
			buf = make([]byte, 2*len(buf))
		}
		copy(buf, s.buf[s.span.pos:s.end])
		s.buf = buf
		s.offset += int64(s.span.pos)
		s.span.pos = 0
	} else {
		s.offset += int64(s.end)
	}
	s.pos = kept
	n, err := io.ReadAtLeast(s.r, s.buf[kept:], 1)
	s.end, s.err = kept+n, err
	return n > 0
}
