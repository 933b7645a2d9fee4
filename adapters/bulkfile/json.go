// Package bulkfile reads files of people: a sequence of candidates from a stream of bytes, in memory that does not grow
// with the file.
package bulkfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// readSize is how much is read at once.
	readSize = 64 << 10

	// maxDepth is how deep lists and objects may stand in one another, as in encoding/json.
	maxDepth = 10_000

	// maxKey is longer than every key that is known; what is longer need not be kept to be ignored.
	maxKey = 32
)

// JSON reads one object, or an array of objects, by RFC 8259. A byte order mark at the beginning is passed over, as the
// RFC allows. Keys are case-sensitive, and those that are unknown are ignored.
type JSON struct{}

// Candidates implements ports.Decoder.
func (JSON) Candidates(r io.Reader) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		buf := buffers.Get().(*[readSize]byte) //nolint:forcetypeassert // nothing else is put there
		defer buffers.Put(buf)
		d := &jsonDecoder{r: r, buf: buf[:], start: -1}
		err := d.file(yield)
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// buffers are kept: most files have one object, and clearing a buffer would be half the work of reading it.
var buffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// errStop ends the reading when nobody wants more.
var errStop = errors.New("no more is wanted")

// jsonDecoder is written for speed: it reads every byte of an import, while encoding/json would take longer for them
// than the database takes for the rows. No method calls itself, so depth costs no stack.
type jsonDecoder struct {
	r      io.Reader
	buf    []byte
	pos    int   // of the next byte in buf
	end    int   // of what was read into buf
	offset int64 // of buf's beginning in the file
	err    error // what reading ended with

	candidate domain.Candidate
	texts     []byte       // of the current object's fields, one after another
	spans     spans        // where each field stands in texts
	inside    int          // number of the object that is being read, for error messages
	nesting   []byte       // the closing brackets that are due, innermost last
	key       [maxKey]byte // the key being read

	// The current element's bytes are those in original, and then those in buf from start on, which is negative when
	// they are not wanted.
	original []byte
	start    int
}

// spans are the places of fields in the bytes of a record's texts.
type spans [domain.NumPersonFields]struct{ from, to int }

// setTexts gives the fields their texts. All are parts of one string, which makes one allocation for a record.
func setTexts(c *domain.Candidate, texts []byte, spans *spans) {
	all := string(texts)
	for f, span := range spans {
		c.Given[f].Text = all[span.from:span.to]
	}
}

// file reads all of it.
func (d *jsonDecoder) file(yield func(*domain.Candidate, error) bool) error {
	d.skipByteOrderMark()
	c, err := d.token()
	if errors.Is(err, domain.ErrBrokenFile) {
		return d.broken("the file is empty")
	}
	if err != nil {
		return err
	}
	switch c {
	case '{':
		err = d.element(c, 1, yield)
	case '[':
		err = d.array(yield)
	default:
		d.pos--
		return d.broken("there is neither an object nor an array of objects")
	}
	if err != nil {
		return err
	}
	_, err = d.token()
	if err == nil {
		d.pos--
		return d.broken("something follows after the end")
	}
	if !errors.Is(d.err, io.EOF) {
		return err
	}
	return nil
}

func (d *jsonDecoder) skipByteOrderMark() {
	d.ensure(len(byteOrderMark))
	if d.end >= len(byteOrderMark) && string(d.buf[:len(byteOrderMark)]) == byteOrderMark {
		d.pos = len(byteOrderMark)
	}
}

// array reads what follows the opening bracket of the file's array.
func (d *jsonDecoder) array(yield func(*domain.Candidate, error) bool) error {
	c, err := d.token()
	if err != nil {
		return err
	}
	if c == ']' {
		return d.broken("the array is empty")
	}
	for number := 1; ; number++ {
		err = d.element(c, number, yield)
		if err != nil {
			return err
		}
		c, err = d.token()
		if err != nil {
			return err
		}
		if c == ']' {
			return nil
		}
		if c != ',' {
			d.pos--
			return d.broken("a comma or the array's end is missing")
		}
		c, err = d.token()
		if err != nil {
			return err
		}
	}
}

