package domain

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// An Email is an address of at most MaxEmail characters, as it was written. International addresses (RFC 6531) are valid. Quoted
// local parts, comments and bare host names are not, because no person's mailbox has them.
type Email struct{ text, key string }

func (e Email) String() string { return e.text }

// Key returns the key under which the address is unique. It ignores case. Empty for no address.
func (e Email) Key() string { return e.key }

// NewEmail returns an address for a new account. In addition to ParseEmail it rejects a mix of scripts before the @ or in a label of the
// domain, because such a letter was typed with another keyboard.
func NewEmail(s string) (Email, Violations) {
	email, vs := ParseEmail(s)
	if vs == nil && !isPlain(email.text) {
		local, domain, _ := strings.Cut(email.text, "@")
		if mixesScripts(local) || slices.ContainsFunc(strings.Split(domain, "."), mixesScripts) {
			return Email{}, Violations{{Field: FieldEmail, Code: CodeMixedScripts}}
		}
	}
	return email, vs
}

// ParseEmail returns an address that an existing account may have. It trims white space and drops invisible characters.
func ParseEmail(s string) (Email, Violations) {
	s = clean(s)
	vs := checkText(FieldEmail, s)
	if !isPlain(s) {
		s = norm.NFC.String(s)
	}
	local, domain, _ := strings.Cut(s, "@")
	host, ok := asciiDomain(domain)
	if vs == nil && (!ok || !isDotAtom(local)) {
		vs = Violations{{Field: FieldEmail, Code: CodeInvalid}}
	}
	vs = append(vs, checkLength(FieldEmail, s)...)
	if vs != nil {
		return Email{}, vs
	}
	if isPlain(s) {
		return Email{text: s, key: strings.ToLower(s)}, nil
	}
	lower := cases.Lower(language.Und, cases.HandleFinalSigma(false)).String(local)
	return Email{text: s, key: foldSigma(norm.NFC.String(lower)) + "@" + host}, nil
}

// RestoreEmail returns the address of an existing account. Accounts of the first service keep addresses that NewEmail rejects. A blank text
// is no address.
func RestoreEmail(s string) Email {
	email, vs := ParseEmail(s)
	switch {
	case clean(s) == "":
		return Email{}
	case vs == nil:
		return Email{s, email.key}
	}
	return Email{s, foldSigma(strings.ToLower(norm.NFC.String(clean(s))))}
}

// isDotAtom reports whether a text is a local part of RFC 5321, of at most 64 octets. By RFC 6531 letters may be of any script.
func isDotAtom(local string) bool {
	if len(local) > 64 {
		return false
	}
	atom := 0 // characters since the last dot
	for _, r := range local {
		switch {
		case r == '.':
			if atom == 0 {
				return false
			}
			atom = 0
		case isASCIIAlphanumeric(r), isInternational(r), strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r):
			atom++
		default:
			return false
		}
	}
	return atom > 0
}

// asciiDomain returns a domain in the form of the DNS, and whether it can receive mail: it has two labels or more, and the last one is
// no number.
func asciiDomain(domain string) (string, bool) {
	if !isPlain(domain) {
		if strings.ContainsFunc(domain, func(r rune) bool { return r > unicode.MaxASCII && !isInternational(r) }) {
			return "", false // IDNA would drop invisible characters
		}
		var err error
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", false
		}
	}
	labels, rest := 0, domain
	for more := true; more; labels++ {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if !isLabel(label) || !more && isDigits(label) {
			return "", false
		}
	}
	return strings.ToLower(domain), labels > 1
}

// isLabel reports whether a text is a label of RFC 1035: 1 to 63 letters, digits and hyphens, without a hyphen at either end.
func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, r := range label {
		if !isASCIIAlphanumeric(r) && r != '-' {
			return false
		}
	}
	return true
}

// isInternational reports whether r is a letter, digit or mark outside ASCII.
func isInternational(r rune) bool {
	return r > unicode.MaxASCII && unicode.In(r, unicode.L, unicode.M, unicode.N)
}

func isASCIIAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
