package domain

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// MinPassword and MaxPassword bound how many characters a chosen password has. There are no rules of composition: NIST
// SP 800-63B (rev. 3, 5.1.1.2) found that they make passwords worse.
const (
	MinPassword = 8
	MaxPassword = 128
)

// minHeldLogin is from how many characters on a login may not stand in its password: shorter ones stand in many words.
const minHeldLogin = 4

// Password is what somebody proves with who they are: PRECIS OpaqueString (RFC 8265), at most MaxPassword characters.
type Password struct{ text string }

// Secret is the password. It is for hashing, and for nothing else.
func (p Password) Secret() string { return p.text }

// String keeps the password out of logs and messages.
func (Password) String() string { return "(password)" }

// NewPassword makes the password that a person chooses for an account.
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
	p, ok := EnteredPassword(s)
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

// EnteredPassword makes the password that somebody signs in with. It returns false for what is nobody's password.
func EnteredPassword(s string) (Password, bool) {
	if utf8.RuneCountInString(s) > MaxPassword { // before the work that a long one would be
		return Password{}, false
	}
	text, err := precis.OpaqueString.String(s)
	if err != nil || utf8.RuneCountInString(text) > MaxPassword {
		return Password{}, false
	}
	return Password{text}, true
}

// commonList has the 10,000 passwords that leaked most often, by frequency, as the list of zxcvbn-ts (MIT) has them.
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
