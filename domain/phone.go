package domain

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
)

// A Phone is a telephone number: the digits of its E.164 form, starting with the country code.
type Phone struct{ digits string }

// String returns the digits, without a plus. Empty for no number.
func (p Phone) String() string { return p.digits }

// IsRegion reports whether a code is that of a region with a numbering plan.
func IsRegion(region string) bool { return phonenumbers.GetSupportedRegions()[region] }

// NewPhone returns the phone with a number in any common notation. It trims white space. A number without a country code belongs to
// region.
func NewPhone(s, region string) (Phone, Violations) {
	s = trim(s)
	if digits, ok := plainPhone(s, region); ok {
		return Phone{digits}, nil
	}
	vs := checkText(FieldPhone, s)
	if vs != nil {
		return Phone{}, vs
	}
	digits, ok := parsePhone(s, region)
	if !ok {
		return Phone{}, Violations{{Field: FieldPhone, Code: CodeInvalid}}
	}
	return Phone{digits}, nil
}

// parsePhone parses a number by libphonenumber, which is the authority. That takes longer than all other checks of a record. A text with
// letters is rejected first, because libphonenumber would read them as digits of a keypad, or drop them as an extension.
func parsePhone(s, region string) (digits string, ok bool) {
	if strings.ContainsFunc(s, unicode.IsLetter) {
		return "", false
	}
	number, err := phonenumbers.Parse(s, region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return strings.TrimPrefix(phonenumbers.Format(number, phonenumbers.E164), "+"), true
}

// plainPhone returns the digits of a Russian mobile number in a plain notation: 9 and nine digits, after +7 in every region, and after 8,
// 7 or nothing in RU. libphonenumber gives the same result for these, which a fuzz test proves.
func plainPhone(s, region string) (digits string, ok bool) {
	national := s
	switch {
	case len(s) == len("+79123456789") && s[:2] == "+7":
		national = s[2:]
	case region != "RU":
		return "", false
	case len(s) == len("89123456789") && (s[0] == '8' || s[0] == '7'):
		national = s[1:]
	}
	if len(national) != len("9123456789") || national[0] != '9' || !isDigits(national) {
		return "", false
	}
	if s[0] == '7' {
		return s, true
	}
	return "7" + national, true
}