// element reads a value that stands in an object's place and begins with c.
func (d *jsonDecoder) element(c byte, number int, yield func(*domain.Candidate, error) bool) error {
	err := d.parse(c, number)
	if err != nil {
		return err
	}
	d.inside = 0
	d.setOriginal()
	if !yield(&d.candidate, nil) {
		return errStop
	}
	return nil
}

// parse reads the value, and what is in its place becomes the candidate but for its original.
func (d *jsonDecoder) parse(c byte, number int) error {
	d.inside = number
	d.candidate = domain.Candidate{Number: number, NotObject: c != '{'}
	d.original, d.start = d.original[:0], d.pos-1
	if c == '{' {
		return d.object()
	}
	_, err := d.value(c, false)
	return err
}

// object reads what follows the opening brace of a candidate.
func (d *jsonDecoder) object() error {
	d.texts = d.texts[:0]
	d.spans = spans{}
	seen := [domain.NumPersonFields]bool{}
	c, err := d.token()
	for first := true; err == nil; first = false {
		if first && c == '}' {
			break
		}
		var key []byte
		key, err = d.readKey(c)
		if err != nil {
			return err
		}
		field, known := domain.ParsePersonField(key)
		c, err = d.token()
		if err != nil {
			return err
		}
		if !known {
			_, err = d.value(c, false)
		} else {
			from, given := len(d.texts), &d.candidate.Given[field]
			*given, err = d.value(c, true)
			given.Repeated = seen[field]
			seen[field] = true
			d.spans[field].from, d.spans[field].to = from, len(d.texts)
		}
		if err != nil {
			return err
		}
		c, err = d.token()
		if err != nil {
			return err
		}
		if c == '}' {
			break
		}
		if c != ',' {
			d.pos--
			return d.broken("a comma or the object's end is missing")
		}
		c, err = d.token()
	}
	if err != nil {
		return err
	}
	setTexts(&d.candidate, d.texts, &d.spans)
	return nil
}

// saveOriginal keeps what buf holds of the element, before buf is used for what follows.
func (d *jsonDecoder) saveOriginal() {
	if d.start < 0 {
		return
	}
	part := d.buf[d.start:d.pos]
	d.start = 0
	if len(d.original)+len(part) > ports.MaxOriginal {
		d.start = -1
		return
	}
	d.original = append(d.original, part...)
}

// setOriginal gives the candidate the bytes of its element, without copying them where all are in buf.
func (d *jsonDecoder) setOriginal() {
	if d.start >= 0 && len(d.original) == 0 {
		d.candidate.Original = d.buf[d.start:d.pos]
	} else if d.saveOriginal(); d.start >= 0 {
		d.candidate.Original = d.original
	}
	d.start = -1
}

// readKey reads a key that begins with c, and the colon behind it.
func (d *jsonDecoder) readKey(c byte) ([]byte, error) {
	if c != '"' {
		d.pos--
		return nil, d.broken("a key in quotes is missing")
	}
	key, _, err := d.text(d.key[:0], maxKey, true)
	if err != nil {
		return nil, err
	}
	c, err = d.token()
	if err != nil {
		return nil, err
	}
	if c != ':' {
		d.pos--
		return nil, d.broken("a colon is missing")
	}
	return key, nil
}

// value reads a value that begins with c. The text of one to keep is appended to texts.
func (d *jsonDecoder) value(c byte, keep bool) (domain.Given, error) {
	switch {
	case c == '"':
		var v domain.Given
		var err error
		d.texts, v, err = d.text(d.texts, domain.MaxValue, keep)
		return v, err
	case c == '-' || '0' <= c && c <= '9':
		return d.number(c, keep)
	case c == '{' || c == '[':
		return domain.Given{Kind: domain.Other}, d.skipNested(c)
	case c == 'n':
		return domain.Given{}, d.literal("null")
	case c == 't':
		return domain.Given{Kind: domain.Other}, d.literal("true")
	case c == 'f':
		return domain.Given{Kind: domain.Other}, d.literal("false")
	}
	d.pos--
	return domain.Given{}, d.broken("a value is missing")
}

