package xlsx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
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
	texts []byte // of the row's cells
	begun bool   // the tag of the next row has been read

	// Of the cell.
	value    bookText // of <v>
	inline   bookText // of <is>
	formula  bookText // of <f>
	hasValue bool     // there is a <v>, which may be empty
	computed bool     // there is an <f>
	shown    []byte   // the value by its format
}

// next reads the next row, and returns false when there is none.
func (r *sheet) next() (bool, error) {
	for {
		if !r.begun {
			err := r.xml.tag()
			if err != nil {
				return false, err
			}
		}
		switch {
		case r.xml.ends("sheetData") || r.xml.begins("sheetData") && r.xml.empty:
			_, err := io.Copy(io.Discard, r.part) // at the end the archive compares the checksum
			return false, err
		case r.xml.begins("row"):
			return true, r.readRow()
		}
		r.begun = false
	}
}

// readRow reads a row. Some programs write a <row> for each of its cells.
func (r *sheet) readRow() error {
	r.row = scan.Row{Cells: r.row.Cells[:0], Line: r.row.Line}
	r.row.Line, r.row.Hidden = r.rowAttributes()
	r.texts = r.texts[:0]
	for {
		err := r.readCells()
		if err == nil {
			err = r.xml.tag()
		}
		if err != nil {
			return err
		}
		r.begun = true
		if !r.xml.begins("row") {
			return nil
		}
		if number, _ := r.rowAttributes(); number != r.row.Line {
			return nil
		}
	}
}

// rowAttributes returns the number of the row that began last, and whether it is hidden.
func (r *sheet) rowAttributes() (number int, hidden bool) {
	number = r.row.Line + 1
	for name, value, rest := attribute(r.xml.attributes); len(name) > 0; name, value, rest = attribute(rest) {
		switch string(name) {
		case "r":
			if n, err := strconv.Atoi(string(value)); err == nil && n > 0 && n <= math.MaxInt32 {
				number = n
			}
		case "hidden":
			hidden, _ = strconv.ParseBool(string(value))
		}
	}
	return number, hidden
}

func (r *sheet) readCells() error {
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
	err := r.readValue()
	if err != nil {
		return column, err
	}
	var f *format
	if style >= 0 && style < len(r.book.formats) {
		f = r.book.formats[style]
	}
	c, err := r.cell(kind, f)
	if err == nil && len(c.Text) > 0 {
		r.put(column, c)
	}
	return column, err
}

// cell returns the cell that has been read.
func (r *sheet) cell(kind string, f *format) (c scan.Cell, err error) {
	c.Text = r.value
	switch {
	case r.isUncomputed(kind):
		r.shown = append(append(r.shown[:0], '='), r.formula...)
		return scan.Cell{Text: r.shown, Fault: scan.Uncomputed}, nil
	case len(r.inline) > 0:
		kind, c.Text = "inlineStr", r.inline
	case len(r.value) == 0:
		return c, nil
	}
	switch kind {
	case "n":
		c.Text, c.IsNumber = plainNumber(bytes.TrimSpace(c.Text)), true
		if f != nil {
			r.showNumber(&c, f)
		}
		return c, nil
	case "s":
		c.Text, err = r.book.text(c.Text)
		if err != nil {
			return c, fmt.Errorf("row %d: %w", r.row.Line, err)
		}
	case "b":
		c.Text = []byte(strings.ToUpper(strconv.FormatBool(c.Text[0] == '1')))
		return c, nil
	case "d":
		c.Text, _, _ = bytes.Cut(c.Text, []byte("T"))
		c.Fault = scan.Date
		return c, nil
	case "e":
		c.Fault = scan.CellError
		return c, nil
	default:
		c.Text = withoutEscapes(c.Text)
	}
	if len(c.Text) > 0 && c.Text[0] == twoTexts {
		c.Text, c.Fault = c.Text[1:], scan.CellError
	}
	if f != nil && f.text != nil && len(c.Text) > 0 && len(c.Text) < maxBookText {
		r.shown = f.text.show(r.shown[:0], c.Text)
		c.Text = r.shown
	}
	return c, nil
}

