// Package json scans JSON by RFC 8259 in constant memory. Unlike encoding/json it cuts long texts, of 900 MB if a client sends them, and
// reports malformed characters for each text. No method calls itself, so that nesting takes no stack.
package json

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"rollcall/adapters/bulkfile/scan"
)

const (
	// MaxDepth is how deep arrays and objects may be nested, as in encoding/json.
	MaxDepth = 10_000

	// maxKey is how many bytes of a key are returned: more than any key has that a caller looks for.
	maxKey = 32
)

// A Kind is the kind of a value.
type Kind uint8

// The kinds of values.
const (
	None Kind = iota // there is no value
	Null
	Bool
	Number
	String
	Array
	Object
)

// A Value is a value that was read. Its text is appended to a slice of the caller.
type Value struct {
	Kind      Kind
	Cut       bool // the text is the beginning of a longer text
	Malformed bool // the text has U+FFFD for bytes that are not UTF-8, or for half of a surrogate pair
}

// A Scanner reads JSON from a stream. After an error its methods return zero values, and Err returns the error.
type Scanner struct {
	r       io.Reader
	buf     []byte
	pos     int   // of the next byte in buf
	end     int   // of the bytes in buf
	offset  int64 // of buf in the stream
	readErr error // that ended the stream
	err     error // the first error

	// Of Line, once it has been called.
	countsLines bool
	lineFeeds   int // before counted
	counted     int // of the bytes in buf

	nesting []byte       // closing brackets that are due, innermost last
	key     [maxKey]byte // the key that was read last

	// The recorded bytes are those in raw, followed by those in buf from rawStart, which is negative while nothing is recorded.
	raw      []byte
	rawStart int
	maxRaw   int
}

// NewScanner returns a Scanner that reads r into buf. Of a value it records up to maxRaw bytes.
func NewScanner(r io.Reader, buf []byte, maxRaw int) *Scanner {
	return &Scanner{r: r, buf: buf, maxRaw: maxRaw, rawStart: -1}
}

// Reset makes the scanner read its stream as another text, when the stream has ended or failed.
func (s *Scanner) Reset() {
	s.pos, s.end, s.offset, s.readErr, s.err, s.rawStart = 0, 0, 0, nil, nil, -1
}

// Err returns the first error: a *scan.SyntaxError, or an error of the reader, wrapped.
func (s *Scanner) Err() error { return s.err }

// Line returns the number of the line that the scanner has reached. Lines are counted from the first call on: it returns 0 if the buffer
// has been filled again before that.
func (s *Scanner) Line() int {
	if !s.countsLines && s.offset > 0 {
		return 0
	}
	s.countsLines = true
	s.lineFeeds += bytes.Count(s.buf[s.counted:s.pos], []byte("\n"))
	s.counted = s.pos
	return s.lineFeeds + 1
}

// Fail makes reason the scanner's error, at the place that it has reached, unless there is an earlier error.
func (s *Scanner) Fail(reason string) {
	if s.err == nil {
		s.err = &scan.SyntaxError{Offset: s.offset + int64(s.pos), Reason: reason}
	}
}

// SkipByteOrderMark skips a byte order mark at the beginning of the stream.
func (s *Scanner) SkipByteOrderMark() {
	s.ensure(len(scan.ByteOrderMark))
	if s.end >= len(scan.ByteOrderMark) && string(s.buf[:len(scan.ByteOrderMark)]) == scan.ByteOrderMark {
		s.pos = len(scan.ByteOrderMark)
	}
}

// Peek returns the kind of the next value by its first byte: None at the end of the stream, or before a byte that begins no
// value.
func (s *Scanner) Peek() Kind {
	if !s.skipSpace() {
		return None
	}
	switch c := s.buf[s.pos]; {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == '-' || '0' <= c && c <= '9':
		return Number
	case c == 'n':
		return Null
	case c == 't' || c == 'f':
		return Bool
	}
	return None
}

// AtEnd reports whether only white space is left. It returns false after an error, also of the reader.
func (s *Scanner) AtEnd() bool {
	return s.err == nil && !s.skipSpace() && s.err == nil
}

// StartRaw begins to record the bytes of the next value. Peek must have been called.
func (s *Scanner) StartRaw() { s.raw, s.rawStart = s.raw[:0], s.pos }

