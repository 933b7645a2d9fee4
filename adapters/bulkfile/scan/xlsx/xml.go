package xlsx

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// An xmlScanner reads a file in UTF-8 tag by tag, in constant memory. A sheet of a million rows has thirty million tags, for which
// encoding/xml would take too long. The scanner ignores namespaces, and does not check that tags match: where one is missing, the
// caller reaches the end of the file.
type xmlScanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	err      error // that ended the reading

	// The last tag, valid until the next is read.
	name       []byte // without a prefix
	attributes []byte
	closing    bool // </name>
	empty      bool // <name/>
}

var (
	errTag    = errors.New("an XML tag is too long")
	errEntity = errors.New("unknown XML entity")
)

// fill tries to have at least n bytes in buf, and returns how many there are.
func (x *xmlScanner) fill(n int) int {
	if x.end-x.pos >= n {
		return x.end - x.pos
	}
	x.end = copy(x.buf, x.buf[x.pos:x.end])
	x.pos = 0
	for x.end < n && x.err == nil {
		var got int
		got, x.err = x.r.Read(x.buf[x.end:])
		x.end += got
	}
	return x.end
}

// ended returns the error of a file that ends too early.
func (x *xmlScanner) ended() error {
	if errors.Is(x.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return x.err
}

// tag reads the next tag, and skips text and comments before it.
func (x *xmlScanner) tag() error {
	for {
		n := bytes.IndexByte(x.buf[x.pos:x.end], '<')
		if n < 0 {
			x.pos = x.end
			if x.fill(1) == 0 {
				return x.ended()
			}
			continue
		}
		x.pos += n
		special, err := x.special(nil)
		if err != nil {
			return err
		}
		if !special {
			return x.readTag()
		}
	}
}

// special skips a comment, an instruction or a CDATA section, and reports whether there was one. It passes the text of a CDATA
// section to put, unless that is nil.
func (x *xmlScanner) special(put func([]byte)) (bool, error) {
	const comment, cdata = "<!--", "<![CDATA["
	if x.fill(2) < 2 {
		return false, x.ended()
	}
	switch x.buf[x.pos+1] {
	case '?':
		return true, x.past("?>", nil)
	case '!':
	default:
		return false, nil
	}
	x.fill(len(cdata))
	switch begin := x.buf[x.pos:x.end]; {
	case bytes.HasPrefix(begin, []byte(comment)):
		x.pos += len(comment)
		return true, x.past("-->", nil)
	case bytes.HasPrefix(begin, []byte(cdata)):
		x.pos += len(cdata)
		return true, x.past("]]>", put)
	}
	return false, errors.New("it has an XML document type") // ECMA-376 forbids it
}

// past skips a mark, and passes the text before it to put, unless that is nil.
func (x *xmlScanner) past(mark string, put func([]byte)) error {
	for {
		n := bytes.Index(x.buf[x.pos:x.end], []byte(mark))
		until := x.pos + n
		if n < 0 {
			until = max(x.pos, x.end-len(mark)+1) // the mark may have begun
		}
		if put != nil {
			put(x.buf[x.pos:until])
		}
		x.pos = until
		if n >= 0 {
			x.pos += len(mark)
			return nil
		}
		if have := x.end - x.pos; x.fill(have+1) == have {
			return x.ended()
		}
	}
}

// readTag reads the tag at this place.
func (x *xmlScanner) readTag() error {
	quote := byte(0)
	n := 1
	for ; ; n++ {
		if x.pos+n == x.end {
			if n == len(x.buf) {
				return errTag
			}
			if x.fill(n+1) == n {
				return x.ended()
			}
		}
		c := x.buf[x.pos+n]
		if quote != 0 {
			if c == quote {
				quote = 0
			}
			continue
		}
		if c == '>' {
			break
		}
		if c == '"' || c == '\'' {
			quote = c
		}
	}
	tag := x.buf[x.pos+1 : x.pos+n]
	x.pos += n + 1
	if x.closing = len(tag) > 0 && tag[0] == '/'; x.closing {
		tag = tag[1:]
	}
	if x.empty = len(tag) > 0 && tag[len(tag)-1] == '/'; x.empty {
		tag = tag[:len(tag)-1]
	}
	n = 0
	for n < len(tag) && !isBlankXML(tag[n]) {
		n++
	}
	x.name, x.attributes = tag[:n], tag[n:]
	if prefix := bytes.IndexByte(x.name, ':'); prefix >= 0 {
		x.name = x.name[prefix+1:]
	}
	return nil
}

func isBlankXML(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// begins reports whether the last tag begins an element.
func (x *xmlScanner) begins(name string) bool { return !x.closing && string(x.name) == name }

// ends reports whether the last tag ends an element.
func (x *xmlScanner) ends(name string) bool { return x.closing && string(x.name) == name }

// skip skips the rest of the element that began last, which has no element of its name in it.
func (x *xmlScanner) skip() error {
	if x.empty {
		return nil
	}
	name := string(x.name)
	for {
		err := x.tag()
		if err != nil || x.ends(name) {
			return err
		}
	}
}

// attribute returns the first attribute of a list, and the rest of the list. The name is empty when there is none. Entities stay
// as they are.
func attribute(attributes []byte) (name, value, rest []byte) {
	attributes = withoutBlanks(attributes)
	sign := bytes.IndexByte(attributes, '=')
	if sign < 0 {
		return nil, nil, nil
	}
	name, rest = attributes[:sign], withoutBlanks(attributes[sign+1:])
	for len(name) > 0 && isBlankXML(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	if len(rest) == 0 {
		return nil, nil, nil
	}
	quote := rest[0]
	rest = rest[1:]
	end := bytes.IndexByte(rest, quote)
	if end < 0 {
		return nil, nil, nil
	}
	return name, rest[:end], rest[end+1:]
}

// withoutBlanks does what bytes.TrimLeft does. For a text with one blank or none it takes a fifth of the time.
func withoutBlanks(text []byte) []byte {
	for len(text) > 0 && isBlankXML(text[0]) {
		text = text[1:]
	}
	return text
}

// text passes the text before the next tag to put, piece by piece.
func (x *xmlScanner) text(put func([]byte)) error {
	for {
		run := x.buf[x.pos:x.end]
		n := 0
		for n < len(run) && run[n] != '<' && run[n] != '&' {
			n++
		}
		if n > 0 {
			put(run[:n])
		}
		x.pos += n
		if n == len(run) {
			if x.fill(1) == 0 {
				return x.ended()
			}
			continue
		}
		if run[n] == '&' {
			err := x.entity(put)
			if err != nil {
				return err
			}
			continue
		}
		special, err := x.special(put)
		if err != nil || !special {
			return err
		}
	}
}

// entities are the predefined entities.
var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// entity passes the character of the entity at this place to put.
func (x *xmlScanner) entity(put func([]byte)) error {
	const longest = len("&#x0010FFFF;")
	x.fill(longest)
	begin := x.buf[x.pos:min(x.end, x.pos+longest)]
	n := bytes.IndexByte(begin, ';')
	if n < 0 {
		return errEntity
	}
	name := string(begin[1:n])
	x.pos += n + 1
	if known, ok := entities[name]; ok {
		put([]byte(known))
		return nil
	}
	if name == "" || name[0] != '#' {
		return errEntity
	}
	base := 10
	if name = name[1:]; name != "" && name[0] == 'x' {
		name, base = name[1:], 16
	}
	code, err := strconv.ParseUint(name, base, 21)
	if err != nil {
		return fmt.Errorf("%w: %w", errEntity, err)
	}
	put(utf8.AppendRune(nil, rune(code))) // U+FFFD for a number that is not a character
	return nil
}

// maxDeclaration is how many bytes of an XML file may have its declaration.
const maxDeclaration = 256

// declaredEncoding is the encoding in a declaration, such as <?xml version="1.0" encoding="windows-1251"?>.
var declaredEncoding = regexp.MustCompile(`^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']`)

// utf8Reader reads an XML file as UTF-8. Its encoding is that of its byte order mark or its first character, else the declared one.
func utf8Reader(r io.Reader) (io.Reader, error) {
	head := bufio.NewReaderSize(r, maxDeclaration)
	begin, _ := head.Peek(maxDeclaration) // the next read returns the error
	utf16 := func(order unicode.Endianness) (io.Reader, error) {
		return transform.NewReader(head, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), nil
	}
	switch {
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("<\x00")):
		return utf16(unicode.LittleEndian)
	case bytes.HasPrefix(begin, []byte("\xfe\xff")), bytes.HasPrefix(begin, []byte("\x00<")):
		return utf16(unicode.BigEndian)
	}
	declared := declaredEncoding.FindSubmatch(begin)
	if declared == nil {
		return head, nil
	}
	charset, err := htmlindex.Get(string(declared[1]))
	if err != nil {
		return nil, fmt.Errorf("unknown encoding %q of a part", declared[1])
	}
	name, _ := htmlindex.Name(charset)
	if name == "utf-8" || strings.HasPrefix(name, "utf-16") { // which it cannot be, because it begins in ASCII
		return head, nil
	}
	return transform.NewReader(head, charset.NewDecoder()), nil
}