// isUncomputed reports whether the cell has a formula without its result. The program that wrote the workbook did not compute it. Only
// a text can be an empty result. Where Excel must compute all formulas when it opens the workbook, a program has written 0 for each.
func (r *sheet) isUncomputed(kind string) bool {
	switch {
	case !r.computed || len(r.inline) > 0:
		return false
	case len(r.value) == 0:
		return kind != "str" || !r.hasValue
	}
	return r.book.isUncomputed && kind == "n" && string(r.value) == "0"
}

// showNumber sets the text of a number to what its format shows.
func (r *sheet) showNumber(c *scan.Cell, f *format) {
	if f.isDate {
		date := r.book.Date(c.Text)
		if !bytes.Equal(date, c.Text) {
			c.Fault = scan.Date
		}
		c.Text, c.IsNumber = date, false
		return
	}
	shown, isOther := f.showNumber(r.shown[:0], c.Text)
	if isOther {
		c.Text, c.IsNumber = shown, false
	}
	r.shown = shown
}

// cellKind returns a type of cells as a constant, without an allocation.
func cellKind(value []byte) string {
	for _, kind := range [...]string{"s", "n", "str", "b", "d", "e"} {
		if string(value) == kind {
			return kind
		}
	}
	return "inlineStr"
}

// readValue reads the value of a cell.
func (r *sheet) readValue() error {
	r.value, r.inline, r.formula, r.hasValue, r.computed = r.value[:0], r.inline[:0], r.formula[:0], false, false
	if r.xml.empty {
		return nil
	}
	for {
		err := r.xml.tag()
		switch {
		case err != nil:
		case r.xml.ends("c"):
			return nil
		case r.xml.begins("v"):
			r.hasValue = true
			if !r.xml.empty {
				err = r.xml.text(r.value.put)
			}
		case r.xml.begins("is"):
			err = r.inline.read(&r.xml, "is")
		case r.xml.begins("f"):
			r.computed = true
			if !r.xml.empty {
				err = r.xml.text(r.formula.put)
			}
		}
		if err != nil {
			return err
		}
	}
}

// put adds a cell to the row. Two values of one cell are an error: they may be those of two people.
func (r *sheet) put(column int, c scan.Cell) {
	if column >= scan.MaxCells { // a remark beside the table
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
	if before := r.row.Cells[column].Text; len(before) > 0 && !bytes.Equal(before, c.Text) {
		c.Fault = scan.CellError
	}
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

// twoTexts begins a text that has a plain part beside parts with styles: programs differ in which of them they show. No UTF-8 has this byte.
const twoTexts = 0xFF

// read adds the text of the element that began last. Its parts may each have a style. Phonetic hints, which Japanese workbooks
// have, are skipped.
func (t *bookText) read(x *xmlScanner, element string) error {
	if x.empty {
		return nil
	}
	isStyled, plain := false, 0 // bytes before the parts with styles
	for {
		err := x.tag()
		switch {
		case err != nil:
		case x.ends(element):
			if plain > 0 && len(*t) > plain {
				*t = slices.Insert(*t, 0, twoTexts)
			}
			return nil
		case x.begins("r") && !isStyled:
			isStyled, plain = true, len(*t)
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

// plainNumber returns a number without an exponent, and as short as possible. Excel shows 15 digits of a number, and programs that write
// more have computed with them.
func plainNumber(text []byte) []byte {
	if !bytes.ContainsAny(text, ".eE") {
		return text
	}
	const digits = 15
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(number) >= 1e15 {
		return text
	}
	number, _ = strconv.ParseFloat(strconv.FormatFloat(number, 'g', digits, 64), 64)
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
