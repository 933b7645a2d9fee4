package domain

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// MinPassword and MaxPassword bound the length of a chosen password, in characters. There are no composition rules, because they make
// passwords worse (NIST SP 800-63B rev. 3, 5.1.1.2).
const (
	MinPassword = 8
	MaxPassword = 128
)

// minHeldLogin is the length from which a login must not be part of its password. Shorter logins are part of many words.
const minHeldLogin = 4

// A Password is a password as it is hashed: PRECIS OpaqueString (RFC 8265), at most MaxPassword characters.
type Password struct{ text, entered string }

// Secret returns the text of the password, for hashing only. Empty for a text that no user can choose.
func (p Password) Secret() string { return p.text }

// Entered returns the text before its preparation, for hashes of the first service, which hashed any text as it was entered. Empty for a
// text of more than MaxValue bytes.
func (p Password) Entered() string { return p.entered }

// String hides the password from logs and messages.
func (Password) String() string { return "(password)" }

// NewPassword returns a password that a user chooses for the account with a login.
func NewPassword(s string, login Login) (Password, Violations) {
	switch {
	case s == "":
		return Password{}, Violations{{Field: FieldPassword, Code: CodeRequired}}
	case utf8.RuneCountInString(s) > MaxPassword:
		return Password{}, Violations{{Field: FieldPassword, Code: CodeTooLong, Limit: MaxPassword}}
	case !utf8.ValidString(s):
		return Password{}, Violations{{Field: FieldPassword, Code: CodeEncoding}}
	case strings.ContainsFunc(s, isControl):
		return Password{}, Violations{{Field: FieldPassword, Code: CodeControl}}
	}
	p, ok := opaquePassword(s)
	if !ok {
		return Password{}, Violations{{Field: FieldPassword, Code: CodeInvalid}}
	}
	var vs Violations
	if utf8.RuneCountInString(p.text) < MinPassword {
		vs = append(vs, Violation{Field: FieldPassword, Code: CodeTooShort, Limit: MinPassword})
	}
	lower := strings.ToLower(p.text)
	if _, common := commonPasswords()[lower]; common {
		vs = append(vs, Violation{Field: FieldPassword, Code: CodeCommon})
	}
	if key := login.Key(); lower == key || utf8.RuneCountInString(key) >= minHeldLogin && strings.Contains(foldSigma(lower), key) {
		vs = append(vs, Violation{Field: FieldPassword, Code: CodeHoldsLogin})
	}
	if vs != nil {
		return Password{}, vs
	}
	return p, nil
}

// EnteredPassword returns a password entered at sign-in. A text that no account can have as its password may have been copied: its
// invisible characters are dropped, and white space around it is trimmed. If that does not help, EnteredPassword returns false. Only a hash
// of the first service can match such a password, whose Secret is empty.
func EnteredPassword(s string) (Password, bool) {
	if len(s) > MaxValue { // checked first, because a long text would cost much time
		return Password{}, false
	}
	p, ok := opaquePassword(s)
	if !ok {
		p, ok = opaquePassword(clean(s))
	}
	p.entered = s
	return p, ok
}

func opaquePassword(s string) (Password, bool) {
	if utf8.RuneCountInString(s) > MaxPassword {
		return Password{}, false
	}
	text, err := precis.OpaqueString.String(s)
	if err != nil || utf8.RuneCountInString(text) > MaxPassword {
		return Password{}, false
	}
	return Password{text: text}, true
}

// commonList is the list of the 10,000 most frequently leaked passwords of zxcvbn-ts (MIT).
//
//go:embed common_passwords.txt
var commonList string

var commonPasswords = sync.OnceValue(func() map[string]struct{} {
	common := make(map[string]struct{}, 10_000)
	for password := range strings.Lines(commonList) {
		common[strings.TrimSuffix(password, "\n")] = struct{}{}
	}
	return common
})
