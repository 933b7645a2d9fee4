package report

import (
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"rollcall/ports"
)

// TXT writes a report as two tables for people to read, in UTF-8, with line ends that every editor on Windows knows. Columns are aligned
// where each character has the width that Unicode gives it. A cell that is wider than its column shifts the rest of its line.
type TXT struct {
	Location *time.Location // of dates, nil for UTC
}

const (
	gap  = "  " // between columns
	none = "none" + endOfLine
)

// Write implements ports.ReportWriter.
func (t TXT) Write(w io.Writer, report ports.Report) error {
	o := newOutput(w)
	err := writeTXT(o, codesIn(t.Location), "imports", report.Imports)
	if err != nil {
		return err
	}
	o.buf = append(o.buf, endOfLine...)
	err = writeTXT(o, badUsers, "rejections", report.Rejections)
	if err != nil {
		return err
	}
	return o.flush()
}

// writeTXT writes a table with a row for each value.
func writeTXT[T any](o *output, t table[T], name string, values iter.Seq2[T, error]) error {
	o.buf = append(append(o.buf, t.title...), endOfLine+endOfLine...)
	for i := range t.columns {
		c := &t.columns[i]
		if c.number != nil {
			o.buf = appendRight(o.buf, c.name, c.width)
		} else {
			o.buf = appendLeft(o.buf, c.name, len(c.name), c.width)
		}
	}
	o.endLine()
	for i := range t.columns {
		c := &t.columns[i]
		o.buf = appendLeft(o.buf, strings.Repeat("-", max(c.width, len(c.name))), 0, 0)
	}
	o.endLine()
	empty := true
	var cell []byte
	err := each(name, values, func(row *T) error {
		empty = false
		for i := range t.columns {
			switch c := &t.columns[i]; {
			case c.number != nil:
				cell = strconv.AppendInt(cell[:0], c.number(row), 10)
				o.buf = appendRight(o.buf, cell, c.width)
			case c.date != nil:
				cell = c.date(row).AppendFormat(cell[:0], time.DateTime)
				o.buf = appendRight(o.buf, cell, c.width)
			default:
				text, width := oneLine(c.text(row))
				o.buf = appendLeft(o.buf, text, width, c.width)
			}
		}
		o.endLine()
		return o.endRow()
	})
	if empty {
		o.buf = append(o.buf, none...)
	}
	return err
}

// appendRight appends a cell of ASCII at the right of its column.
func appendRight[T string | []byte](dst []byte, cell T, width int) []byte {
	dst = appendBlanks(dst, width-len(cell))
	return append(append(dst, cell...), gap...)
}

// appendLeft appends a cell of cellWidth at the left of its column.
func appendLeft(dst []byte, cell string, cellWidth, width int) []byte {
	dst = appendBlanks(append(dst, cell...), width-cellWidth)
	return append(dst, gap...)
}

func appendBlanks(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

// endLine ends a line, without trailing blanks.
func (o *output) endLine() {
	for len(o.buf) > 0 && o.buf[len(o.buf)-1] == ' ' {
		o.buf = o.buf[:len(o.buf)-1]
	}
	o.buf = append(o.buf, endOfLine...)
}

// characterWidths measures as most terminals and editors do. It does not depend on the locale of the machine.
var characterWidths = &runewidth.Condition{StrictEmojiNeutral: true}

// oneLine returns a text in one line, and its width. A character that would break the line or reverse its direction becomes a
// blank.
func oneLine(text string) (string, int) {
	if isPlain(text) {
		return text, len(text)
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	if strings.IndexFunc(text, isUnprintable) >= 0 {
		text = strings.Map(func(r rune) rune {
			if isUnprintable(r) {
				return ' '
			}
			return r
		}, strings.ReplaceAll(text, "\r\n", "\n"))
	}
	return text, characterWidths.StringWidth(text)
}

// isPlain reports whether a text is printable ASCII.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// isUnprintable reports whether a character breaks a line, reverses its direction, or controls a terminal.
func isUnprintable(r rune) bool {
	switch {
	case r < 0x7f:
		return r < ' '
	case r < 0x0600:
		return r < 0xa0
	default:
		return unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	}
}
