package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// IsBlank reports whether a text shows nothing: it has only white space and invisible characters.
func IsBlank[T ~string | ~[]byte](text T) bool {
	for _, r := range string(text) {
		if !unicode.IsSpace(r) && !isInvisible(r) {
			return false
		}
	}
	return true
}

func trim(s string) string { return strings.TrimSpace(s) }

// singleSpaced returns a text with a space for each run of white space.
func singleSpaced(s string) string {
	if !strings.Contains(s, "  ") && !strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// clean trims white space, and drops the characters that show nothing: they come with text that was copied from a page or a document.
// It leaves malformed UTF-8 as it is.
func clean(s string) string {
	s = trim(s)
	if isSimple(s) || !strings.ContainsFunc(s, isInvisible) || !utf8.ValidString(s) {
		return s
	}
	last := ' '
	return trim(strings.Map(func(r rune) rune {
		switch {
		case isInvisible(r) && !shapes(r, last):
			return -1
		case !unicode.Is(unicode.Inherited, r):
			last = r
		}
		return r
	}, s))
}

// isInvisible reports whether r shows nothing by itself: Default_Ignorable_Code_Point of Unicode, and the blank of Braille.
func isInvisible(r rune) bool {
	switch {
	case r < '\u034f': // the letters of Europe come first, because most text has only these
		return r == '\u00ad'
	case '\u0370' <= r && r < '\u0600':
		return false
	case r == '\u2800':
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
		!unicode.In(r, unicode.Prepended_Concatenation_Mark) && (r < '\ufff9' || r > '\ufffb')
}

// shapes reports whether an invisible character changes the shape of the text at its place: a joiner in a script whose letters join,
// or a selector of a variant of an ideograph, which names in Japan have.
// Before is the last character with a script of its own.
func shapes(r, before rune) bool {
	switch {
	case r == '\u200c' || r == '\u200d':
		return (unicode.IsLetter(before) || unicode.IsMark(before)) &&
			!unicode.In(before, unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Georgian, unicode.Hebrew,
				unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	case '\U000e0100' <= r && r <= '\U000e01ef':
		return unicode.Is(unicode.Han, before)
	}
	return '\u180b' <= r && r <= '\u180d' && unicode.Is(unicode.Mongolian, before)
}

// isPlain reports whether s has only visible ASCII characters and spaces. Such a text is normal in every form, and has as many
// characters as bytes. Most values are plain and need no slower check.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// isSimple reports whether s has only visible ASCII characters, spaces and the letters from А to я. Such a text is in NFC. Most names are
// simple and need no slower check.
func isSimple(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= ' ' && c <= '~':
		case i+1 < len(s) && (c == 0xD0 && s[i+1] >= 0x90 && s[i+1] <= 0xBF || c == 0xD1 && s[i+1] >= 0x80 && s[i+1] <= 0x8F):
			i++
		default:
			return false
		}
	}
	return true
}

// HasRightToLeft reports whether a text has a character that is written from right to left, such as an Arabic letter.
func HasRightToLeft(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		properties, _ := bidi.LookupRune(r)
		switch properties.Class() {
		case bidi.R, bidi.AL, bidi.AN:
			return true
		}
		return false
	})
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// checkText returns the violations that no text may have: it is blank, or has malformed UTF-8 or control characters.
func checkText(field Field, s string) Violations {
	if trim(s) == "" {
		return Violations{{Field: field, Code: CodeEmpty}}
	}
	if isSimple(s) {
		return nil
	}
	var vs Violations
	if !utf8.ValidString(s) {
		vs = append(vs, Violation{Field: field, Code: CodeEncoding})
	}
	if strings.ContainsFunc(s, isControl) {
		vs = append(vs, Violation{Field: field, Code: CodeControl})
	}
	if vs == nil && !strings.ContainsFunc(s, isVisible) {
		vs = Violations{{Field: field, Code: CodeEmpty}}
	}
	return vs
}

// checkLength returns a violation for a text that is longer than its field may be.
func checkLength(field Field, s string) Violations {
	v := tooLong(field)
	if len(s) > v.Limit && utf8.RuneCountInString(s) > v.Limit {
		return Violations{v}
	}
	return nil
}

func tooLong(field Field) Violation {
	v := Violation{Field: field, Code: CodeTooLong, Limit: MaxName}
	switch field {
	case FieldGroup:
		v.Limit = MaxGroup
	case FieldLogin:
		v.Limit = MaxLogin
	case FieldEmail:
		v.Limit = MaxEmail
	case FieldPhone, FieldBirthday: // these have notations, not lengths
		v = Violation{Field: field, Code: CodeInvalid}
	}
	return v
}

// isControl reports whether r is a control character, or one that breaks a line or changes the writing direction. With the latter a name
// in a report can look like another name.
func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) ||
		'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

func isVisible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// presentable returns a login made fit for a report: one line of at most MaxLogin characters, in NFC.
func presentable(s string) string {
	if isPlain(s) && len(s) <= MaxLogin {
		return s
	}
	return shown(norm.NFC.String(s), MaxLogin)
}

// Line returns a text on one line, of at most limit characters, in which every character is visible, a space, or a joiner that shapes the
// letters beside it. It drops marks of direction, which names in Arabic and Hebrew have: pages isolate such names.
func Line(s string, limit int) string {
	return shown(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '\u200e', r == '\u200f', r == '\u061c':
			return -1
		}
		return r
	}, s), limit)
}

// shown replaces the characters that do not show, apart from joiners that shape the letters beside them, and shortens the text.
func shown(s string, limit int) string {
	last := ' '
	s = strings.Map(func(r rune) rune {
		switch {
		case !unicode.IsGraphic(r) && !shapes(r, last):
			r = utf8.RuneError
		case !unicode.Is(unicode.Inherited, r):
			last = r
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}
