package xlsx

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFormat is the maximum length of a format of cells, in bytes. Excel allows 255 characters.
const maxFormat = 4 * 255

// A format is a format of cells. It renders the numbers and texts of which Excel shows more than the value: leading zeros, the prefix of
// a phone, a percent sign, the domain of an email. Other numbers stay as they are, because exponents, rounding and separators of thousands
// are no part of a login or phone.
type format struct {
	isDate  bool
	numbers []section // for positive numbers, negative ones, and zero; the first is for all that have none
	text    *section  // for texts; nil if they are shown as they are
}

// A section is the part of a format that some of the values have.
type section struct {
	condition string // such as <=9999999; empty for none
	pieces    []piece
	digits    int  // number of placeholders of digits
	literals  bool // a piece is a literal
	zeros     int  // number of placeholders that show a zero where the number has no digit
	hasValue  bool // a piece stands for the whole value
	isText    bool // that piece is the placeholder of texts
	isPercent bool
	isPlain   bool // the number is shown as it is
}

// A piece is a literal, a placeholder of a digit, or the place of the whole value.
type piece struct {
	literal string
	digit   byte // '0', or '#' for a digit that is not shown if the number has none; 0 for no placeholder
	isValue bool
}

// builtInFormats are the formats that have a number only and add something to a value. Those of dates are in isDateNumber.
var builtInFormats = map[int]*format{9: newFormat("0%"), 10: newFormat("0.00%")}

// newFormat returns the format of a code, or nil if it shows every value as it is.
func newFormat(code string) *format {
	if len(code) > maxFormat {
		return nil
	}
	if isDateFormat(code) {
		return &format{isDate: true}
	}
	f, isPlain := &format{}, true
	for more := true; more; {
		var s section
		s, code, more = parseSection(code)
		if s.isText {
			f.text = &s
		} else if len(f.numbers) < 3 {
			f.numbers = append(f.numbers, s)
			isPlain = isPlain && s.isPlain
		}
	}
	switch {
	case f.numbers == nil && f.text != nil:
		f.numbers, isPlain = []section{*f.text}, f.text.isPlain
	case len(f.numbers) == 3 && f.numbers[2].pieces == nil: // zeros are hidden
		f.numbers[2].isPlain, isPlain = false, false
	}
	if f.text != nil && f.text.isPlain {
		f.text = nil
	}
	if isPlain && f.text == nil {
		return nil
	}
	return f
}

// parseSection parses the section that a code begins with, and returns the code after it, and whether there is more.
func parseSection(code string) (s section, rest string, more bool) {
	for code != "" {
		c, size := utf8.DecodeRuneInString(code)
		switch {
		case c == ';':
			s.end()
			return s, code[1:], true
		case c == '"':
			var text string
			text, code, _ = strings.Cut(code[1:], `"`)
			s.add(text)
			continue
		case c == '[':
			var text string
			text, code, _ = strings.Cut(code[1:], "]")
			s.addBracket(text)
			continue
		case c == '\\', c == '_', c == '*': // a literal, a width, a filler
			_, next := utf8.DecodeRuneInString(code[1:])
			if c == '\\' {
				s.add(code[1 : 1+next])
			}
			size += next
		case c == '0', c == '#', c == '?':
			s.addDigit(byte(c))
		case c == '@':
			s.isText = true
			s.addValue()
		case c == '%':
			s.isPercent = true
		case c == '.', s.digits > 0 && strings.ContainsRune(",/Ee", c): // a fraction, an exponent, thousands
			s.isPlain = true
		case unicode.IsLetter(c) && s.digits == 0: // General in some language, or the format of a time
			word := code[:len(code)-len(strings.TrimLeftFunc(code, unicode.IsLetter))]
			s.isPlain = s.isPlain || strings.Trim(strings.ToLower(word), dateLetters) == ""
			s.addValue()
			size = len(word)
		default:
			s.add(code[:size])
		}
		code = code[size:]
	}
	s.end()
	return s, "", false
}

func (s *section) add(literal string) {
	if literal != "" {
		s.pieces, s.literals = append(s.pieces, piece{literal: literal}), true
	}
}

func (s *section) addDigit(placeholder byte) {
	s.pieces = append(s.pieces, piece{digit: placeholder})
	s.digits++
	if placeholder == '0' {
		s.zeros++
	}
}

func (s *section) addValue() {
	if !s.hasValue {
		s.pieces, s.hasValue = append(s.pieces, piece{isValue: true}), true
	}
}

