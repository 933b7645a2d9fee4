package xlsx

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"rollcall/adapters/bulkfile/scan"
)

// A sheet is a sheet that is read.
type sheet struct {
	book *Book
	part io.Reader
	xml  xmlScanner

	row   scan.Row
	texts []byte   // of the row's cells
	value bookText // of the cell
}

// next reads the next row, and returns false when there is none.
func (r *sheet) next() (bool, error) {
	for {
		err := r.xml.tag()
		if err != nil {
			return false, err
		}
		switch {
		case r.xml.ends("sheetData") || r.xml.begins("sheetData") && r.xml.empty:
			_, err = io.Copy(io.Discard, r.part) // at the end the archive compares the checksum
			return false, err
		case r.xml.begins("row"):
			return true, r.readRow()
		}
	}
}

func (r *sheet) readRow() error {
	r.row.Cells, r.texts, r.row.Broken = r.row.Cells[:0], r.texts[:0], false
	if r.xml.empty {
		return nil
	}
	for column := 0; ; column++ {
		err := r.xml.tag()
		for err == nil && !r.xml.begins("c") && !r.xml.ends("row") {
			err = r.xml.tag()
		}
		if err != nil || r.xml.closing {
			return err
		}
		column, err = r.readCell(column)
		if err != nil {
			return err
		}
	}
}

// readCell reads a cell, and returns its column: the expected one, unless the cell names another.
func (r *sheet) readCell(column int) (int, error) {
	kind, style := "n", 0
	for name, value, rest := attribute(r.xml.attributes); len(name) > 0; name, value, rest = attribute(rest) {
		switch string(name) {
		case "r":
			column = columnOf(value, column)
		case "s":
			style, _ = strconv.Atoi(string(value))
		case "t":
			kind = cellKind(value)
		}
	}
	r.value = r.value[:0]
	err := r.readValue()
	if err != nil || len(r.value) == 0 {
		return column, err
	}
	c := scan.Cell{Text: r.value}
	switch kind {
	case "n":
		c.Text = plainNumber(c.Text)
		c.IsNumber = true
		if style >= 0 && style < len(r.book.isDate) && r.book.isDate[style] {
			c.Text, c.IsNumber = r.book.Date(c.Text), false
		}
	case "s":
		c.Text, err = r.book.text(c.Text)
		if err != nil {
			return column, err
		}
	case "b":
		c.Text = []byte(strings.ToUpper(strconv.FormatBool(c.Text[0] == '1')))
	case "d":
		c.Text, _, _ = bytes.Cut(c.Text, []byte("T"))
	default:
		c.Text = withoutEscapes(c.Text)
	}
	r.put(column, c)
	return column, nil
}

// cellKind returns a type of cells as a constant, without an allocation.
func cellKind(value []byte) string {
	for _, kind := range [...]string{"s", "n", "b", "d"} {
		if string(value) == kind {
			return kind
		}
	}
	return "inlineStr" // or the text of a formula or an error
}

// readValue reads the value of a cell.
func (r *sheet) readValue() error {
	if r.xml.empty {
		return nil
	}
	for {
		err := r.xml.tag()
		switch {
		case err != nil:
		case r.xml.ends("c"):
			return nil
		case r.xml.begins("v") && !r.xml.empty:
			err = r.xml.text(r.value.put)
		case r.xml.begins("is"):
			err = r.value.read(&r.xml, "is")
		}
		if err != nil {
			return err
		}
	}
}

// put adds a cell to the row.
func (r *sheet) put(column int, c scan.Cell) {
	if column >= scan.MaxCells {
		r.row.Broken = r.row.Broken || !c.IsBlank()
		return
	}
	for len(r.row.Cells) <= column {
		r.row.Cells = append(r.row.Cells, scan.Cell{})
	}
	c.Cut = len(c.Text) == maxBookText
	if room := r.book.limits.Room(len(r.texts), 0); len(c.Text) > room {
		c.Text, c.Cut = c.Text[:room], true
	}
	from := len(r.texts)
	r.texts = append(r.texts, c.Text...)
	c.Text, c.Malformed = scan.ValidText(r.texts[from:], c.Cut)
	r.row.Cells[column] = c
}

