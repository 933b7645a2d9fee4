package domain

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// A Login is the name of an account: PRECIS UsernameCasePreserved (RFC 8265), 1 to MaxLogin characters.
type Login struct{ text, key string }

func (l Login) String() string { return l.text }

// Key returns the key under which the login is unique. It ignores case.
func (l Login) Key() string { return l.key }

// NewLogin returns a login for a new account. In addition to ParseLogin it rejects a mix of scripts, because a login with letters of
// several alphabets can look like another, and a number with an exponent, because a spreadsheet has rounded it.
func NewLogin(s string) (Login, Violations) {
	s = cleanLogin(s)
	login, vs := ParseLogin(s)
	if vs == nil && strings.Contains(s, "+") && rounded.MatchString(s) {
		return Login{}, Violations{{Field: FieldLogin, Code: CodeInvalid}}
	}
	if (vs == nil || vs[0].Code == CodeTooLong) && mixesScripts(s) {
		return Login{}, append(Violations{{Field: FieldLogin, Code: CodeMixedScripts}}, vs...)
	}
	return login, vs
}

// rounded matches a long number as spreadsheets show it.
var rounded = regexp.MustCompile(`^\d([.,]\d+)?[eE]\+\d+$`)

// ParseLogin returns a login that an existing account may have. Accounts keep their logins when NewLogin becomes stricter. It trims white
// space and drops invisible characters, which are no part of a login (RFC 8265).
func ParseLogin(s string) (Login, Violations) {
	s = cleanLogin(s)
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

// cleanLogin is clean, except that it leaves a login as it is: RFC 8265 allows joiners where they change the shape of the text.
func cleanLogin(s string) string {
	cleaned := clean(s)
	if len(cleaned) != len(s) {
		if _, _, ok := precisLogin(s); ok {
			return s
		}
	}
	return cleaned
}

// RestoreLogin returns the login of an existing account. Accounts of the first service keep logins that no rule of today permits, such as
// one with a space.
func RestoreLogin(s string) Login { return Login{s, signInKey(s)} }

// MissingLogin returns the login of an account of the first service that has none. No name that is entered has its key.
func MissingLogin(user int64) Login { return Login{key: blankLogin + strconv.FormatInt(user, 10)} }

// blankLogin is the key of a login without characters. No other key is a space.
const blankLogin = " "

// signInKey returns the key under which an account is found by a name that is entered as its login. Empty for a name that cannot be a
// login: one that is too long, or that PostgreSQL cannot store.
func signInKey(name string) string {
	name = cleanLogin(name)
	login, vs := ParseLogin(name)
	switch {
	case vs == nil:
		return login.key
	case name == "":
		return blankLogin
	case len(name) > MaxValue, !utf8.ValidString(name), strings.Contains(name, "\x00"):
		return ""
	}
	return foldSigma(strings.ToLower(norm.NFC.String(name)))
}

// The username profiles without their directionality rule. RFC 8265 (3.3.2, 5) has that rule for strings with right-to-left characters.
// The library's own profiles apply it to every string outside ASCII, and so reject 2иванов.
var (
	casePreserved = precis.NewIdentifier(precis.FoldWidth, precis.Norm(norm.NFC))
	caseMapped    = precis.NewIdentifier(precis.FoldWidth, precis.LowerCase(), precis.Norm(norm.NFC))
)

// precisLogin applies both username profiles: the case-preserving one gives the text, the case-mapping one the key.
func precisLogin(s string) (text, key string, ok bool) {
	if isPlain(s) { // PRECIS's IdentifierClass has every visible ASCII character, but not the space
		return s, strings.ToLower(s), !strings.Contains(s, " ")
	}
	text, err := casePreserved.String(s)
	if err != nil || HasRightToLeft(text) && !bidirule.ValidString(text) {
		return "", "", false
	}
	key, err = caseMapped.String(s)
	return text, foldSigma(key), err == nil
}

// foldSigma replaces final sigmas by ordinary ones: both have the same capital letter.
func foldSigma(lower string) string { return strings.ReplaceAll(lower, "ς", "σ") }

// mixesScripts reports whether a text is less restrictive than the level "highly restrictive" of UTS 39 (5.2): one script, or Latin
// with the scripts of Japanese, Chinese or Korean. Go has no table of Script_Extensions, so a character that some scripts share, such as
// an Arabic digit, counts as shared by all.
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

// scriptOf returns the script of the first character that is not shared.
func scriptOf(s string) *unicode.RangeTable {
	for _, r := range s {
		switch {
		case isShared(r):
			continue
		case unicode.Is(unicode.Cyrillic, r): // the most frequent ones first, of about 170
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

// LoginKey returns the key by which a rejected login is found. For a valid login it is that of Login.
func LoginKey(s string) string {
	login, vs := ParseLogin(s)
	if vs == nil {
		return login.Key()
	}
	return foldSigma(strings.ToLower(presentable(trim(s))))
}
