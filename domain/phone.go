package domain

import (
	"regexp"
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

// NewPhone returns the phone with a number in any common notation. It trims white space, and drops invisible characters and words such as
// "mobile". A number without a country code belongs to region. It rejects what may stand for another number: other words, a mask, a number
// that is cut or rounded, two numbers in one, and an extension.
func NewPhone(s, region string) (Phone, Violations) {
	s = trim(s)
	if digits, ok := plainPhone(s, region); ok {
		return Phone{digits}, nil
	}
	s = blanks.Replace(clean(s))
	vs := checkText(FieldPhone, s)
	if vs != nil {
		return Phone{}, vs
	}
	if strings.ContainsFunc(s, unicode.IsLetter) {
		s = label.ReplaceAllString(s, "")
	}
	number := dialed(s)
	if digits, ok := plainPhone(punctuation.Replace(number), region); ok {
		return Phone{digits}, nil
	}
	if digits, ok := parsePhone(number, region); ok && !isTwoPhones(number, region) {
		return Phone{digits}, nil
	}
	if match := extension.FindStringSubmatch(s); match != nil {
		if _, vs := NewPhone(match[1], region); vs == nil {
			return Phone{}, Violations{{Field: FieldPhone, Code: CodeExtension}}
		}
	}
	return Phone{}, Violations{{Field: FieldPhone, Code: CodeInvalid}}
}

// RestorePhone returns the phone of an account of the first service, which stored the digits that a client sent, without a plus. Digits that
// are no number of region are read as the international form. If they are none either, the account keeps them.
func RestorePhone(digits, region string) (Phone, Violations) {
	phone, vs := NewPhone(digits, region)
	if vs == nil {
		return phone, nil
	}
	if international, failed := NewPhone("+"+digits, region); failed == nil {
		return international, nil
	}
	return Phone{digits}, vs
}

// blanks puts a number that fills several lines or columns of a cell into one line.
var blanks = strings.NewReplacer("\r", " ", "\n", " ", "\t", " ")

// punctuation drops the signs that stand between the digits of most phones. A dot may begin a fraction, and a slash a second number.
var punctuation = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "")

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
// 7 or nothing in RU. libphonenumber gives the same result for these, with and without punctuation, which a fuzz test proves.
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

// dialed returns a number as it is dialed. It is empty for a text that is no number.
func dialed(s string) string {
	s = strings.TrimRight(strings.TrimRight(s, ",;"), " ")
	if whole, isNumber := wholeNumber(s); isNumber {
		return whole
	}
	return dialable(strings.TrimSuffix(s, "."))
}

// dialable returns a number that is written with digits and the signs that people write between them, in ASCII. It is empty for any other text. A
// sign that is repeated, or stands at the end, may have replaced digits.
func dialable(s string) string {
	var b strings.Builder
	last := '-'
	for i, r := range s {
		if '！' <= r && r <= '～' { // the wide forms of ASCII
			r -= '！' - '!'
		}
		switch {
		case unicode.IsDigit(r):
		case r == '+':
			if i > 0 && (i > len("（") || last != '(') {
				return ""
			}
		case r == '(':
		case r == ')':
			if i == 0 {
				return ""
			}
		case unicode.Is(unicode.Zs, r):
			r = ' '
		case isDash(r), r == '.', r == '/', r == '~':
			if isDash(r) {
				r = '-'
			}
			if i == 0 || r == last {
				return ""
			}
		default:
			return ""
		}
		last = r
		b.WriteRune(r)
	}
	if !unicode.IsDigit(last) && last != ')' {
		return ""
	}
	return b.String()
}

func isDash(r rune) bool { return unicode.Is(unicode.Pd, r) || r == '−' }

// Numbers as programs write them.
var (
	// decimal matches a number with a fraction. Groups of digits, which dots may separate, are shorter.
	decimal = regexp.MustCompile(`^([1-9]\d{6,})[.,](\d\d?)$`)

	exponential = regexp.MustCompile(`^(\+?)([1-9]\d*)(?:([.,])(\d+))?([eE])(\+?)(\d{1,2})$`)
)

// wholeNumber returns the digits of a number that a program wrote with a fraction or an exponent, and whether it is one. The digits are
// empty if the notation may have lost some.
func wholeNumber(s string) (digits string, ok bool) {
	if !strings.ContainsAny(s, ".,eE") {
		return "", false
	}
	if match := decimal.FindStringSubmatch(s); match != nil {
		if strings.Trim(match[2], "0") != "" {
			return "", true
		}
		return match[1], true
	}
	match := exponential.FindStringSubmatch(s)
	if match == nil {
		return "", false
	}
	plus, before, point, after, e, sign, power := match[1], match[2], match[3], match[4], match[5], match[6], match[7]
	digits = before + after
	length := len(before) + number(power)
	switch {
	case len(digits) >= length:
		if strings.Trim(digits[length:], "0") != "" {
			return "", true
		}
		return plus + digits[:length], true
	case len(before) == 1 && point != "," && e == "E" && sign == "" && power[0] != '0' && !strings.HasSuffix(digits, "0") &&
		len(digits) >= minDouble && length <= maxPhone:
		return plus + digits + strings.Repeat("0", length-len(digits)), true
	}
	return "", true
}

const (
	// minDouble is the number of digits from which 9.16300113E9 is a double as Java writes it: without zeros at the end, but with all
	// other digits. A float of this size has fewer digits, and has lost some.
	minDouble = 9

	maxPhone = 15 // digits, by E.164
)

// isTwoPhones reports whether a valid number has more than one: the parts before and after a sign are numbers. After a slash it
// may also be a second ending.
func isTwoPhones(s, region string) bool {
	after := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			after++
		}
	}
	before := 0
	last := rune(0)
	for i, r := range s {
		isSplit := unicode.IsDigit(last) && (r == '/' || min(before, after) >= minPhone && (r == '(' || r == '-' || r == ' '))
		last = r
		if unicode.IsDigit(r) {
			before, after = before+1, after-1
		}
		if !isSplit {
			continue
		}
		if _, ok := parsePhone(s[:i], region); !ok {
			continue
		}
		if _, ok := parsePhone(s[i:], region); ok || r == '/' {
			return true
		}
	}
	return false
}

// minPhone is the number of digits of a short number. Few numbers have as many on both sides of a sign, and need further parsing.
const minPhone = 6

// label matches words before or after a number that say which of a person's telephones it belongs to.
var label = regexp.MustCompile(`(?i)^(?:` + labelWord + `[.: ]*)+|[ ,]*\(?` + labelWord + `[.)]*$`)

const labelWord = `(?:тел(?:ефон)?|моб(?:ильный)?|сот(?:овый)?|раб(?:очий)?|дом(?:ашний)?|tel|phone|mob(?:ile)?|cell)`

// extension matches a number with an extension. Its group is the number.
var extension = regexp.MustCompile(`(?i)^(.*?\d\)?)[\s,;(./–—-]*` +
	`(?:доб(?:ав(?:очный)?)?|доп|вн(?:утр(?:енний)?)?|ext(?:n|ension)?|int|x|х|#)[\s.:=№#-]*\d{1,7}(?:[\s,;/-]+\d{1,7})*\)?$`)
