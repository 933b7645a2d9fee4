package report

import (
	"bufio"
	"bytes"
	"errors"
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
	Spools   ports.SpoolStore // where rows wait until the widths of columns are known
	Location *time.Location   // of dates, nil for UTC
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
			table.number(1, int64(r.Record))
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

// textTable gathers the rows of a table in a spool, each as wide as the columns were by then. Where blanks may be missing,
// because a wider cell came later, it has a mark, and behind that the column: in front of a number, and behind a text.
type textTable struct {
	*output
	table

	widths   []int
	narrower []narrower
	cell     []byte
	rows     int
}

// narrower is how wide the columns were in the rows before one.
type narrower struct {
	before int
	widths []int
}

// mark stands in no cell: in a line it would be a blank.
const mark = 0

func (t *textTable) number(column int, n int64) {
	t.cell = strconv.AppendInt(t.cell[:0], n, 10)
	t.right(column)
}

func (t *textTable) date(column int, date time.Time) {
	t.cell = date.AppendFormat(t.cell[:0], time.DateTime)
	t.right(column)
}

func (t *textTable) right(column int) {
	blanks := t.missing(column, len(t.cell))
	t.buf = appendBlanks(append(t.buf, mark, byte(column)), blanks)
	t.buf = append(append(t.buf, t.cell...), gap...)
}

func (t *textTable) text(column int, text string) {
	text, width := line(text)
	t.buf = append(t.buf, text...)
	if column < len(t.columns)-1 {
		t.buf = appendBlanks(t.buf, t.missing(column, width))
		t.buf = append(append(t.buf, mark, byte(column)), gap...)
	}
}

// missing is how many blanks make a cell as wide as its column, which it may widen.
func (t *textTable) missing(column, width int) int {
	if wider := min(width, widest); wider > t.widths[column] {
		t.narrower = append(t.narrower, narrower{t.rows, slices.Clone(t.widths)})
		t.widths[column] = wider
	}
	return max(0, t.widths[column]-width)
}

func (t *textTable) rowEnds() error {
	t.buf = bytes.TrimRight(t.buf, " ")
	for len(t.buf) > 1 && t.buf[len(t.buf)-2] == mark { // of a column behind which nothing stands
		t.buf = bytes.TrimRight(t.buf[:len(t.buf)-2], " ")
	}
	t.buf = append(t.buf, '\n')
	t.rows++
	return t.output.rowEnds()
}

// write writes the table, with the rows that are in a spool.
func (t *textTable) write(o *output, spool io.Reader) error {
	o.buf = append(o.buf, t.title...)
	o.buf = append(o.buf, "\n\n"...)
	t.headLine(o, func(i int) string { return t.columns[i].name })
	t.headLine(o, func(i int) string {
		if i == len(t.columns)-1 { // texts of any length are there
			return strings.Repeat("-", len(t.columns[i].name))
		}
		return strings.Repeat("-", t.widths[i])
	})
	if t.rows == 0 {
		o.buf = append(o.buf, none...)
	}
	r, row := bufio.NewReaderSize(spool, outputSize), -1
	for {
		part, err := r.ReadSlice(mark)
		if err == nil {
			part = part[:len(part)-1]
		}
		o.buf = append(o.buf, part...)
		if err == nil {
			var column byte
			column, err = r.ReadByte()
			if column == 0 {
				row++
			}
			o.buf = appendBlanks(o.buf, t.later(row, int(column)))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("read spool: %w", err)
		}
		err = o.rowEnds()
		if err != nil {
			return err
		}
	}
}

// headLine writes a line of texts that are not wider than their columns.
func (t *textTable) headLine(o *output, text func(column int) string) {
	for i, column := range t.columns {
		cell := text(i)
		blanks := t.widths[i] - len(cell)
		switch {
		case i == len(t.columns)-1:
			o.buf = append(append(o.buf, cell...), '\n')
		case column.kind == number:
			o.buf = append(append(appendBlanks(o.buf, blanks), cell...), gap...)
		default:
			o.buf = append(appendBlanks(append(o.buf, cell...), blanks), gap...)
		}
	}
}

// later is how much wider a column has become since a row was gathered. The rows are asked for in their order.
func (t *textTable) later(row, column int) int {
	for len(t.narrower) > 0 && t.narrower[0].before <= row {
		t.narrower = t.narrower[1:]
	}
	if len(t.narrower) == 0 {
		return 0
	}
	return t.widths[column] - t.narrower[0].widths[column]
}

func appendBlanks(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

// characterWidths measures as most terminals and editors do, and not as the locale of this machine says.
var characterWidths = &runewidth.Condition{StrictEmojiNeutral: true}

// line returns a text in one line, and how wide it is. What would break the line or turn its direction becomes a blank.
func line(text string) (string, int) {
	if isPlain(text) {
		return text, len(text)
	}
	text = oneLine(text)
	return text, characterWidths.StringWidth(text)
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
