package domain

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxValue is how many bytes of a value a Candidate holds. It leaves room for MaxLength characters in any normalisation;
// a value that is longer need not be held to be refused.
const MaxValue = 1024

// MaxOriginal is how many bytes of JSON an object may have to be kept as it came.
const MaxOriginal = 64 << 10

// Kind is what a value was when it came.
type Kind uint8

// The kinds of values.
const (
	Absent Kind = iota // missing, or null
	String
	Number
	Other // a boolean, a list or an object
)

// Value is one field of a candidate as it came.
type Value struct {
	Text      string // of a String or Number, valid UTF-8, at most MaxValue bytes
	Kind      Kind
	Cut       bool // Text is only the beginning
	Malformed bool // U+FFFD stands in Text for what was no character
	Repeated  bool // the field was given more than once
}

// Entered is what a person entered in a form, absent when that is nothing.
func Entered(s string) Value {
	if trim(s) == "" {
		return Value{}
	}
	v := Value{Text: s, Kind: String}
	if len(s) > MaxValue {
		v.Text, v.Cut = strings.TrimRightFunc(s[:MaxValue], func(r rune) bool { return r == utf8.RuneError }), true
	}
	if !utf8.ValidString(v.Text) {
		v.Text, v.Malformed = strings.ToValidUTF8(v.Text, string(utf8.RuneError)), true
	}
	return v
}

// Candidate is an object as it came, not yet checked.
type Candidate struct {
	FirstName, LastName, Patronymic, Login, Email, Phone, Birthday Value

	Number     int  // of the object in its import, from 1
	NotObject  bool // there is something else in the object's place
	Unreadable bool // nobody can tell what stands in the object's place

	// Original is the object in JSON; nil when it is larger than MaxOriginal.
	Original []byte
}

// Size is roughly how many bytes of text the candidate holds.
func (c *Candidate) Size() int {
	return len(c.FirstName.Text) + len(c.LastName.Text) + len(c.Patronymic.Text) + len(c.Login.Text) +
		len(c.Email.Text) + len(c.Phone.Text) + len(c.Birthday.Text) + len(c.Original)
}

// Rules are what the checks need to know of place and time.
type Rules struct {
	Region string // whose numbers a phone without a country code belongs to, ISO 3166-1 alpha-2
	Today  Date   // the last day that can be a birthday
}

// Registration is a person who may be registered, or the valid part of one who may not.
type Registration struct {
	Name     FullName
	Login    Login
	Email    Email    // zero when none was given
	Phone    Phone    // zero when none was given
	Birthday Birthday // zero when none was given
}

// Object is a candidate that was checked. Without violations its Registration is complete; with them it holds the
// fields that are valid, so that these too can be told to be taken.
type Object struct {
	Number       int
	Login        string // as it came, fit to be shown; empty when it was no string
	Registration Registration
	Violations   Violations
	Original     []byte // as in Candidate, where it is kept
}

// Check finds every violation that the candidate has by itself.
func (r Rules) Check(c *Candidate) Object {
	o := Object{Number: c.Number}
	switch {
	case c.Unreadable:
		o.Violations = Violations{{Code: CodeUnreadable}}
		return o
	case c.NotObject:
		o.Violations = Violations{{Code: CodeNotObject}}
		return o
	}
	if c.Login.Kind == String {
		o.Login = presentable(c.Login.Text)
	}
	reg := &o.Registration
	var vs [7]Violations
	reg.Name.First, vs[0] = checkRequired(FieldFirstName, c.FirstName, newName)
	reg.Name.Last, vs[1] = checkRequired(FieldLastName, c.LastName, newName)
	reg.Name.Patronymic, vs[2] = checkRequired(FieldPatronymic, c.Patronymic, newName)
	reg.Login, vs[3] = checkRequired(FieldLogin, c.Login, func(_ Field, text string) (Login, Violations) { return NewLogin(text) })
	reg.Email, vs[4] = checkOptional(FieldEmail, c.Email, NewEmail)
	reg.Phone, vs[5] = checkOptional(FieldPhone, c.Phone, func(text string) (Phone, Violations) { return NewPhone(text, r.Region) })
	reg.Birthday, vs[6] = checkOptional(FieldBirthday, c.Birthday, func(text string) (Birthday, Violations) { return NewBirthday(text, r.Today) })
	if r.isOthersContact(reg) {
		vs[3] = append(vs[3], Violation{Field: FieldLogin, Code: CodeIsContact})
	}
	if isBlank(c.Email) && isBlank(c.Phone) && !c.Email.Repeated && !c.Phone.Repeated {
		vs[4] = append(vs[4], Violation{Field: FieldEmail, Code: CodeContactRequired})
	}
	o.Violations = slices.Concat(vs[:]...)
	return o
}

// isBlank tells whether an optional value was left out. Many systems write an empty string for what they do not have.
func isBlank(v Value) bool {
	return v.Kind == Absent || v.Kind == String && !v.Cut && trim(v.Text) == ""
}

func checkRequired[T any](field Field, v Value, construct func(Field, string) (T, Violations)) (T, Violations) {
	if v.Kind == Absent && !v.Repeated {
		var none T
		return none, Violations{{Field: field, Code: CodeRequired}}
	}
	return checkGiven(field, v, func(text string) (T, Violations) { return construct(field, text) })
}

func checkOptional[T any](field Field, v Value, construct func(string) (T, Violations)) (T, Violations) {
	if isBlank(v) && !v.Repeated {
		var none T
		return none, nil
	}
	return checkGiven(field, v, construct)
}

// checkGiven checks how the value came, and what it says.
func checkGiven[T any](field Field, v Value, construct func(string) (T, Violations)) (T, Violations) {
	var none T
	var vs Violations
	if v.Repeated {
		vs = append(vs, Violation{Field: field, Code: CodeRepeated})
	}
	if v.Kind != String && (v.Kind != Number || field != FieldPhone) {
		if v.Kind != Absent {
			vs = append(vs, Violation{Field: field, Code: CodeType})
		}
		return none, vs
	}
	if v.Malformed {
		vs = append(vs, Violation{Field: field, Code: CodeEncoding})
	}
	value, more := construct(v.Text)
	switch {
	case v.Cut, v.Malformed: // the rest of its rules are not for what is left of it
		more = slices.DeleteFunc(more, func(v Violation) bool { return v.Code != CodeControl && v.Code != CodeTooLong })
	case v.Kind == Number && !isDigits(v.Text):
		more = Violations{{Field: field, Code: CodeInvalid}}
	}
	if v.Cut && !slices.Contains(more, tooLong(field)) {
		more = append(more, tooLong(field))
	}
	vs = append(vs, more...)
	if vs != nil {
		return none, vs
	}
	return value, nil
}
