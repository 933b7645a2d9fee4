package report

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"rollcall/domain"
	"rollcall/ports"
)

// TXT writes a report as two tables to be read as they are, in UTF-8, with columns that are aligned where each character
// is shown in the width that Unicode gives it.
type TXT struct {
	Spools   ports.Spools   // where rows wait until the widths of columns are known
	Location *time.Location // of dates, nil for UTC
}

const (
	// widest is how wide a column is made: for the longest login, in characters of double width. What is wider moves the
	// rest of its own line only.
	widest = 2 * (domain.MaxLength + 1)

	gap  = "  " // between columns
	none = "none\n"
)

// Write implements ports.ReportWriter.
func (t TXT) Write(w io.Writer, report ports.Report) error {
	o := newOutput(w)
	err := t.table(o, codes, func(table *textTable) error {
		return each("imports", report.Imports, func(i *domain.Import) error {
			table.number(0, i.ID)
			table.number(1, int64(i.Status))
			table.text(2, i.Method)
			table.date(3, local(i.Date, t.Location))
			table.text(4, i.Description)
			return table.rowEnds()
		})
	})
	if err != nil {
		return err
	}
	o.buf = append(o.buf, '\n')
	err = t.table(o, badUsers, func(table *textTable) error {
		return each("rejections", report.Rejections, func(r *domain.Rejection) error {
			table.number(0, r.Import)
			table.number(1, int64(r.Object))
			table.text(2, r.Login)
			table.text(3, r.Description)
			return table.rowEnds()
		})
	})
	if err != nil {
		return err
	}
	return o.flush()
}

// table writes a table, with the rows that fill puts in.
func (t TXT) table(o *output, looks table, fill func(*textTable) error) (err error) {
	spool := t.Spools.New()
	defer func() {
		closed := spool.Close()
		if err == nil && closed != nil {
			err = fmt.Errorf("close spool: %w", closed)
		}
	}()
	table := &textTable{output: newOutput(spool), table: looks, widths: make([]int, len(looks.columns))}
	for i, column := range looks.columns {
		table.widths[i] = len(column.name)
	}
	err = fill(table)
	if err == nil {
		err = table.flush()
	}
	if err != nil {
		return err
	}
	return table.write(o, spool.Reader())
}

// textTable gathers the rows of a table in a spool, and the widths of its columns.
//
// In the spool a cell is its size in bytes, twice, plus one if its width is another; then that width, if so; then its
// bytes.
type textTable struct {
	*output
	table

	widths []int
	cell   []byte
	rows   int
}

func (t *textTable) number(column int, n int64) {
	t.cell = strconv.AppendInt(t.cell[:0], n, 10)
	t.buf = t.begin(column, len(t.cell), len(t.cell))
	t.buf = append(t.buf, t.cell...)
}

func (t *textTable) date(column int, date time.Time) {
	t.cell = date.AppendFormat(t.cell[:0], time.DateTime)
	t.buf = t.begin(column, len(t.cell), len(t.cell))
	t.buf = append(t.buf, t.cell...)
}

func (t *textTable) text(column int, text string) {
	text, width := line(text)
	t.buf = t.begin(column, len(text), width)
	t.buf = append(t.buf, text...)
}

// begin appends what stands before the bytes of a cell.
func (t *textTable) begin(column, size, width int) []byte {
	t.widths[column] = max(t.widths[column], min(width, widest))
	if width == size {
		return binary.AppendUvarint(t.buf, 2*uint64(size))
	}
	return binary.AppendUvarint(binary.AppendUvarint(t.buf, 2*uint64(size)+1), uint64(width))
}

func (t *textTable) rowEnds() error {
	t.rows++
	return t.output.rowEnds()
}

// write writes the table, with the rows that are in a spool.
func (t *textTable) write(o *output, spool io.Reader) error {
	o.buf = append(o.buf, t.title...)
	o.buf = append(o.buf, "\n\n"...)
	for i, column := range t.columns {
		t.cell = append(t.cell[:0], column.name...)
		o.buf = t.appendCell(o.buf, i, len(column.name))
	}
	last := len(t.columns) - 1
	for i, width := range t.widths {
		if i == last {
			width = len(t.columns[i].name) // texts of any length are there
		}
		t.cell = append(t.cell[:0], strings.Repeat("-", width)...)
		o.buf = t.appendCell(o.buf, i, width)
	}
	if t.rows == 0 {
		o.buf = append(o.buf, none...)
	}
	r := bufio.NewReaderSize(spool, outputSize)
	for range t.rows {
		for i := range t.columns {
			width, err := t.read(r)
			if err != nil {
				return fmt.Errorf("read spool: %w", err)
			}
			o.buf = t.appendCell(o.buf, i, width)
		}
		err := o.rowEnds()
		if err != nil {
			return err
		}
	}
	return nil
}

// read takes the next cell out of the spool, and returns its width.
func (t *textTable) read(r *bufio.Reader) (int, error) {
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, err
	}
	width := size / 2
	if size%2 != 0 {
		width, err = binary.ReadUvarint(r)
		if err != nil {
			return 0, err
		}
	}
	t.cell = slices.Grow(t.cell[:0], int(size/2))[:size/2]
	_, err = io.ReadFull(r, t.cell)
	return int(width), err
}

// appendCell appends the cell, numbers to the right of their column and texts to the left. Behind the last one the line
// ends.
func (t *textTable) appendCell(dst []byte, column, width int) []byte {
	blanks := t.widths[column] - width
	if t.columns[column].kind == number {
		dst = appendBlanks(dst, blanks)
	}
	dst = append(dst, t.cell...)
	if column == len(t.columns)-1 {
		return append(bytes.TrimRight(dst, " "), '\n')
	}
	if t.columns[column].kind != number {
		dst = appendBlanks(dst, blanks)
	}
	return append(dst, gap...)
}

func appendBlanks(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

// widths measures as most terminals and editors do, and not as the locale of this machine says.
var widths = &runewidth.Condition{StrictEmojiNeutral: true}

// line returns a text in one line, and how wide it is. What would break the line or turn its direction becomes a blank.
func line(text string) (string, int) {
	if isPlain(text) {
		return text, len(text)
	}
	text = oneLine(text)
	return text, widths.StringWidth(text)
}

// isPlain tells whether a text is nothing but printable ASCII, eight bytes at a time: neither a byte, nor what is 0x20
// less, nor what is one more, has its highest bit set.
func isPlain(text string) bool {
	const ones = 0x0101010101010101
	for len(text) >= 8 {
		eight := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
			uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		if (eight|(eight-' '*ones)|(eight+ones))&(0x80*ones) != 0 {
			return false
		}
		text = text[8:]
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// oneLine returns the text itself where nothing is to be replaced.
func oneLine(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	if strings.IndexFunc(text, isUnprintable) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isUnprintable(r) {
			return ' '
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

// isUnprintable tells whether a character breaks a line, turns its direction, or does something else to a terminal.
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
