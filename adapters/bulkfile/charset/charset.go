// Package charset tells the encodings of texts apart that give no sign of theirs. It reads the words of a text in each encoding, and
// compares the letters, their order and their case with those of people's names.
package charset

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"strings"
	stdunicode "unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// UTF8 is the name of the encoding that needs no decoder.
const UTF8 = "utf-8"

// A Charset is an encoding of texts, with its IANA name in lower case.
type Charset struct {
	Bytewise

	Name string

	rarity float64 // logarithm of how rare texts in it are
}

// charsets are those that texts are tested for. Of two that read a text alike, the first one counts.
var charsets = []Charset{
	{charmap.Windows1251, "windows-1251", 0},
	{charmap.Windows1252, "windows-1252", 0},
	{charmap.Windows1250, "windows-1250", 0},
	{charmap.KOI8R, "koi8-r", 0},
	{charmap.KOI8U, "koi8-u", 1},
	{charmap.CodePage866, "ibm866", 1},
	{charmap.MacintoshCyrillic, "x-mac-cyrillic", 1},
	{charmap.ISO8859_5, "iso-8859-5", 1},
	{charmap.ISO8859_1, "iso-8859-1", 0},
	{charmap.ISO8859_2, "iso-8859-2", 1},
	{charmap.ISO8859_15, "iso-8859-15", 0},
	{charmap.Windows1254, "windows-1254", 2},
	{charmap.Windows1253, "windows-1253", 2},
	{charmap.Windows1257, "windows-1257", rare},
	{charmap.Windows1255, "windows-1255", rare},
	{charmap.ISO8859_7, "iso-8859-7", 3},
	{charmap.CodePage850, "ibm850", 5},
	{charmap.CodePage852, "ibm852", 5},
	{charmap.Macintosh, "macintosh", 5},
	{charmap.CodePage437, "ibm437", rare},
	{ibm737, "ibm737", rare},
	{ibm775, "ibm775", rare},
	{charmap.CodePage855, "ibm855", rare},
	{ibm857, "ibm857", rare},
	{ibm861, "ibm861", rare},
	{charmap.CodePage865, "ibm865", rare},
	{charmap.ISO8859_3, "iso-8859-3", rare},
	{charmap.ISO8859_4, "iso-8859-4", rare},
	{charmap.ISO8859_9, "iso-8859-9", rare},
	{charmap.ISO8859_10, "iso-8859-10", rare},
	{charmap.ISO8859_13, "iso-8859-13", rare},
	{charmap.ISO8859_16, "iso-8859-16", rare},
	{macCE, "x-mac-ce", rare},
	{macCroatian, "x-mac-croatian", rare},
	{macGreek, "x-mac-greek", rare},
	{macIceland, "x-mac-icelandic", rare},
	{macRomanian, "x-mac-romanian", rare},
	{macTurkish, "x-mac-turkish", rare},
}

// rare is the rarity of encodings that few programs write.
const rare = 8

// aliases are names that the WHATWG's list does not have. ASCII is left out there for another reason: as windows-1252, it would change
// letters that a client did not announce.
var aliases = map[string]string{
	"cp1250": "windows-1250", "cp1251": "windows-1251", "cp1252": "windows-1252", "cp1254": "windows-1254", "cp1255": "windows-1255", "cp1257": "windows-1257",
	"cp1253": "windows-1253", "koi8": "koi8-r", "macroman": "macintosh", "mac-roman": "macintosh",
	"maccyrillic": "x-mac-cyrillic", "mac-cyrillic": "x-mac-cyrillic", "maccentraleurope": "x-mac-ce", "mac-latin2": "x-mac-ce", "maclatin2": "x-mac-ce",
}

// Find returns the decoder of an encoding by any of its names, and its usual name. It returns nil and UTF8 for UTF-8, and false for an
// unknown name, and for ASCII, which says nothing of other letters.
func Find(name string) (decoder Decoding, canonical string, known bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if alias, found := aliases[name]; found {
		name = alias
	}
	page := "ibm" + strings.TrimPrefix(name, "cp") // of DOS
	switch name {
	case "":
		return nil, "", false
	case "ascii", "us-ascii":
		return nil, name, false
	case "utf-16", "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), name, true
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), name, true
	case "utf-32", "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), name, true
	case "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM), name, true
	}
	for _, c := range charsets {
		if c.Name == name || c.Name == page {
			return c.Bytewise, c.Name, true
		}
	}
	found, err := htmlindex.Get(name)
	if err != nil {
		return nil, "", false
	}
	canonical, _ = htmlindex.Name(found)
	if canonical == UTF8 {
		return nil, canonical, true
	}
	return found, canonical, true
}