// Raw returns the bytes that were read since StartRaw, or nil if there are more than the scanner records. They are valid until
// the scanner reads again.
func (s *Scanner) Raw() []byte {
	if s.rawStart >= 0 && len(s.raw) == 0 && s.pos-s.rawStart <= s.maxRaw { // all are in buf
		raw := s.buf[s.rawStart:s.pos]
		s.rawStart = -1
		return raw
	}
	s.saveRaw()
	if s.rawStart < 0 {
		return nil
	}
	s.rawStart = -1
	return s.raw
}

// saveRaw records the bytes in buf, before buf is filled again.
func (s *Scanner) saveRaw() {
	if s.rawStart < 0 {
		return
	}
	part := s.buf[s.rawStart:s.pos]
	s.rawStart = 0
	if len(s.raw)+len(part) > s.maxRaw {
		s.rawStart = -1
		return
	}
	s.raw = append(s.raw, part...)
}

// Elements reads an array, and yields the number of each element, from 1. The caller must read the element.
func (s *Scanner) Elements(yield func(number int) bool) {
	s.expect('[', "expected an array")
	for number := 1; s.more(']', number == 1); number++ {
		if !yield(number) {
			return
		}
	}
}

// Members reads an object, and yields its keys, each cut to 32 bytes. The caller must read the value.
func (s *Scanner) Members(yield func(key []byte) bool) {
	s.expect('{', "expected a JSON object")
	for first := true; s.more('}', first); first = false {
		key := s.readKey()
		if s.err != nil || !yield(key) {
			return
		}
	}
}

// more reports whether an array or object has another item, and reads the comma before it. The bracket that closes the array
// or object is read.
func (s *Scanner) more(closing byte, first bool) bool {
	c := s.token()
	switch {
	case s.err != nil || c == closing:
		return false
	case first:
		s.pos--
	case c != ',':
		s.pos--
		s.Fail("expected a comma or " + string(rune(closing)))
		return false
	}
	return true
}

// expect reads a byte.
func (s *Scanner) expect(want byte, reason string) {
	if s.err != nil {
		return
	}
	if c := s.token(); c != want && s.err == nil {
		s.pos--
		s.Fail(reason)
	}
}

// readKey reads a key and the colon after it.
func (s *Scanner) readKey() []byte {
	s.expect('"', "expected a key in quotes")
	if s.err != nil {
		return nil
	}
	key, _ := s.text(s.key[:0], maxKey)
	s.expect(':', "expected a colon after the key")
	return key
}

// Value reads a value. Of a string or number it appends at most limit bytes of text to dst, in valid UTF-8.
func (s *Scanner) Value(dst []byte, limit int) ([]byte, Value) {
	if s.err != nil {
		return dst, Value{}
	}
	switch c := s.token(); {
	case s.err != nil:
		return dst, Value{}
	case c == '{':
		s.skipNested(c, nil)
		return dst, Value{Kind: Object}
	case c == '[':
		s.skipNested(c, nil)
		return dst, Value{Kind: Array}
	default:
		return s.scalar(dst, limit, c)
	}
}

// Skip reads a value, and drops it.
func (s *Scanner) Skip() { s.Value(nil, 0) }

// SkipInside reads an array or object, and drops it. It calls inside with each key of the object, and of each object in an array, at any depth.
// A key is valid until the scanner reads again.
func (s *Scanner) SkipInside(inside func(key []byte, inArray bool)) {
	if c := s.token(); s.err == nil {
		s.skipNested(c, inside)
	}
}

// scalar reads the rest of a value that begins with c, and is neither an array nor an object.
func (s *Scanner) scalar(dst []byte, limit int, c byte) ([]byte, Value) {
	switch {
	case c == '"':
		return s.text(dst, limit)
	case c == '-' || '0' <= c && c <= '9':
		return s.number(dst, limit, c)
	case c == 'n':
		s.literal("null")
		return dst, Value{Kind: Null}
	case c == 't':
		s.literal("true")
		return dst, Value{Kind: Bool}
	case c == 'f':
		s.literal("false")
		return dst, Value{Kind: Bool}
	}
	s.pos--
	s.Fail("expected a value")
	return dst, Value{}
}

