package bulkfile

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/domain"
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
	spans     [numFields]span
	original  []byte

	// convert, if there is one, makes what a person would have written of what a field has in the file.
	convert func(field int, c cell) []byte
}

// tableColumn is what a column holds.
type tableColumn struct {
	header string
	field  int    // its place in spans; negative for what is unknown
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
	return max(domain.MaxOriginal-texts, domain.MaxValue+utf8.UTFMax-field, 0)
}

// fields are the fields by their place in spans.
var fields = [numFields]domain.Field{
	firstName: domain.FieldFirstName, lastName: domain.FieldLastName, patronymic: domain.FieldPatronymic, login: domain.FieldLogin,
	email: domain.FieldEmail, phone: domain.FieldPhone, birthday: domain.FieldBirthday,
}

// spellings are what people call the columns, without case, blanks and signs.
var spellings = map[string]int{
	"firstname": firstName, "name": firstName, "givenname": firstName, "forename": firstName, "fname": firstName, "имя": firstName,
	"lastname": lastName, "surname": lastName, "familyname": lastName, "lname": lastName, "фамилия": lastName,
	"patronymic": patronymic, "middlename": patronymic, "patr": patronymic, "отчество": patronymic,
	"login": login, "username": login, "user": login, "account": login, "userid": login, "логин": login, "имяпользователя": login,
	"учетнаязапись": login,
	"email":         email, "mail": email, "emailaddress": email, "почта": email, "элпочта": email, "электроннаяпочта": email,
	"адресэлпочты": email, "адресэлектроннойпочты": email, "емейл": email, "имейл": email,
	"phone": phone, "phonenumber": phone, "telephone": phone, "tel": phone, "mobile": phone, "mobilephone": phone, "cell": phone,
	"телефон": phone, "номертелефона": phone, "мобильный": phone, "мобильныйтелефон": phone, "тел": phone,
	"birthday": birthday, "birthdate": birthday, "dateofbirth": birthday, "dob": birthday, "born": birthday, "датарождения": birthday,
	"деньрождения": birthday, "др": birthday,
}

// ownColumns are those that files of refused objects have besides.
var ownColumns = map[string]bool{"object": true, "reason": true}

// fieldOf returns which field a column with a header holds, or a negative number.
func fieldOf(header string) int {
	plain := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		r = unicode.ToLower(r)
		if r == 'ё' {
			r = 'е'
		}
		return r
	}, header)
	field, known := spellings[plain]
	if !known {
		return -1
	}
	return field
}

// newTableReader takes the first row. It returns nil when none of the columns is known.
func newTableReader(header []cell) *tableReader {
	t := &tableReader{columns: make([]tableColumn, len(header))}
	known := false
	for i, c := range header {
		text := strings.TrimSpace(string(c.text))
		column := tableColumn{header: text, field: fieldOf(text)}
		name := text
		if column.field >= 0 {
			known = true
			name = string(fields[column.field])
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
	t.texts, t.original, t.spans = t.texts[:0], append(t.original[:0], '{'), [numFields]span{}
	c := &t.candidate
	values := [numFields]*domain.Value{
		firstName: &c.FirstName, lastName: &c.LastName, patronymic: &c.Patronymic, login: &c.Login, email: &c.Email, phone: &c.Phone,
		birthday: &c.Birthday,
	}
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
		if t.convert != nil {
			cell.text = t.convert(column.field, cell)
		}
		whole = whole && !cell.cut
		if column.key != nil && len(t.original) <= domain.MaxOriginal {
			if len(t.original) > 1 {
				t.original = append(t.original, ',')
			}
			t.original = appendQuoted(append(t.original, column.key...), cell.text)
		}
		if column.field < 0 {
			continue
		}
		text, cut := shortened(cell.text, cell.cut)
		*values[column.field] = domain.Value{
			Kind: domain.String, Cut: cut, Malformed: cell.malformed, Repeated: values[column.field].Kind != domain.Absent,
		}
		from := len(t.texts)
		t.texts = append(t.texts, text...)
		t.spans[column.field] = span{from, len(t.texts)}
	}
	if t.original = append(t.original, '}'); whole && len(t.original) <= domain.MaxOriginal {
		c.Original = t.original
	}
	if unreadable {
		*c = domain.Candidate{Number: number, Unreadable: true, Original: c.Original}
		return c
	}
	all := string(t.texts) // one allocation for all fields
	for field, value := range values {
		value.Text = all[t.spans[field].from:t.spans[field].to]
	}
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