// addBracket adds the content of brackets: a condition, a currency, a color, a language, or a span of time.
func (s *section) addBracket(text string) {
	switch {
	case strings.HasPrefix(text, "$"):
		s.isPlain = s.isPlain || !strings.HasPrefix(text, "$-") // a currency
	case strings.HasPrefix(text, "<"), strings.HasPrefix(text, ">"), strings.HasPrefix(text, "="):
		s.condition = text
	}
}

// end completes a section.
func (s *section) end() {
	s.isPlain = !s.isPercent && (s.isPlain || !s.literals && s.zeros <= 1)
}

// showNumber appends a number, which plainNumber has returned, as the format shows it, and returns false if that is the number itself.
func (f *format) showNumber(to, number []byte) ([]byte, bool) {
	s := f.section(number)
	if s == nil {
		return to, false
	}
	if s.isPercent {
		hundredfold, err := strconv.ParseFloat(string(number), 64)
		if err != nil {
			return to, false
		}
		to = append(to, plainNumber(strconv.AppendFloat(nil, hundredfold*100, 'e', -1, 64))...)
		return append(to, '%'), true
	}
	if s.isPlain || s.digits > 0 && !isDigits(number) {
		return to, false
	}
	if string(number) == "0" && !s.hasValue {
		number = nil
	}
	return s.show(to, number), true
}

// show appends a value. Digits fill the placeholders from the right; the first placeholder has all that are left.
func (s *section) show(to, value []byte) []byte {
	left := s.digits // placeholders that are not filled
	for _, p := range s.pieces {
		switch {
		case p.isValue:
			to = append(to, value...)
		case p.digit == 0:
			to = append(to, p.literal...)
		default:
			n := max(len(value)-left+1, 0)
			if n == 0 && p.digit == '0' {
				to = append(to, '0')
			}
			to = append(to, value[:n]...)
			value = value[n:]
			left--
		}
	}
	return to
}

// section returns the section for a number, or nil if the number is shown as it is. Negative numbers are.
func (f *format) section(number []byte) *section {
	if len(f.numbers) == 0 || len(number) == 0 || number[0] == '-' {
		return nil
	}
	value, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		return nil
	}
	for i := range f.numbers {
		s := &f.numbers[i]
		if s.condition == "" && f.numbers[0].condition == "" {
			if value == 0 && len(f.numbers) == 3 {
				return &f.numbers[2]
			}
			return s
		}
		if s.condition == "" || holds(s.condition, value) {
			return s
		}
	}
	return nil
}

// holds reports whether a condition, such as <=9999999, holds for a number.
func holds(condition string, number float64) bool {
	operator := strings.TrimRight(condition, "0123456789.+-Ee ")
	limit, err := strconv.ParseFloat(strings.TrimSpace(condition[len(operator):]), 64)
	if err != nil {
		return false
	}
	switch operator {
	case "<":
		return number < limit
	case "<=":
		return number <= limit
	case ">":
		return number > limit
	case ">=":
		return number >= limit
	case "=":
		return number == limit
	case "<>":
		return number != limit
	}
	return false
}

func isDigits(text []byte) bool { return len(bytes.Trim(text, "0123456789")) == 0 }

// dateLetters are the letters of the tokens of dates, times and eras.
const dateLetters = "ymdhsbeg"

// isDateNumber reports whether a built-in format shows dates.
func isDateNumber(id int) bool {
	return id >= 14 && id <= 17 || id == 22 || id >= 27 && id <= 31 || id == 36 || id >= 50 && id <= 54 || id == 57 || id == 58
}

// isDateFormat reports whether a format shows a day or a year. Letters without quotes are tokens of dates only if all of a word are:
// General is a word of the language of Excel in some files, such as Standard.
func isDateFormat(code string) bool {
	var quote rune
	escaped := false
	word := ""
	for _, c := range code + ";" {
		switch {
		case escaped:
			escaped = false
			continue
		case quote != 0:
			if c == quote {
				quote = 0
			}
			continue
		case unicode.Is(unicode.Latin, c):
			word += string(unicode.ToLower(c))
			continue
		}
		if strings.Trim(word, dateLetters) == "" && strings.ContainsAny(word, "dy") {
			return true
		}
		word = ""
		switch c {
		case '\\', '_', '*': // the next character is literal, a width, or a filler
			escaped = true
		case '"':
			quote = '"'
		case '[':
			quote = ']'
		}
	}
	return false
}