// literal reads the rest of a word whose first letter was read.
func (s *Scanner) literal(word string) {
	for i := 1; i < len(word); i++ {
		c := s.next()
		if s.err != nil {
			return
		}
		if c != word[i] {
			s.pos--
			s.Fail("expected a value")
			return
		}
	}
}

// skipNested reads the rest of an array or object that begins with c, and drops it, as SkipInside does.
func (s *Scanner) skipNested(c byte, inside func(key []byte, inArray bool)) {
	s.nesting = append(s.nesting[:0], closingOf(c))
	first := true // the innermost array or object has no item yet
	for len(s.nesting) > 0 {
		closing := s.nesting[len(s.nesting)-1]
		if !s.more(closing, first) {
			if s.err != nil {
				return
			}
			s.nesting = s.nesting[:len(s.nesting)-1]
			first = false
			continue
		}
		if closing == '}' {
			key := s.readKey()
			outer := len(s.nesting) - 2
			if inArray := outer >= 0 && s.nesting[outer] == ']'; inside != nil && (inArray || outer < 0) {
				inside(key, inArray)
			}
		}
		c := s.token()
		if s.err != nil {
			return
		}
		first = c == '{' || c == '['
		if !first {
			s.scalar(nil, 0, c)
			continue
		}
		if len(s.nesting) == MaxDepth {
			s.Fail("nesting exceeds 10,000 levels")
			return
		}
		s.nesting = append(s.nesting, closingOf(c))
	}
}

// closingOf returns the bracket that closes what '[' or '{' opens: in ASCII the second after it.
func closingOf(c byte) byte { return c + 2 }

// number reads a number that begins with c.
func (s *Scanner) number(dst []byte, limit int, c byte) ([]byte, Value) {
	v := Value{Kind: Number}
	from := len(dst)
	put := func(c byte) {
		if len(dst)-from < limit {
			dst = append(dst, c)
		} else {
			v.Cut = true
		}
	}
	put(c)
	state := numberStart.after(c)
	for {
		c := s.next()
		if s.err != nil {
			return dst, v
		}
		next := state.after(c)
		if next == numberEnd {
			s.pos--
			if !state.isComplete() {
				s.Fail("expected a digit")
			}
			return dst, v
		}
		put(c)
		state = next
	}
}

// A numberState is a place in the grammar of numbers.
type numberState uint8

const (
	numberStart numberState = iota
	numberMinus
	numberZero
	numberInteger
	numberPoint
	numberFraction
	numberE
	numberESign
	numberExponent
	numberEnd
)

func (s numberState) isComplete() bool {
	return s == numberZero || s == numberInteger || s == numberFraction || s == numberExponent
}

func (s numberState) after(c byte) numberState {
	switch digit := '0' <= c && c <= '9'; {
	case s == numberStart && c == '-':
		return numberMinus
	case (s == numberStart || s == numberMinus) && c == '0':
		return numberZero
	case (s == numberStart || s == numberMinus || s == numberInteger) && digit:
		return numberInteger
	case (s == numberZero || s == numberInteger) && c == '.':
		return numberPoint
	case (s == numberPoint || s == numberFraction) && digit:
		return numberFraction
	case (s == numberZero || s == numberInteger || s == numberFraction) && (c == 'e' || c == 'E'):
		return numberE
	case s == numberE && (c == '+' || c == '-'):
		return numberESign
	case (s == numberE || s == numberESign || s == numberExponent) && digit:
		return numberExponent
	}
	return numberEnd
}

// text reads the rest of a string whose opening quote was read.
func (s *Scanner) text(dst []byte, limit int) ([]byte, Value) {
	v := Value{Kind: String}
	from := len(dst)
	bits := byte(0) // of all bytes
	put := func(part []byte) {
		if room := limit - (len(dst) - from); len(part) > room {
			part = part[:room]
			v.Cut = true
		}
		dst = append(dst, part...)
	}
	for {
		run := s.buf[s.pos:s.end]
		n := 0
		for n < len(run) && run[n] != '"' && run[n] != '\\' && run[n] >= ' ' {
			bits |= run[n]
			n++
		}
		put(run[:n])
		s.pos += n
		if n == len(run) {
			if !s.fill() {
				s.failAtEnd()
				return dst, v
			}
			continue
		}
		switch run[n] {
		case '"':
			s.pos++
			if bits >= utf8.RuneSelf {
				valid, malformed := scan.ValidText(dst[from:], v.Cut)
				dst = append(dst[:from], valid...)
				v.Malformed = v.Malformed || malformed
			}
			return dst, v
		case '\\':
			s.pos++
			r, malformed := s.escape()
			if s.err != nil {
				return dst, v
			}
			v.Malformed = v.Malformed || malformed
			if r >= utf8.RuneSelf {
				bits |= utf8.RuneSelf
			}
			var encoded [utf8.UTFMax]byte
			put(encoded[:utf8.EncodeRune(encoded[:], r)])
		default:
			s.Fail("invalid control character in string")
			return dst, v
		}
	}
}

