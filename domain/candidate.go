package domain

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxValue is the number of bytes that a Candidate holds of a value. MaxEmail characters fit in any normalisation form. A longer
// value is rejected whatever its end is.
const MaxValue = 9 * MaxEmail

// Kind is the type of a value in its file.
type Kind uint8

// The kinds of values.
const (
	KindAbsent Kind = iota // missing, or explicitly nothing
	KindText
	KindNumber
	KindOther // neither text nor number

	KindCellError  // an error in a cell of a workbook; the text is its name
	KindUncomputed // a formula of a workbook without its result; the text is the formula
)

// Given is a field of a candidate as its file has it.
type Given struct {
	Text      string // of a text or number: valid UTF-8, at most MaxValue bytes
	Kind      Kind
	Cut       bool // Text is only the beginning
	Malformed bool // Text has U+FFFD in place of bytes that were no character
	Repeated  bool // the field was given more than once
	Joined    bool // the last name is a full name that cannot be split, or the first name includes a patronymic
}

// Entered returns a value that a person entered in a form. It is absent if it is blank.
func Entered(s string) Given {
	if IsBlank(s) {
		return Given{}
	}
	v := Given{Text: s, Kind: KindText}
	if len(s) > MaxValue {
		end := MaxValue
		for end > MaxValue-utf8.UTFMax && !utf8.RuneStart(s[end]) { // a character stays whole
			end--
		}
		v.Text, v.Cut = s[:end], true
	}
	if !utf8.ValidString(v.Text) {
		v.Text, v.Malformed = strings.ToValidUTF8(v.Text, string(utf8.RuneError)), true
	}
	return v
}

// lost is U+FFFD, which programs write in place of a character that they could not read.
const lost = string(utf8.RuneError)

// A Place is where a record stands in its file.
type Place struct {
	Sheet string // of a workbook, by its name, fit to show; empty for none
	Line  int    // number of its first line, or of its row in the sheet, from 1; 0 if the file is one value of JSON
}

// A Candidate is a record as its file has it, not yet checked.
type Candidate struct {
	Place

	Given [NumPersonFields]Given

	Number     int  // place in the import, from 1
	IsRow      bool // of a table, whose columns have one notation each
	NotRecord  bool // the file has something other than a record at this place
	MonthFirst bool // the header of the birthday says that it has the month first
	IsNested   bool // the record has the person in an object inside, and no field of its own
	Unreadable bool // the file is damaged at this place

	// Original is the record as its file has it, in a form that can be imported again. Nil if it is too large to be stored.
	Original []byte
}

// Size returns the approximate number of bytes of text in the candidate.
func (c *Candidate) Size() int {
	size := len(c.Original)
	for f := range c.Given {
		size += len(c.Given[f].Text)
	}
	return size
}

// Rules are the parameters of the checks.
type Rules struct {
	Region string // of phone numbers without a country code, ISO 3166-1 alpha-2
	Today  Date   // the latest possible birthday

	PatronymicOptional bool      // a person may have no patronymic
	DateOrder          DateOrder // of birthdays
}

// A Registration is a person who can be registered, or the valid fields of a person who cannot.
type Registration struct {
	Name     FullName
	Login    Login
	Email    Email    // zero for none
	Phone    Phone    // zero for none
	Birthday Birthday // zero for none
	Group    Group    // zero for none
}

// Matches reports whether an account has the data of a registration, letter for letter.
func (r *Registration) Matches(user *User) bool {
	birthday, given := r.Birthday.Date()
	return user.Login == r.Login.String() && user.Group == r.Group.String() && user.Email == r.Email.String() && user.Phone == r.Phone.String() &&
		user.LastName == r.Name.Last.String() && user.FirstName == r.Name.First.String() && user.Patronymic == r.Name.Patronymic.String() &&
		given == (user.Birthday != nil) && (!given || *user.Birthday == birthday)
}

// A Record is a checked candidate. Without violations its Registration is complete. With violations it has the valid fields, so that
// those that are taken can be reported as well.
type Record struct {
	Place

	Number       int
	Login        string // as given, fit to show; empty if it was no text
	Registration Registration
	Violations   Violations
	MonthFirst   bool   // the birthday has the month first, although no order was said: others of the table may have it first, too
	Original     []byte // as in Candidate; nil if originals are not stored
}

