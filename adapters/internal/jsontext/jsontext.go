// Package jsontext appends texts and violations as JSON. For a million records encoding/json would take most of the time.
package jsontext

import (
	"strconv"
	"unicode/utf8"

	"rollcall/domain"
)

// AppendString appends text to dst as a string in JSON, with U+FFFD for bytes that are not UTF-8. For a million records
// encoding/json would take most of the time of a report.
func AppendString[T string | []byte](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	begin, from, bits := len(dst), 0, byte(0)
	for i := range len(text) {
		c := text[i]
		bits |= c
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	dst = append(dst, text[from:]...)
	if bits >= utf8.RuneSelf && !utf8.Valid(dst[begin:]) {
		dst = append(dst[:begin], string([]rune(string(dst[begin:])))...)
	}
	return append(dst, '"')
}

// AppendViolations appends violations to dst as an array of objects with field, code and, where the rule has one, limit.
func AppendViolations(dst []byte, violations domain.Violations) []byte {
	dst = append(dst, '[')
	for i, v := range violations {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(append(dst, `{"field":`...), string(v.Field))
		dst = AppendString(append(dst, `,"code":`...), string(v.Code))
		if v.Limit != 0 {
			dst = strconv.AppendInt(append(dst, `,"limit":`...), int64(v.Limit), 10)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
