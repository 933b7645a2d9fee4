package domain

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxValue is how many bytes of a value a Candidate holds. It leaves room for MaxLength characters in any normalisation;
// a value that is longer need not be held to be refused.
const MaxValue = 1024

// Kind is what a value was when it came.
type Kind uint8

// The kinds of values.
const (
	KindAbsent Kind = iota // missing, or null
	KindText
	KindNumber
	KindOther // a boolean, a list or an object
)

// Given is a field of a candidate as it came.
type Given struct {
	Text      string // of a String or Number, valid UTF-8, at most MaxValue bytes
	Kind      Kind
	Cut       bool // Text is only the beginning
	Malformed bool // U+FFFD stands in Text for what was no character
	Repeated  bool // the field was given more than once
}

// Entered is what a person entered in a form, absent when that is nothing.
func Entered(s string) Given {
	if trim(s) == "" {
		return Given{}
	}
	v := Given{Text: s, Kind: KindText}
	if len(s) > MaxValue {
		v.Text, v.Cut = TrimPartialRune(s[:MaxValue]), true
	}
	if !utf8.ValidString(v.Text) {
		v.Text, v.Malformed = strings.ToValidUTF8(v.Text, string(utf8.RuneError)), true
	}
	return v
}

// Candidate is an object as it came, not yet checked.
type Candidate struct {
	Given [NumPersonFields]Given

	Number     int  // of the object in its import, from 1
	NotRecord  bool // there is something else in the object's place
	Unreadable bool // nobody can tell what stands in the object's place

	// Original is the record as it came, in JSON; nil when it is too large to be kept.
	Original []byte
}

// Size is roughly how many bytes of text the candidate holds.
func (c *Candidate) Size() int {
	size := len(c.Original)
	for f := range c.Given {
		size += len(c.Given[f].Text)
	}
	return size
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

// Record is a candidate that was checked. Without violations its Registration is complete; with them it holds the
// fields that are valid, so that these too can be told to be taken.
type Record struct {
	Number       int
	Login        string // as it came, fit to be shown; empty when it was no string
	Registration Registration
	Violations   Violations
	Original     []byte // as in Candidate, where it is kept
}

// Check finds every violation that the candidate has by itself.
func (r Rules) Check(c *Candidate) Record {
	o := Record{Number: c.Number}
	switch {
	case c.Unreadable:
		o.Violations = Violations{{Code: CodeUnreadable}}
		return o
	case c.NotRecord:
		o.Violations = Violations{{Code: CodeNotObject}}
		return o
	}
	if login := &c.Given[PersonLogin]; login.Kind == KindText {
		o.Login = presentable(login.Text)
	}
	var found [NumPersonFields]Violations
	for f := range personFields {
		found[f] = r.checkField(&o.Registration, PersonField(f), &c.Given[f])
	}
	if r.isOthersContact(&o.Registration) {
		found[PersonLogin] = append(found[PersonLogin], Violation{Field: FieldLogin, Code: CodeIsContact})
	}
	if c.Given[PersonEmail].isLeftOut() && c.Given[PersonPhone].isLeftOut() {
		found[PersonEmail] = append(found[PersonEmail], Violation{Field: FieldEmail, Code: CodeContactRequired})
	}
	o.Violations = slices.Concat(found[:]...)
	return o
}

// isLeftOut reports whether an optional field was left out. Many systems write an empty text for a value that they lack.
func (g *Given) isLeftOut() bool {
	return !g.Repeated && (g.Kind == KindAbsent || g.Kind == KindText && !g.Cut && trim(g.Text) == "")
}

// checkField sets the field of reg, unless the field has violations, which it returns.
func (r Rules) checkField(reg *Registration, f PersonField, g *Given) Violations {
	definition := &personFields[f]
	name := definition.name
	switch {
	case definition.required && g.Kind == KindAbsent && !g.Repeated:
		return Violations{{Field: name, Code: CodeRequired}}
	case !definition.required && g.isLeftOut():
		return nil
	}
	var vs Violations
	if g.Repeated {
		vs = append(vs, Violation{Field: name, Code: CodeRepeated})
	}
	if g.Kind != KindText && (g.Kind != KindNumber || !definition.acceptsNumbers) {
		if g.Kind != KindAbsent {
			vs = append(vs, Violation{Field: name, Code: CodeType})
		}
		return vs
	}
	if g.Malformed {
		vs = append(vs, Violation{Field: name, Code: CodeEncoding})
	}
	isNoNumeral := g.Kind == KindNumber && !isDigits(g.Text)
	if vs != nil || g.Cut || isNoNumeral {
		reg = new(Registration) // the value has violations, whatever its text is
	}
	more := f.parse(reg, g.Text, r)
	switch {
	case g.Cut, g.Malformed: // the other rules hold for the whole text only
		more = slices.DeleteFunc(more, func(v Violation) bool { return v.Code != CodeControl && v.Code != CodeTooLong })
	case isNoNumeral:
		more = Violations{{Field: name, Code: CodeInvalid}}
	}
	if g.Cut && !slices.Contains(more, tooLong(name)) {
		more = append(more, tooLong(name))
	}
	return append(vs, more...)
}
