// Package scan is shared by the scanners of files: cells of tables, bounds, buffers, and the error of a broken file. Scanners know the
// rules of a format, and nothing of people. They hold a buffer and one row or value in memory, whatever the size of the file.
package scan

import (
	"bytes"
	"iter"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxCells is the maximum number of cells in a row, without blank ones at its end.
const MaxCells = 1 << 10

// ByteOrderMark may precede a text in UTF-8, and is not part of it.
const ByteOrderMark = "\xef\xbb\xbf"

// A Row is a row of a table. It is valid until the next row is read.
type Row struct {
	Cells  []Cell
	Line   int  // number of its first line in a text file, or of the row in a sheet, from 1
	Hidden bool // a filter or a person has hidden the row of a sheet
	Broken bool // the row has a misplaced quote, or more than MaxCells cells
}

// Rows yields the rows of a table, up to the first error: a *SyntaxError where the file is broken, or an error of the reader.
type Rows = iter.Seq2[Row, error]

// A Cell is a cell of a row.
type Cell struct {
	Text      []byte // valid UTF-8
	Cut       bool   // Text is the beginning of a longer text
	Malformed bool   // Text has U+FFFD for bytes that are not UTF-8
	Quoted    bool   // the text is in quotes
	IsNumber  bool   // the cell has the type of numbers, and is shown as its number
	Fault     Fault  // 0 for none
}

// A Fault says why a cell of a workbook has no value, or not in every column.
type Fault uint8

// The faults of cells.
const (
	CellError  Fault = iota + 1 // the text is an error, such as #N/A
	Uncomputed                  // the text is a formula whose result the workbook does not have
	Date                        // the text is a date: a value in a column of dates only
)

// IsBlank reports whether the cell has white space only.
func (c *Cell) IsBlank() bool { return !c.Cut && len(bytes.TrimSpace(c.Text)) == 0 }

// Limits bounds the text of rows, in bytes. A cell that exceeds both limits is cut.
type Limits struct {
	Row  int // texts of all cells of a row
	Cell int // text of a cell
}

// Room returns how many more bytes a cell may have, in a row with row bytes of which cell bytes are the cell's own.
func (l Limits) Room(row, cell int) int { return max(l.Row-row, l.Cell-cell, 0) }

// ValidText returns a text in valid UTF-8, and whether it was malformed. A text that was cut may end inside a character, which
// is removed. Surrogate pairs, which CESU-8 has, become the characters that they stand for.
func ValidText(text []byte, cut bool) (valid []byte, malformed bool) {
	if utf8.Valid(text) {
		return text, false
	}
	if cut {
		text = TrimPartialRune(text)
	}
	text = joinSurrogates(text)
	if utf8.Valid(text) {
		return text, false
	}
	return bytes.ToValidUTF8(text, []byte(string(utf8.RuneError))), true
}

// TrimPartialRune returns a text without the incomplete character at its end, if there is one.
func TrimPartialRune[T ~string | ~[]byte](text T) T {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		last := text[len(text)-n:]
		if !utf8.RuneStart(last[0]) {
			continue
		}
		if !utf8.FullRuneInString(string(last)) {
			return text[:len(text)-n]
		}
		break
	}
	return text
}

// sizeOfPair is the size of a surrogate pair in CESU-8, in bytes.
const sizeOfPair = 6

// joinSurrogates replaces the surrogate pairs of CESU-8 in place.
func joinSurrogates(text []byte) []byte {
	first := bytes.IndexByte(text, 0xED)
	if first < 0 {
		return text
	}
	joined := text[:first]
	for rest := text[first:]; len(rest) > 0; {
		n := 1
		if r := SurrogatePair(rest); r != utf8.RuneError {
			n = sizeOfPair
			joined = utf8.AppendRune(joined, r)
		} else {
			joined = append(joined, rest[0])
		}
		rest = rest[n:]
	}
	return joined
}

// SurrogatePair returns the character of the surrogate pair in CESU-8 that a text begins with, or U+FFFD.
func SurrogatePair(text []byte) rune {
	if len(text) < sizeOfPair || text[0] != 0xED || text[3] != 0xED {
		return utf8.RuneError
	}
	half := func(b []byte) rune { return rune(b[0]&0x0F)<<12 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F) }
	return utf16.DecodeRune(half(text), half(text[3:]))
}

// A SyntaxError reports that a file breaks the rules of its format.
type SyntaxError struct {
	Offset int64  // bytes before the place, 0 where it is unknown
	Reason string // a phrase, such as "expected a comma or ]"
}

func (e *SyntaxError) Error() string { return e.Reason }

// Buffer is the memory that a scanner reads into.
type Buffer = [64 << 10]byte

// buffers keeps buffers for reuse: most files have one record, and clearing a new buffer takes as long as reading it.
var buffers = sync.Pool{New: func() any { return new(Buffer) }}

// NewBuffer returns a buffer with unknown content. PutBuffer takes it back.
func NewBuffer() *Buffer {
	return buffers.Get().(*Buffer) //nolint:forcetypeassert // nothing else is in the pool
}

// PutBuffer takes back a buffer that is no longer in use.
func PutBuffer(b *Buffer) { buffers.Put(b) }
