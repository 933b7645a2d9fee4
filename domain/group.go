package domain

import (
	"strings"
	"unicode"
)

// A Group is a class, a department or another unit of people: 1 to MaxGroup characters of any script, of which one is a letter or a digit,
// trimmed, without invisible characters, in NFC, and with single spaces between words.
type Group struct{ text string }

func (g Group) String() string { return g.text }

// RestoreGroup returns the group that has a text. It does not validate it again.
func RestoreGroup(text string) Group { return Group{text} }

// NewGroup returns a group.
func NewGroup(s string) (Group, Violations) {
	s, vs := newText(FieldGroup, s)
	s = singleSpaced(s)
	vs = append(vs, checkLength(FieldGroup, s)...)
	if vs == nil && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		vs = Violations{{Field: FieldGroup, Code: CodeInvalid}}
	}
	if vs != nil {
		return Group{}, vs
	}
	return Group{s}, nil
}
