package bulkfile

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

	"rollcall/domain"
)

// sheetRows are the rows of a sheet.
type sheetRows struct {
	book *book
	part io.Reader
	xml  xmlScanner

	row    []cell
	texts  []byte // of the row's cells, one after another
	broken bool   // nobody can make sense of the row
	value  bookText
}

func (r *sheetRows) current() ([]cell, bool) { return r.row, r.broken }

// next implements rows.
func (r *sheetRows) next() (bool, error) {
	for {
		err := r.xml.tag()
		switch {
		case err != nil:
		case r.xml.ends("sheetData") || r.xml.is("sheetData") && r.xml.empty:
			_, err = io.Copy(io.Discard, r.part) // at whose end the archive's checksum is compared
			if err == nil {
				return false, nil
			}
		case r.xml.is("row"):
			err = r.readRow()
			if err == nil {
				return true, nil
			}
		}
		if err != nil {
			return false, r.book.broken(err)
		}
	}
}

func (r *sheetRows) readRow() error {
	r.row, r.texts, r.broken = r.row[:0], r.texts[:0], false
	if r.xml.empty {
		return nil
	}
	for column := 0; ; column++ {
		err := r.xml.tag()
		for err == nil && !r.xml.is("c") && !r.xml.ends("row") {
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

// readCell reads a cell, and returns its column, which is the expected one unless the cell says another.
func (r *sheetRows) readCell(column int) (int, error) {
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
	c := cell{text: r.value}
	switch kind {
	case "n":
		c.text = plainNumber(c.text)
		c.number = true
		if style >= 0 && style < len(r.book.isDate) && r.book.isDate[style] {
			c.text, c.number = r.book.date(c.text), false
		}
	case "s":
		c.text, err = r.book.text(c.text)
		if err != nil {
			return column, err
		}
	case "b":
		c.text = []byte(strings.ToUpper(strconv.FormatBool(c.text[0] == '1')))
	case "d":
		c.text, _, _ = bytes.Cut(c.text, []byte("T"))
	default:
		c.text = withoutEscapes(c.text)
	}
	r.put(column, c)
	return column, nil
}

// cellKind returns a type of cells as a constant.
func cellKind(value []byte) string {
	for _, kind := range [...]string{"s", "n", "b", "d"} {
		if string(value) == kind {
			return kind
		}
	}
	return "inlineStr" // or the text of a formula, or of an error
}

// readValue reads what is in a cell.
func (r *sheetRows) readValue() error {
	if r.xml.empty {
		return nil
	}
	for {
		err := r.xml.tag()
		switch {
		case err != nil:
		case r.xml.ends("c"):
			return nil
		case r.xml.is("v") && !r.xml.empty:
			err = r.xml.text(r.value.put)
		case r.xml.is("is"):
			err = r.value.read(&r.xml, "is")
		}
		if err != nil {
			return err
		}
	}
}

// put takes a cell into the row.
func (r *sheetRows) put(column int, c cell) {
	if column >= maxFields {
		r.broken = r.broken || len(bytes.TrimSpace(c.text)) > 0
		return
	}
	for len(r.row) <= column {
		r.row = append(r.row, cell{})
	}
	c.cut = len(c.text) == maxBookText
	if room := roomFor(len(r.texts), 0); len(c.text) > room {
		c.text, c.cut = c.text[:room], true
	}
	from := len(r.texts)
	r.texts = append(r.texts, c.text...)
	c.text = r.texts[from:]
	c.mend()
	r.row[column] = c
}

// columnOf returns the column of a cell by its name, like AB12, and at most maxFields.
func columnOf(name []byte, otherwise int) int {
	n := 0
	for _, c := range name {
		c &^= 'a' - 'A'
		if c < 'A' || c > 'Z' || n > maxFields {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	if n == 0 {
		return otherwise
	}
	return min(n-1, maxFields)
}

// text returns the shared text of a number.
func (b *book) text(number []byte) ([]byte, error) {
	n, err := strconv.Atoi(string(bytes.TrimSpace(number)))
	if err == nil {
		var text []byte
		var found bool
		text, found, b.err = b.texts.text(n)
		if found {
			return text, nil
		}
	}
	return nil, errors.New("a cell has a text that is not there")
}

// bookText is a text of a workbook, as much of it as is kept.
type bookText []byte

// maxBookText is how many bytes of a text are kept. A text as long as this was cut.
const maxBookText = pageSize / 2

func (t *bookText) put(piece []byte) {
	*t = append(*t, piece[:min(len(piece), maxBookText-len(*t))]...)
}

// read adds the text in the element that was begun last. Its parts may each have a style. How it is read aloud, which
// Japanese workbooks say besides, is passed over.
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
		case x.is("rPh"):
			err = x.skip()
		case x.is("t") && !x.empty:
			err = x.text(t.put)
		}
		if err != nil {
			return err
		}
	}
}

// withoutEscapes resolves in place what a workbook has for characters that XML cannot have, like _x000D_.
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

// escapedUnit returns the UTF-16 unit that a text begins with, if that is escaped.
func escapedUnit(text []byte) (rune, bool) {
	const length = len("_x0000_")
	if len(text) < length || text[0] != '_' || text[1] != 'x' || text[length-1] != '_' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:length-1]), 16, 16)
	return rune(unit), err == nil
}

// plainNumber writes a number as people do.
func plainNumber(text []byte) []byte {
	if !bytes.ContainsAny(text, ".eE") {
		return text
	}
	number, err := strconv.ParseFloat(string(text), 64)
	const exact = 1e15 // digits that Excel keeps
	if err != nil || math.Abs(number) >= exact {
		return text
	}
	return strconv.AppendFloat(nil, number, 'f', -1, 64)
}

// convert makes a date of a number in a column of birthdays, also where no format says that it is one. What may be a year
// alone remains.
func (b *book) convert(field domain.PersonField, c cell) []byte {
	const beyondYears = 10_000 // in 1927
	if field != domain.PersonBirthday || !c.number {
		return c.text
	}
	number, err := strconv.ParseFloat(string(c.text), 64)
	if err != nil || number < beyondYears {
		return c.text
	}
	return b.date(c.text)
}

// date returns the date that Excel has a number for, or the number if there is none.
func (b *book) date(text []byte) []byte {
	const lastDay = 2_958_465 // of the year 9999
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil || number < 1 && !b.from1904 || number < 0 || number > lastDay {
		return text
	}
	const halfSecond = 0.5 / (24 * 60 * 60) // by which programs miss midnight
	days := int(math.Floor(number + halfSecond))
	first := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case b.from1904:
		first = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return []byte("1900-02-29") // which was not, but Excel counts it
	case days < 60:
		days++
	}
	return first.AddDate(0, 0, days).AppendFormat(nil, time.DateOnly)
}

// isDateNumber tells whether one of the formats that every workbook has is of dates.
func isDateNumber(id int) bool {
	return id >= 14 && id <= 17 || id == 22 || id >= 27 && id <= 31 || id == 36 || id >= 50 && id <= 54 || id == 57 || id == 58
}

// isDateFormat tells whether a format shows a day or a year.
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
		case c == '\\' || c == '_' || c == '*': // the next character is shown, as wide as, or repeated
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
