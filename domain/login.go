package domain

import (
	"strings"
	"unicode"

	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// Login is what a user signs in with: PRECIS UsernameCasePreserved (RFC 8265), 1 to MaxLength characters.
type Login struct{ text, key string }

func (l Login) String() string { return l.text }

// Key is the same for logins that differ in case only; it belongs to one account.
func (l Login) Key() string { return l.key }

// NewLogin makes a login for a new account. Beyond what ParseLogin requires it rejects a mix of scripts: with letters of
// several alphabets a login can look like another.
func NewLogin(s string) (Login, Violations) {
	login, vs := ParseLogin(s)
	if (vs == nil || vs[0].Code == CodeTooLong) && mixesScripts(s) {
		return Login{}, append(Violations{{Field: FieldLogin, Code: CodeMixedScripts}}, vs...)
	}
	return login, vs
}

// ParseLogin makes a login that an account may have: those that exist keep theirs when NewLogin becomes stricter. White space
// is no part of one, nor is it trimmed: RFC 8265 forbids it.
func ParseLogin(s string) (Login, Violations) {
	vs := checkText(FieldLogin, s)
	if vs != nil {
		return Login{}, append(vs, checkLength(FieldLogin, s)...)
	}
	text, key, ok := precisLogin(s)
	if !ok {
		vs = Violations{{Field: FieldLogin, Code: CodeInvalid}}
		text = s
	}
	vs = append(vs, checkLength(FieldLogin, text)...)
	if vs != nil {
		return Login{}, vs
	}
	return Login{text, key}, nil
}

// The username profiles without their directionality rule, which RFC 8265 (3.3.2, 5) has for strings with right-to-left
// characters. The library's own profiles have it for every string that is not ASCII, and refuse 2иванов.
var (
	casePreserved = precis.NewIdentifier(precis.FoldWidth, precis.Norm(norm.NFC))
	caseMapped    = precis.NewIdentifier(precis.FoldWidth, precis.LowerCase(), precis.Norm(norm.NFC))
)

// precisLogin applies both username profiles: the one that keeps case makes the text, the one that maps it makes the key.
func precisLogin(s string) (text, key string, ok bool) {
	if isPlain(s) { // every visible ASCII character is in PRECIS's IdentifierClass, and a space is not
		return s, strings.ToLower(s), !strings.Contains(s, " ")
	}
	text, err := casePreserved.String(s)
	if err != nil || hasRightToLeft(text) && !bidirule.ValidString(text) {
		return "", "", false
	}
	key, err = caseMapped.String(s)
	return text, foldSigma(key), err == nil
}

// foldSigma makes a sigma at the end of a word like any other: in capitals they are one letter.
func foldSigma(lower string) string { return strings.ReplaceAll(lower, "ς", "σ") }

func hasRightToLeft(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		properties, _ := bidi.LookupRune(r)
		switch properties.Class() {
		case bidi.R, bidi.AL, bidi.AN:
			return true
		}
		return false
	})
}

// mixesScripts reports whether a text is less than highly restrictive by UTS 39 (5.2), which is one script, or Latin with the
// scripts of Japanese, Chinese or Korean. Go has no table of Script_Extensions, so a character that a few scripts share,
// like an Arabic digit, counts as one that all share.
func mixesScripts(s string) bool {
	if isPlain(s) {
		return false
	}
	isOf := func(scripts ...*unicode.RangeTable) bool {
		return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.In(r, scripts...) && !isShared(r) })
	}
	return !isOf(scriptOf(s)) &&
		!isOf(unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana) &&
		!isOf(unicode.Latin, unicode.Han, unicode.Bopomofo) &&
		!isOf(unicode.Latin, unicode.Han, unicode.Hangul)
}

func isShared(r rune) bool { return unicode.In(r, unicode.Common, unicode.Inherited) }

// scriptOf returns the script of the first character that has one of its own.
func scriptOf(s string) *unicode.RangeTable {
	for _, r := range s {
		switch {
		case isShared(r):
			continue
		case unicode.Is(unicode.Cyrillic, r): // the most usual first: there are 170
			return unicode.Cyrillic
		case unicode.Is(unicode.Latin, r):
			return unicode.Latin
		}
		for _, script := range unicode.Scripts {
			if unicode.Is(script, r) {
				return script
			}
		}
	}
	return unicode.Common
}

// LoginKey is what a login is found by that was refused, and need not be one: a Login's key where it is.
func LoginKey(s string) string {
	login, vs := ParseLogin(strings.TrimSpace(s))
	if vs == nil {
		return login.Key()
	}
	return foldSigma(strings.ToLower(presentable(strings.TrimSpace(s))))
}