// literal reads the rest of a word whose first letter was read.
func (d *jsonDecoder) literal(word string) error {
	for i := 1; i < len(word); i++ {
		c, err := d.next()
		if err != nil {
			return err
		}
		if c != word[i] {
			d.pos--
			return d.broken("a value is missing")
		}
	}
	return nil
}

// number reads a number that begins with c.
func (d *jsonDecoder) number(c byte, keep bool) (domain.Given, error) {
	v := domain.Given{Kind: domain.Number}
	from := len(d.texts)
	put := func(c byte) {
		switch {
		case !keep:
		case len(d.texts)-from < domain.MaxValue:
			d.texts = append(d.texts, c)
		default:
			v.Cut = true
		}
	}
	put(c)
	state := numberStart.after(c)
	for {
		c, err := d.next()
		if err != nil {
			return v, err
		}
		next := state.after(c)
		if next == numberEnd {
			d.pos--
			if !state.complete() {
				return v, d.broken("a number is not complete")
			}
			return v, nil
		}
		put(c)
		state = next
	}
}

// numberState is where in the grammar of a number one is.
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

func (s numberState) complete() bool {
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

// skipNested reads the rest of a list or object that begins with c and is not wanted, with all that is in it.
func (d *jsonDecoder) skipNested(c byte) error {
	d.nesting = append(d.nesting[:0], closingOf(c))
	first := true // nothing was read yet of the innermost list or object
	for len(d.nesting) > 0 {
		closing := d.nesting[len(d.nesting)-1]
		c, err := d.token()
		if err != nil {
			return err
		}
		if c == closing {
			d.nesting = d.nesting[:len(d.nesting)-1]
			first = false
			continue
		}
		if !first {
			if c != ',' {
				d.pos--
				return d.broken("a comma or an end is missing")
			}
			c, err = d.token()
			if err != nil {
				return err
			}
		}
		first = false
		if closing == '}' {
			_, err = d.readKey(c)
			if err != nil {
				return err
			}
			c, err = d.token()
			if err != nil {
				return err
			}
		}
		if c != '{' && c != '[' {
			_, err = d.value(c, false)
			if err != nil {
				return err
			}
			continue
		}
		if len(d.nesting) == maxDepth {
			return d.broken("lists and objects stand too deep in one another")
		}
		d.nesting = append(d.nesting, closingOf(c))
		first = true
	}
	return nil
}

// closingOf is the bracket that closes what '[' or '{' opens: in ASCII the second after it.
func closingOf(c byte) byte { return c + 2 }

// text reads the rest of a string whose opening quote was read. If it is to be kept, its first limit bytes are appended
// to dst, as valid UTF-8.
func (d *jsonDecoder) text(dst []byte, limit int, keep bool) ([]byte, domain.Given, error) {
	v := domain.Given{Kind: domain.String}
	from := len(dst)
	seen := byte(0) // every bit that any byte had
	put := func(part []byte) {
		if !keep {
			return
		}
		if room := limit - (len(dst) - from); len(part) > room {
			part = part[:room]
			v.Cut = true
		}
		dst = append(dst, part...)
	}
	for {
		run := d.buf[d.pos:d.end]
		n := 0
		for n < len(run) && run[n] != '"' && run[n] != '\\' && run[n] >= ' ' {
			seen |= run[n]
			n++
		}
		put(run[:n])
		d.pos += n
		if n == len(run) {
			if !d.fill() {
				return dst, v, d.ended()
			}
			continue
		}
		switch run[n] {
		case '"':
			d.pos++
			if keep && seen >= utf8.RuneSelf {
				dst = d.mend(dst, from, &v)
			}
			return dst, v, nil
		case '\\':
			d.pos++
			r, malformed, err := d.escape()
			if err != nil {
				return dst, v, err
			}
			v.Malformed = v.Malformed || malformed
			if r >= utf8.RuneSelf {
				seen |= utf8.RuneSelf
			}
			var encoded [utf8.UTFMax]byte
			put(encoded[:utf8.EncodeRune(encoded[:], r)])
		default:
			return dst, v, d.broken("a control character stands in a string")
		}
	}
}

// mend makes the text behind from valid UTF-8, and notes if it was not. A text that was cut may end inside a character.
func (d *jsonDecoder) mend(dst []byte, from int, v *domain.Given) []byte {
	if v.Cut {
		for last := len(dst) - 1; last >= from && last >= len(dst)-utf8.UTFMax; last-- {
			if utf8.RuneStart(dst[last]) {
				if !utf8.FullRune(dst[last:]) {
					dst = dst[:last]
				}
				break
			}
		}
	}
	if utf8.Valid(dst[from:]) {
		return dst
	}
	v.Malformed = true
	return append(dst[:from], bytes.ToValidUTF8(dst[from:], []byte(string(utf8.RuneError)))...)
}

// escape reads what follows a backslash, and tells whether it is half of a surrogate pair.
func (d *jsonDecoder) escape() (r rune, malformed bool, err error) {
	c, err := d.next()
	if err != nil {
		return 0, false, err
	}
	switch c {
	case '"', '\\', '/':
		return rune(c), false, nil
	case 'b':
		return '\b', false, nil
	case 'f':
		return '\f', false, nil
	case 'n':
		return '\n', false, nil
	case 'r':
		return '\r', false, nil
	case 't':
		return '\t', false, nil
	case 'u':
		return d.unicodeEscape()
	}
	d.pos--
	return 0, false, d.broken("a backslash stands before something else than an escape")
}

func (d *jsonDecoder) unicodeEscape() (r rune, malformed bool, err error) {
	r, err = d.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, false, err
	}
	// Only a second escape behind the first can complete it. Its six bytes need not be in buf as yet.
	d.ensure(len(`\uDC00`))
	rest := d.buf[d.pos:d.end]
	if len(rest) < len(`\uDC00`) || rest[0] != '\\' || rest[1] != 'u' {
		return utf8.RuneError, true, nil
	}
	pos := d.pos
	d.pos += len(`\u`)
	second, err := d.hex4()
	if err != nil {
		return 0, false, err
	}
	r = utf16.DecodeRune(r, second)
	if r == utf8.RuneError {
		d.pos = pos // the second is a character of its own
		return utf8.RuneError, true, nil
	}
	return r, false, nil
}