// escape reads the rest of an escape sequence. It reports as malformed what is half of a surrogate pair.
func (s *Scanner) escape() (r rune, malformed bool) {
	switch c := s.next(); c {
	case '"', '\\', '/':
		return rune(c), false
	case 'b':
		return '\b', false
	case 'f':
		return '\f', false
	case 'n':
		return '\n', false
	case 'r':
		return '\r', false
	case 't':
		return '\t', false
	case 'u':
		return s.unicodeEscape()
	}
	if s.err == nil {
		s.pos--
		s.Fail("invalid escape sequence in string")
	}
	return 0, false
}

func (s *Scanner) unicodeEscape() (r rune, malformed bool) {
	r = s.hex4()
	if s.err != nil || !utf16.IsSurrogate(r) {
		return r, false
	}
	// Only a second escape sequence after the first completes a surrogate. Its six bytes may not be in buf yet.
	s.ensure(len(`\uDC00`))
	rest := s.buf[s.pos:s.end]
	if len(rest) < len(`\uDC00`) || rest[0] != '\\' || rest[1] != 'u' {
		return utf8.RuneError, true
	}
	pos := s.pos
	s.pos += len(`\u`)
	r = utf16.DecodeRune(r, s.hex4())
	if s.err == nil && r == utf8.RuneError {
		s.pos = pos // the second is another character
		return utf8.RuneError, true
	}
	return r, false
}

func (s *Scanner) hex4() (r rune) {
	for range 4 {
		c := s.next()
		switch {
		case s.err != nil:
			return 0
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			s.pos--
			s.Fail(`expected four hexadecimal digits after \u`)
			return 0
		}
		r = r<<4 | rune(c)
	}
	return r
}

// token returns the next byte that is not white space.
func (s *Scanner) token() byte {
	if !s.skipSpace() {
		s.failAtEnd()
		return 0
	}
	s.pos++
	return s.buf[s.pos-1]
}

// skipSpace skips white space, and returns false at the end of the stream.
func (s *Scanner) skipSpace() bool {
	for {
		for s.pos < s.end {
			if c := s.buf[s.pos]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return true
			}
			s.pos++
		}
		if !s.fill() {
			return false
		}
	}
}

// next returns the next byte.
func (s *Scanner) next() byte {
	if s.pos == s.end && !s.fill() {
		s.failAtEnd()
		return 0
	}
	s.pos++
	return s.buf[s.pos-1]
}

// fill reads more bytes after those that are not used yet. It returns false when there are none.
func (s *Scanner) fill() bool {
	if s.readErr != nil {
		return false
	}
	s.saveRaw()
	if s.countsLines {
		s.Line()
		s.counted = 0
	}
	s.offset += int64(s.pos)
	s.end = copy(s.buf, s.buf[s.pos:s.end])
	s.pos = 0
	var n int
	n, s.readErr = io.ReadAtLeast(s.r, s.buf[s.end:], 1)
	s.end += n
	if s.readErr != nil && !errors.Is(s.readErr, io.EOF) && n == 0 && s.err == nil {
		s.err = fmt.Errorf("read file: %w", s.readErr)
	}
	return n > 0
}

// ensure tries to have the next n bytes in buf.
func (s *Scanner) ensure(n int) {
	more := true
	for more && s.end-s.pos < n {
		more = s.fill()
	}
}

// failAtEnd fails because the stream ends too early. An error of the reader is the scanner's already.
func (s *Scanner) failAtEnd() { s.Fail("unexpected end of file") }
