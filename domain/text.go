package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// TrimPartialRune returns a text without the character at its end that is cut, if there is one.
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

// isPlain tells whether s has nothing but visible ASCII characters and spaces: then it is normal in every form, and has
// as many characters as bytes. Most values are, and need no slower look.
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

// checkText finds what no text of a person may have: nothing, malformed UTF-8, control characters.
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

// checkLength finds a text of more than MaxLength characters.
func checkLength(field Field, s string) Violations {
	if len(s) > MaxLength && utf8.RuneCountInString(s) > MaxLength {
		return Violations{tooLong(field)}
	}
	return nil
}

func tooLong(field Field) Violation {
	v := Violation{Field: field, Code: CodeTooLong, Limit: MaxLength}
	switch field {
	case FieldPhone, FieldBirthday: // these have forms, not lengths
		v = Violation{Field: field, Code: CodeInvalid}
	}
	return v
}

// isControl knows, beside the control characters, those that break a line or turn the direction of what follows them:
// with these a name in a report can look like another.
func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) ||
		'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

func isVisible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// presentable is a text as it came, made fit for a report: one line of at most MaxLength characters.
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
