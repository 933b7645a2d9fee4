// Package csvfield quotes the fields of CSV files so that no spreadsheet runs them as formulas. The adapters that write CSV and the
// one that reads it share the package, so that a file written by one is read back unchanged by another.
package csvfield

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// A spreadsheet runs a text of a CSV file that looks like a formula. It splits the file at the separator of its own settings, even
// if the file has another one. Where the setting is ";", the name "x;=6*7;" gives three cells, one of them a formula. So Append
// writes an apostrophe wherever a cell may begin with a formula, even if apostrophes precede the formula, and before a number that
// has an apostrophe already. Restore removes one
// apostrophe at each of these places, which gives back every text unchanged.

// Append appends text to dst as a quoted field that no spreadsheet takes for a formula.
func Append[T string | []byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	from := 0
	for at := range len(text) {
		if at > 0 && text[at] != '"' && !separates[text[at-1]] {
			continue
		}
		if mayBegin(text, at) && isFormula(text[at:]) || at == 0 && text[0] == '\'' && isNumber(text) {
			dst = append(append(dst, text[from:at]...), '\'')
			from = at
		}
		if text[at] == '"' {
			dst = append(append(dst, text[from:at]...), '"')
			from = at
		}
	}
	return append(append(dst, text[from:]...), '"')
}

// Restore returns the text from which Append made field, whose quotes the caller has removed. The text is in field's memory. In a
// field from another program Restore removes the apostrophes that people write before a formula or a number.
func Restore(field []byte) []byte {
	if bytes.IndexByte(field, '\'') < 0 {
		return field
	}
	text, from := field[:0], 0
	for at := range field {
		if field[at] == '\'' && (mayBegin(field, at) && isFormula(field[at+1:]) || at == 0 && isNumber(field[1:])) {
			text = append(text, field[from:at]...)
			from = at + 1
		}
	}
	return append(text, field[from:]...)
}

// separates is true for the bytes that end a cell in some spreadsheet.
var separates = [256]bool{',': true, ';': true, '|': true, '\t': true, '\r': true, '\n': true}

// mayBegin reports whether a spreadsheet may begin a cell at a position in text.
func mayBegin[T string | []byte](text T, at int) bool {
	switch {
	case at == 0:
		return true
	case text[at-1] == '\r' && text[at] == '\n': // a single line break
		return false
	}
	return separates[text[at-1]]
}

// isNumber reports whether a text begins with a digit, apart from apostrophes. Spreadsheets take '007 for the text 007.
func isNumber[T string | []byte](text T) bool {
	for at := range len(text) {
		if text[at] != '\'' {
			return '0' <= text[at] && text[at] <= '9'
		}
	}
	return false
}

// isFormula reports whether a spreadsheet may take a cell for a formula. Quotes, blanks and invisible characters may precede
// the sign, because some spreadsheets drop them.
func isFormula[T string | []byte](cell T) bool {
	for at := 0; at < len(cell); {
		r, size := rune(cell[at]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(string(cell[at:min(at+utf8.UTFMax, len(cell))]))
		}
		switch r {
		case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠': // OWASP's list for CSV injection
			return true
		}
		if r != '\'' && r != '"' && unicode.IsGraphic(r) && !unicode.IsSpace(r) {
			return false
		}
		at += size
	}
	return false
}