// A mark is the byte order mark of an encoding.
type mark struct {
	name    string
	decoder Decoding
	bytes   string
}

// marks are those that a text may begin with. That of UTF-32 begins as that of UTF-16 does.
var marks = []mark{
	{"utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.ExpectBOM), "\xff\xfe\x00\x00"},
	{"utf-32be", utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM), "\x00\x00\xfe\xff"},
	{"utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM), "\xff\xfe"},
	{"utf-16be", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM), "\xfe\xff"},
}

// Marked returns the name and the decoder of the encoding whose byte order mark a text begins with, besides UTF-8.
func Marked(head []byte) (name string, decoder Decoding) {
	for _, m := range marks {
		if bytes.HasPrefix(head, []byte(m.bytes)) {
			return m.name, m.decoder
		}
	}
	return "", nil
}

// Unmarked returns the name and the decoder of the encoding of a text in UTF-16 or UTF-32 without a byte order mark, by its beginning.
func Unmarked(head []byte) (name string, decoder Decoding) {
	switch {
	case isUTF32(head, 0):
		return "utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	case isUTF32(head, size32-1):
		return "utf-32be", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
	}
	name, _ = utf16(head)
	switch name {
	case "utf-16le":
		return name, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16be":
		return name, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return "", nil
}

// size32 is the size of a character in UTF-32.
const size32 = 4

// isUTF32 reports whether each four bytes of a text are a character of Unicode, of which the byte at low is the lowest.
func isUTF32(head []byte, low int) bool {
	const least = 4 // characters
	n := len(head) / size32
	for i := range n {
		c := head[size32*i : size32*(i+1)]
		if low > 0 {
			c = []byte{c[3], c[2], c[1], c[0]}
		}
		r := rune(binary.LittleEndian.Uint32(c))
		if r == 0 || !utf8.ValidRune(r) {
			return false
		}
	}
	return n >= least
}

// inBase64 matches letters of UTF-7, and the rest of a word or email.
var inBase64 = regexp.MustCompile(`\+([A-Za-z/][A-Za-z0-9+/]{2,})[^\s@;,|"]*@?`)

// IsUTF7 reports whether a text in ASCII is in UTF-7, by its beginning: each sign of plus is one of an email, or before letters in base64, such as
// Ren+AOk-.
func IsUTF7(head []byte) bool {
	found := false
	for _, match := range inBase64.FindAllSubmatch(head, -1) {
		if bytes.HasSuffix(match[0], []byte("@")) {
			continue
		}
		units, err := base64.RawStdEncoding.Strict().DecodeString(string(match[1]))
		if err != nil || len(units)%2 > 0 {
			return false
		}
		for i := 0; i < len(units); i += 2 {
			if !stdunicode.IsLetter(rune(binary.BigEndian.Uint16(units[i:]))) {
				return false
			}
		}
		found = true
	}
	return found
}

// utf16 returns the name of the encoding of a text in UTF-16 without a byte order mark, by its beginning. Every other byte of such a text
// is the high half of a character: 0 for ASCII, and small for letters of Europe.
func utf16(head []byte) (name string, found bool) {
	const (
		least    = 4    // characters
		highest  = 0x06 // high half of an Arabic letter
		enough   = 0.9  // of the characters have a small high half
		asciiToo = 0.03 // of the characters are ASCII, such as delimiters
	)
	characters := len(head) / 2
	if characters < least {
		return "", false
	}
	for place, name := range []string{"utf-16be", "utf-16le"} {
		small, zero, odd := 0, 0, 0
		for i := range characters {
			high, low := head[2*i+place], head[2*i+1-place]
			if high <= highest {
				small++
			}
			if high == 0 {
				zero++
			}
			if high == 0 && low == 0 {
				odd++
			}
		}
		n := float64(characters)
		if odd == 0 && float64(small) >= enough*n && float64(zero) >= asciiToo*n {
			return name, true
		}
	}
	return "", false
}
