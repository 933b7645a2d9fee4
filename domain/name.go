package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// A Name is a first name, a last name or a patronymic: 1 to MaxName characters of any script, of which one is a letter, trimmed, without
// invisible characters and in NFC.
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
	s, vs := newText(field, s)
	vs = append(vs, checkLength(field, s)...)
	switch {
	case vs != nil:
	case s[0] == '#', strings.IndexByte(s, '@') >= 0, !strings.ContainsFunc(s, unicode.IsLetter): // a comment, or the value of another column
		vs = Violations{{Field: field, Code: CodeInvalid}}
	case isDamaged(s):
		vs = Violations{{Field: field, Code: CodeEncoding}}
	}
	if vs != nil {
		return Name{}, vs
	}
	return Name{s}, nil
}

// newText returns a text without invisible characters, trimmed and in NFC, and its violations apart from those of its length.
func newText(field Field, s string) (string, Violations) {
	s = clean(s)
	vs := checkText(field, s)
	if !isSimple(s) {
		if vs == nil && (isEncodedTwice(s) || isAllAccents(s)) {
			vs = Violations{{Field: field, Code: CodeEncoding}}
		}
		s = norm.NFC.String(s)
	}
	return s, vs
}

// isDamaged reports whether a name has signs of a conversion: a program could not write a letter (Ве?рова), wrote it in another notation
// (Ren+AOk-, %D0%92, \u0412), or read an encoding of DOS as one of Windows (Ren‚).
func isDamaged(name string) bool {
	const (
		russian = "\xd0\xd1" // the first bytes of Russian letters, most of the others that names have
		others  = "‚†‡ˆ‰‹›˜™¤¢£¥¦¬±¶¿¡"
	)
	hasOther := false
	for i := range len(name) {
		switch c := name[i]; {
		case c == '?', c == '+', c == '%', c == '\\' && strings.HasPrefix(name[i:], `\u`):
			return true
		case c >= 0xC0 && c != russian[0] && c != russian[1]:
			hasOther = true
		}
	}
	return hasOther && strings.ContainsFunc(name, func(r rune) bool {
		isFrame := '\u2500' <= r && r <= '\u259f'
		return isFrame || r > unicode.MaxASCII && !unicode.IsLetter(r) && strings.ContainsRune(others, r)
	})
}

// isEncodedTwice reports whether a program has read a text in UTF-8 as an 8-bit encoding and encoded it again: JosÃ©, РћР»СЊРіР°.
func isEncodedTwice(s string) bool {
	at := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
	first, size := utf8.DecodeRuneInString(s[at:])
	next, _ := utf8.DecodeRuneInString(s[at+size:])
	if next < utf8.RuneSelf || next >= 'А' && next <= 'я' { // which no byte but the first of a letter in UTF-8 is read as
		return false
	}
	var encoding *charmap.Charmap
	least := 1 // letters; two letters in a row of Ukrainian are one in UTF-8
	switch first {
	case 'Â', 'Ã', 'Ä', 'Å', 'Ð', 'Ñ': // first bytes of letters in UTF-8
		encoding = charmap.Windows1252
	case 'Ă', 'Ĺ', 'Đ', 'Ń':
		encoding = charmap.Windows1250
	case 'Р', 'С':
		encoding, least = charmap.Windows1251, 2
	default:
		return false
	}
	text, err := encoding.NewEncoder().String(s)
	if err != nil || !utf8.ValidString(text) {
		return false
	}
	letters := 0
	for _, r := range text {
		if r >= utf8.RuneSelf && unicode.IsLetter(r) {
			letters++
		}
	}
	return letters >= least
}

// isAllAccents reports whether a text has letters with accents only: a program has read Cyrillic letters in an 8-bit encoding as Latin ones.
// The shortest names may be such.
func isAllAccents(s string) bool {
	const least = 4
	letters := 0
	for _, r := range s {
		if r >= 'À' && r <= 'ÿ' {
			letters++
		} else if unicode.IsLetter(r) {
			return false
		}
	}
	return letters >= least
}
