package domain

import (
	"strings"

	"golang.org/x/text/secure/precis"
)

// Login is what a user signs in with: PRECIS UsernameCasePreserved (RFC 8265), 1 to MaxLength characters.
type Login struct{ text, key string }

func (l Login) String() string { return l.text }

// Key is the same for logins that differ in case only; it belongs to one account.
func (l Login) Key() string { return l.key }

// NewLogin makes a login. White space is no part of one, nor is it trimmed: RFC 8265 forbids it.
func NewLogin(s string) (Login, Violations) {
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

// precisLogin applies both username profiles: the one that keeps case makes the text, the one that maps it makes the key.
func precisLogin(s string) (text, key string, ok bool) {
	if isPlain(s) { // every visible ASCII character is in PRECIS's IdentifierClass, and a space is not
		return s, strings.ToLower(s), !strings.Contains(s, " ")
	}
	text, err := precis.UsernameCasePreserved.String(s)
	if err != nil {
		return "", "", false
	}
	key, err = precis.UsernameCaseMapped.String(s)
	return text, key, err == nil
}
