package domain

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Email is an address of at most MaxLength characters, as it was written. International ones (RFC 6531) are welcome;
// quoted local parts, comments and bare host names are not: no mailbox of a person has them.
type Email struct{ text, key string }

func (e Email) String() string { return e.text }

// Key is the same for addresses that differ in case only; it belongs to one account. Empty for no address.
func (e Email) Key() string { return e.key }

// NewEmail makes an e-mail address; white space around it is dropped.
func NewEmail(s string) (Email, Violations) {
	s = trim(s)
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

// isDotAtom knows the local parts of RFC 5321, of at most 64 octets, and with RFC 6531 letters of any script.
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

// asciiDomain is the domain in the form that the DNS knows, and whether it can be one that receives mail: two labels or
// more, the last of which is no number.
func asciiDomain(domain string) (string, bool) {
	if !isPlain(domain) {
		if strings.ContainsFunc(domain, func(r rune) bool { return r > unicode.MaxASCII && !isInternational(r) }) {
			return "", false // IDNA would drop what nobody sees
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

// isLabel knows the labels of RFC 1035: 1 to 63 letters, digits and hyphens, without a hyphen at either end.
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

// isInternational knows the letters and digits of other alphabets than ASCII's.
func isInternational(r rune) bool {
	return r > unicode.MaxASCII && unicode.In(r, unicode.L, unicode.M, unicode.N)
}

func isASCIIAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