func (d *jsonDecoder) hex4() (rune, error) {
	var r rune
	for range 4 {
		c, err := d.next()
		if err != nil {
			return 0, err
		}
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			d.pos--
			return 0, d.broken("four hexadecimal digits are missing")
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

// token returns the next byte that is no white space.
func (d *jsonDecoder) token() (byte, error) {
	for {
		for d.pos < d.end {
			c := d.buf[d.pos]
			d.pos++
			if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return c, nil
			}
		}
		if !d.fill() {
			return 0, d.ended()
		}
	}
}

// next returns the next byte.
func (d *jsonDecoder) next() (byte, error) {
	if d.pos == d.end && !d.fill() {
		return 0, d.ended()
	}
	c := d.buf[d.pos]
	d.pos++
	return c, nil
}

// fill reads more behind what is still to be used, and returns false when there is no more.
func (d *jsonDecoder) fill() bool {
	if d.err != nil {
		return false
	}
	d.saveOriginal()
	d.offset += int64(d.pos)
	d.end = copy(d.buf, d.buf[d.pos:d.end])
	d.pos = 0
	var n int
	n, d.err = io.ReadAtLeast(d.r, d.buf[d.end:], 1)
	d.end += n
	return n > 0
}

// ensure tries to have the next n bytes in buf.
func (d *jsonDecoder) ensure(n int) {
	more := true
	for more && d.end-d.pos < n {
		more = d.fill()
	}
}

// ended is the error of a file that ends too early.
func (d *jsonDecoder) ended() error {
	if !errors.Is(d.err, io.EOF) {
		return fmt.Errorf("read file: %w", d.err)
	}
	return d.broken("the file is cut short")
}

func (d *jsonDecoder) broken(reason string) error {
	return &domain.BrokenFileError{Offset: d.offset + int64(d.pos), Object: d.inside, Reason: reason}
}