// Check returns the record of a candidate, with every violation that needs no knowledge of other records or accounts.
func (r Rules) Check(c *Candidate) Record {
	record := Record{Place: c.Place, Number: c.Number}
	switch {
	case c.Unreadable:
		record.Violations = Violations{{Code: CodeUnreadable}}
		return record
	case c.NotRecord:
		record.Violations = Violations{{Code: CodeNotObject}}
		return record
	case c.IsNested:
		record.Violations = Violations{{Code: CodeNested}}
		return record
	}
	if c.MonthFirst && !r.DateOrder.IsSaid() {
		r.DateOrder = MonthFirst
	}
	if login := &c.Given[PersonLogin]; login.Kind == KindText {
		record.Login = presentable(login.Text)
	}
	var found [NumPersonFields]Violations
	for f := range personFields {
		found[f] = r.checkField(&record.Registration, PersonField(f), &c.Given[f])
	}
	switch {
	case c.Given[PersonLastName].Joined:
		found[PersonLastName] = Violations{{Field: FieldLastName, Code: CodeFullName}}
		found[PersonFirstName], found[PersonPatronymic] = nil, nil
	case c.Given[PersonFirstName].Joined, found[PersonFirstName] == nil && r.hasPatronymic(c):
		found[PersonFirstName] = Violations{{Field: FieldFirstName, Code: CodeFullName}}
		found[PersonPatronymic] = nil
	}
	if r.isOthersContact(&record.Registration) {
		found[PersonLogin] = append(found[PersonLogin], Violation{Field: FieldLogin, Code: CodeIsContact})
	}
	if c.Given[PersonEmail].isLeftOut(PersonEmail) && c.Given[PersonPhone].isLeftOut(PersonPhone) {
		found[PersonEmail] = append(found[PersonEmail], Violation{Field: FieldEmail, Code: CodeContactRequired})
	}
	record.Violations = slices.Concat(found[:]...)
	if c.IsRow && r.DateOrder == UnsaidOrder && len(found[PersonBirthday]) > 0 && c.Given[PersonBirthday].Kind == KindText {
		record.MonthFirst = r.isMonthFirst(c.Given[PersonBirthday].Text)
	}
	return record
}

// hasPatronymic reports whether a first name includes the patronymic, which would go unnoticed where patronymics are optional.
func (r Rules) hasPatronymic(c *Candidate) bool {
	name := c.Given[PersonFirstName].Text
	if r.Requires(PersonPatronymic) || strings.IndexByte(name, ' ') < 0 || !c.Given[PersonPatronymic].isLeftOut(PersonPatronymic) {
		return false
	}
	parts, ok := SplitFullName(name, FirstMiddle)
	return ok && parts.Patronymic != ""
}

// isLeftOut reports whether an optional field was left out. Many systems write an empty text or a placeholder for a value that they lack.
func (g *Given) isLeftOut(f PersonField) bool {
	switch {
	case g.Repeated:
		return false
	case g.Kind == KindAbsent:
		return true
	}
	return g.Kind == KindText && !g.Cut && IsBlank(g.Text) || g.isPlaceholder(f)
}

func (g *Given) isPlaceholder(f PersonField) bool {
	return (g.Kind == KindText || g.Kind == KindNumber && personFields[f].acceptsNumbers) && !g.Cut && !g.Malformed && f.IsPlaceholder(g.Text)
}

// Requires reports whether every person must have the field.
func (r Rules) Requires(f PersonField) bool {
	return personFields[f].required && (f != PersonPatronymic || !r.PatronymicOptional)
}

// checkField sets the field of reg, unless the field has violations, which it returns.
func (r Rules) checkField(reg *Registration, f PersonField, g *Given) Violations {
	definition := &personFields[f]
	name := definition.name
	switch {
	case !r.Requires(f):
		if g.isLeftOut(f) {
			return nil
		}
	case g.Kind == KindAbsent && !g.Repeated:
		return Violations{{Field: name, Code: CodeRequired}}
	}
	var vs Violations
	if g.Repeated {
		vs = append(vs, Violation{Field: name, Code: CodeRepeated})
	}
	switch g.Kind {
	case KindCellError:
		return append(vs, Violation{Field: name, Code: CodeCellError})
	case KindUncomputed:
		return append(vs, Violation{Field: name, Code: CodeUncomputed})
	}
	if g.Kind != KindText && (g.Kind != KindNumber || !definition.acceptsNumbers) {
		if g.Kind != KindAbsent {
			vs = append(vs, Violation{Field: name, Code: CodeType})
		}
		return vs
	}
	if (r.Requires(f) || g.Repeated) && g.isPlaceholder(f) { // an optional field with a placeholder was left out above
		return append(vs, Violation{Field: name, Code: CodePlaceholder})
	}
	malformed := g.Malformed || strings.Contains(g.Text, lost)
	if malformed {
		vs = append(vs, Violation{Field: name, Code: CodeEncoding})
	}
	isNoNumeral := g.Kind == KindNumber && (g.Text == "" || g.Text[0] == '-')
	if vs != nil || g.Cut || isNoNumeral {
		reg = new(Registration) // the value has violations, whatever its text is
	}
	more := f.parse(reg, g.Text, r)
	switch {
	case g.Cut, malformed: // the other rules hold for the whole text only
		more = slices.DeleteFunc(more, func(v Violation) bool { return v.Code != CodeControl && v.Code != CodeTooLong })
	case isNoNumeral:
		more = Violations{{Field: name, Code: CodeInvalid}}
	}
	if g.Cut && !slices.Contains(more, tooLong(name)) {
		more = append(more, tooLong(name))
	}
	return append(vs, more...)
}
