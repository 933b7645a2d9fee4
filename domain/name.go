package domain

import "golang.org/x/text/unicode/norm"

// A Name is a first name, a last name or a patronymic: 1 to MaxName characters of any script, trimmed, without invisible
// characters and in NFC.
type Name struct{ text string }

func (n Name) String() string { return n.text }

// A FullName is the name of a person.
type FullName struct{ First, Last, Patronymic Name }

// NameTexts are the texts of a full name.
type NameTexts struct{ First, Last, Patronymic string }

// RestoreFullName returns the name that has these texts. It does not validate them again.
func RestoreFullName(texts NameTexts) FullName {
	return FullName{Name{texts.First}, Name{texts.Last}, Name{texts.Patronymic}}
}

// NewFirstName returns a first name.
func NewFirstName(s string) (Name, Violations) { return newName(FieldFirstName, s) }

// NewLastName returns a last name.
func NewLastName(s string) (Name, Violations) { return newName(FieldLastName, s) }

// NewPatronymic returns a patronymic.
func NewPatronymic(s string) (Name, Violations) { return newName(FieldPatronymic, s) }

func newName(field Field, s string) (Name, Violations) {
	s = clean(s)
	vs := checkText(field, s)
	if !isPlain(s) {
		s = norm.NFC.String(s)
	}
	vs = append(vs, checkLength(field, s)...)
	if vs != nil {
		return Name{}, vs
	}
	return Name{s}, nil
}
