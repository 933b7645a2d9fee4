package bulkfile

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/domain"
	"rollcall/ports"
)

// rows are those of a table.
type rows interface {
	// next goes on to the next row, and returns false when there is none.
	next() (bool, error)

	// current returns the row, valid until the next, and whether nobody can make sense of it.
	current() ([]cell, bool)
}

// decodeTable yields the candidates of a table.
func decodeTable(r rows, yield func(*domain.Candidate, error) bool) error {
	table, err := readHeader(r)
	if err != nil {
		return err
	}
	for number := 1; ; {
		more, err := r.next()
		if err != nil {
			return err
		}
		if !more && number == 1 {
			return &domain.BrokenFileError{Reason: "there are no rows below the names of the columns"}
		}
		if !more {
			return nil
		}
		row, broken := r.current()
		if !broken && isBlank(row) {
			continue
		}
		if !yield(table.read(number, row, broken), nil) {
			return errStop
		}
		number++
	}
}

// readHeader reads the first row with something in it. Excel's own line that names the delimiter is none.
func readHeader(r rows) (*tableReader, error) {
	for {
		more, err := r.next()
		if err != nil {
			return nil, err
		}
		if !more {
			return nil, &domain.BrokenFileError{Reason: "the file is empty"}
		}
		row, _ := r.current()
		if isBlank(row) || strings.HasPrefix(string(row[0].text), "sep=") {
			continue
		}
		table := newTableReader(row)
		if table == nil {
			return nil, errNoHeader()
		}
		if sheet, ok := r.(*sheetRows); ok {
			table.convert = sheet.book.convert
		}
		return table, nil
	}
}

// tableReader makes candidates of the rows of a table whose first row names the columns.
type tableReader struct {
	columns   []tableColumn
	candidate domain.Candidate
	texts     []byte
	spans     spans
	original  []byte

	// convert, if there is one, makes what a person would have written of what a field has in the file.
	convert func(field domain.PersonField, c cell) []byte
}

// tableColumn is what a column holds.
type tableColumn struct {
	header string
	field  domain.PersonField
	known  bool   // it holds that field
	key    []byte // in the original, in JSON with quotes and a colon; nil for what is not kept
}

// cell is a field of a row. Its text is valid UTF-8.
type cell struct {
	text      []byte
	cut       bool
	malformed bool
	number    bool // and not a text that looks like one
}

// mend makes the text valid UTF-8. A text that was cut may end inside a character.
func (c *cell) mend() {
	if utf8.Valid(c.text) {
		return
	}
	if c.cut {
		c.text = c.text[:len(c.text)-cutCharacter(c.text)]
	}
	if !utf8.Valid(c.text) {
		c.malformed = true
		c.text = bytes.ToValidUTF8(c.text, []byte(string(utf8.RuneError)))
	}
}

// roomFor is how many more bytes of a field are kept when its row has texts of so many bytes already, and the field itself.
func roomFor(texts, field int) int {
	return max(ports.MaxOriginal-texts, domain.MaxValue+utf8.UTFMax-field, 0)
}

// headers are the fields by the headers of their columns, as plainHeader returns them.
var headers = func() map[string]domain.PersonField {
	fields := map[string]domain.PersonField{}
	for field := range domain.PersonField(domain.NumPersonFields) {
		fields[plainHeader(string(field.Name()))] = field
		for _, header := range synonyms[field] {
			fields[header] = field
		}
	}
	return fields
}()

// synonyms are the headers that people give the columns, beside the names of the fields.
var synonyms = map[domain.PersonField][]string{
	domain.PersonFirstName:  {"name", "givenname", "forename", "fname", "имя"},
	domain.PersonLastName:   {"surname", "familyname", "lname", "фамилия"},
	domain.PersonPatronymic: {"middlename", "patr", "отчество"},
	domain.PersonLogin:      {"username", "user", "account", "userid", "логин", "имяпользователя", "учетнаязапись"},
	domain.PersonEmail: {
		"mail", "emailaddress", "почта", "элпочта", "электроннаяпочта", "адресэлпочты", "адресэлектроннойпочты", "емейл", "имейл",
	},
	domain.PersonPhone: {
		"phonenumber", "telephone", "tel", "mobile", "mobilephone", "cell", "телефон", "номертелефона", "мобильный",
		"мобильныйтелефон", "тел",
	},
	domain.PersonBirthday: {"birthdate", "dateofbirth", "dob", "born", "датарождения", "деньрождения", "др"},
}

