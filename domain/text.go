package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// TrimPartialRune returns a text without the incomplete character at its end, if there is one.
func TrimPartialRune[T ~string | ~[]byte](text T) T {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		last := text[len(text)-n:]
		if !utf8.RuneStart(last[0]) {
			continue
		}
		if !utf8.FullRuneInString(string(last)) {
			return text[:len(text)-n]
		}
		break
	}
	return text
}

func trim(s string) string { return strings.TrimSpace(s) }

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
	if isPlain(s) {
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

// checkLength returns a violation for a text of more than MaxLength characters.
func checkLength(field Field, s string) Violations {
	if len(s) > MaxLength && utf8.RuneCountInString(s) > MaxLength {
		return Violations{tooLong(field)}
	}
	return nil
}

func tooLong(field Field) Violation {
	v := Violation{Field: field, Code: CodeTooLong, Limit: MaxLength}
	switch field {
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

// presentable returns a text made fit for a report: one line of at most MaxLength characters, in NFC.
func presentable(s string) string {
	if isPlain(s) && len(s) <= MaxLength {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range norm.NFC.String(s) {
		if n == MaxLength {
			b.WriteRune('…')
			break
		}
		if !unicode.IsGraphic(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// Line returns a text on one line, of at most limit characters, in which every character is visible or a space.
func Line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r), isControl(r):
			return utf8.RuneError
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}