// columnOf returns the column of a cell with a name such as AB12, but at most scan.MaxCells.
func columnOf(name []byte, otherwise int) int {
	n := 0
	for _, c := range name {
		c &^= 'a' - 'A'
		if c < 'A' || c > 'Z' || n > scan.MaxCells {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	if n == 0 {
		return otherwise
	}
	return min(n-1, scan.MaxCells)
}

// text returns the shared text with a number.
func (b *Book) text(number []byte) ([]byte, error) {
	n, err := strconv.Atoi(string(bytes.TrimSpace(number)))
	if err == nil {
		var text []byte
		var found bool
		text, found, b.err = b.texts.text(n)
		if found {
			return text, nil
		}
	}
	return nil, errors.New("a cell refers to a shared text that is missing")
}

// bookText is a text of a workbook, cut to maxBookText bytes.
type bookText []byte

// maxBookText is the maximum length of a text, in bytes. A text of this length was cut.
const maxBookText = pageSize / 2

func (t *bookText) put(piece []byte) {
	*t = append(*t, piece[:min(len(piece), maxBookText-len(*t))]...)
}

// read adds the text of the element that began last. Its parts may each have a style. Phonetic hints, which Japanese workbooks
// have, are skipped.
func (t *bookText) read(x *xmlScanner, element string) error {
	if x.empty {
		return nil
	}
	for {
		err := x.tag()
		switch {
		case err != nil:
		case x.ends(element):
			return nil
		case x.begins("rPh"):
			err = x.skip()
		case x.begins("t") && !x.empty:
			err = x.text(t.put)
		}
		if err != nil {
			return err
		}
	}
}

// withoutEscapes replaces in place the sequences for characters that XML cannot have, such as _x000D_.
func withoutEscapes(text []byte) []byte {
	const length = len("_x0000_")
	n := bytes.Index(text, []byte("_x"))
	if n < 0 {
		return text
	}
	plain := text[:n]
	for text = text[n:]; len(text) > 0; {
		unit, ok := escapedUnit(text)
		if !ok {
			plain = append(plain, text[0])
			text = text[1:]
			continue
		}
		text = text[length:]
		if low, ok := escapedUnit(text); ok && utf16.IsSurrogate(unit) && utf16.IsSurrogate(low) {
			unit = utf16.DecodeRune(unit, low)
			text = text[length:]
		}
		plain = utf8.AppendRune(plain, unit)
	}
	return plain
}

// escapedUnit returns the UTF-16 unit that the sequence at the beginning of a text stands for, and whether there is one.
func escapedUnit(text []byte) (rune, bool) {
	const length = len("_x0000_")
	if len(text) < length || text[0] != '_' || text[1] != 'x' || text[length-1] != '_' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:length-1]), 16, 16)
	return rune(unit), err == nil
}

// plainNumber returns a number without an exponent, and as short as possible.
func plainNumber(text []byte) []byte {
	if !bytes.ContainsAny(text, ".eE") {
		return text
	}
	number, err := strconv.ParseFloat(string(text), 64)
	const exact = 1e15 // Excel keeps 15 digits
	if err != nil || math.Abs(number) >= exact {
		return text
	}
	return strconv.AppendFloat(nil, number, 'f', -1, 64)
}

// Date returns the date that a number of days stands for, as YYYY-MM-DD, or the number if there is none.
func (b *Book) Date(text []byte) []byte {
	const lastDay = 2_958_465 // of the year 9999
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil || number < 1 && !b.from1904 || number < 0 || number > lastDay {
		return text
	}
	const halfSecond = 0.5 / (24 * 60 * 60) // rounding errors of programs at midnight are smaller
	days := int(math.Floor(number + halfSecond))
	first := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case b.from1904:
		first = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return []byte("1900-02-29") // there was no such day, but Excel counts it
	case days < 60:
		days++
	}
	return first.AddDate(0, 0, days).AppendFormat(nil, time.DateOnly)
}

// isDateNumber reports whether a built-in format shows dates.
func isDateNumber(id int) bool {
	return id >= 14 && id <= 17 || id == 22 || id >= 27 && id <= 31 || id == 36 || id >= 50 && id <= 54 || id == 57 || id == 58
}

// isDateFormat reports whether a format shows a day or a year.
func isDateFormat(code string) bool {
	var quote rune
	escaped := false
	for _, c := range code {
		switch {
		case escaped:
			escaped = false
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\\' || c == '_' || c == '*': // the next character is literal, a width, or a filler
			escaped = true
		case c == '"':
			quote = '"'
		case c == '[':
			quote = ']'
		case strings.ContainsRune("dDyY", c):
			return true
		}
	}
	return false
}