// ownColumns are those that files of refused objects have besides.
var ownColumns = map[string]bool{"object": true, "reason": true}

// plainHeader returns the letters and digits of a header in lower case, with "е" for "ё".
func plainHeader(header string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		r = unicode.ToLower(r)
		if r == 'ё' {
			r = 'е'
		}
		return r
	}, header)
}

// newTableReader takes the first row. It returns nil when none of the columns is known.
func newTableReader(header []cell) *tableReader {
	t := &tableReader{columns: make([]tableColumn, len(header))}
	known := false
	for i, c := range header {
		text := strings.TrimSpace(string(c.text))
		column := tableColumn{header: text}
		column.field, column.known = headers[plainHeader(text)]
		name := text
		if column.known {
			known = true
			name = string(column.field.Name())
		}
		if name != "" && !ownColumns[strings.ToLower(name)] {
			column.key = append(appendQuoted(nil, []byte(name)), ':')
		}
		t.columns[i] = column
	}
	if !known {
		return nil
	}
	return t
}

// errNoHeader is what a table is whose columns nobody knows.
func errNoHeader() error {
	return &domain.BrokenFileError{Reason: "the first row names no column of people, like last_name, first_name, patronymic, login, email, phone, birthday"}
}

// isBlank tells of a row with nothing in it.
func isBlank(row []cell) bool {
	for _, c := range row {
		if c.cut || len(bytes.TrimSpace(c.text)) > 0 {
			return false
		}
	}
	return true
}

// read makes a candidate of a row, which is valid until the next.
func (t *tableReader) read(number int, row []cell, unreadable bool) *domain.Candidate {
	t.candidate = domain.Candidate{Number: number}
	t.texts, t.original, t.spans = t.texts[:0], append(t.original[:0], '{'), spans{}
	c := &t.candidate
	whole := true
	for i, cell := range row {
		blank := !cell.cut && len(bytes.TrimSpace(cell.text)) == 0
		if i >= len(t.columns) {
			unreadable = unreadable || !blank
			continue
		}
		if blank {
			continue
		}
		column := &t.columns[i]
		if t.convert != nil && column.known {
			cell.text = t.convert(column.field, cell)
		}
		whole = whole && !cell.cut
		if column.key != nil && len(t.original) <= ports.MaxOriginal {
			if len(t.original) > 1 {
				t.original = append(t.original, ',')
			}
			t.original = appendQuoted(append(t.original, column.key...), cell.text)
		}
		if !column.known {
			continue
		}
		text, cut := shortened(cell.text, cell.cut)
		given, span := &c.Given[column.field], &t.spans[column.field]
		*given = domain.Given{Kind: domain.String, Cut: cut, Malformed: cell.malformed, Repeated: given.Kind != domain.Absent}
		span.from = len(t.texts)
		t.texts = append(t.texts, text...)
		span.to = len(t.texts)
	}
	if t.original = append(t.original, '}'); whole && len(t.original) <= ports.MaxOriginal {
		c.Original = t.original
	}
	if unreadable {
		*c = domain.Candidate{Number: number, Unreadable: true, Original: c.Original}
		return c
	}
	setTexts(c, t.texts, &t.spans)
	return c
}

// shortened returns as much of a text as a value holds, in whole characters.
func shortened(text []byte, cut bool) ([]byte, bool) {
	if len(text) <= domain.MaxValue {
		return text, cut
	}
	end := domain.MaxValue
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], true
}

// appendQuoted appends valid UTF-8 as a string in JSON.
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		if c >= ' ' {
			dst = append(dst, '\\', c)
		} else {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, text[from:]...), '"')
}
