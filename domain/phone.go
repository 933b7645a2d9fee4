package domain

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
)

// Phone is a telephone number: the digits of its E.164 form, which begin with the country code.
type Phone struct{ digits string }

// String is the number's digits, without a plus. Empty for no number.
func (p Phone) String() string { return p.digits }

// IsRegion tells whether region names a country or territory that has phone numbers of its own.
func IsRegion(region string) bool { return phonenumbers.GetSupportedRegions()[region] }

// NewPhone makes a phone of a number written in any usual form, with white space around it or not; one without a country
// code belongs to region.
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

// parsePhone asks libphonenumber, which decides. It costs more than all the rest of an object. It would read letters as the
// digits of a keypad, and drop an extension: a text with letters is no phone number.
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

// plainPhone knows the plain forms of a Russian mobile number: nine and nine digits, after +7 everywhere, and in the
// region RU also after 8, 7 or nothing. For these libphonenumber's answer is certain; a fuzz test holds both together.
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
