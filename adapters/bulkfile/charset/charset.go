// Package charset tells the encodings of texts apart that give no sign of theirs. It reads the words of a text in each encoding, and
// compares the letters, their order and their case with those of people's names.
package charset

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// UTF8 is the name of the encoding that needs no decoder.
const UTF8 = "utf-8"

// A Charset is an encoding of texts, with its IANA name in lower case.
type Charset struct {
	Name    string
	Charmap *charmap.Charmap

	rarity float64 // logarithm of how rare texts in it are
}

// charsets are those that texts are tested for. Of two that read a text alike, the first one counts.
var charsets = []Charset{
	{"windows-1251", charmap.Windows1251, 0},
	{"windows-1252", charmap.Windows1252, 0},
	{"windows-1250", charmap.Windows1250, 0},
	{"koi8-r", charmap.KOI8R, 0},
	{"koi8-u", charmap.KOI8U, 1},
	{"ibm866", charmap.CodePage866, 1},
	{"x-mac-cyrillic", charmap.MacintoshCyrillic, 1},
	{"iso-8859-5", charmap.ISO8859_5, 1},
	{"iso-8859-1", charmap.ISO8859_1, 0},
	{"iso-8859-2", charmap.ISO8859_2, 1},
	{"iso-8859-15", charmap.ISO8859_15, 0},
	{"windows-1254", charmap.Windows1254, 2},
	{"windows-1257", charmap.Windows1257, 8},
	{"iso-8859-4", charmap.ISO8859_4, 8},
	{"windows-1255", charmap.Windows1255, 8},
	{"ibm850", charmap.CodePage850, 5},
	{"ibm852", charmap.CodePage852, 5},
	{"macintosh", charmap.Macintosh, 5},
}

// aliases are names that the WHATWG's list does not have. ASCII is left out there for another reason: as windows-1252, it would change
// letters that a client did not announce.
var aliases = map[string]string{
	"cp1250": "windows-1250", "cp1251": "windows-1251", "cp1252": "windows-1252", "cp1254": "windows-1254", "cp1255": "windows-1255", "cp1257": "windows-1257",
	"koi8": "koi8-r", "cp866": "ibm866", "866": "ibm866", "cp850": "ibm850", "850": "ibm850", "cp852": "ibm852", "852": "ibm852",
	"maccyrillic": "x-mac-cyrillic", "mac-cyrillic": "x-mac-cyrillic",
}

// Find returns the decoder of an encoding by any of its names, and its usual name. It returns nil and UTF8 for UTF-8, and false for an
// unknown name, and for ASCII, which says nothing of other letters.
func Find(name string) (decoder encoding.Encoding, canonical string, known bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if alias, found := aliases[name]; found {
		name = alias
	}
	switch name {
	case "":
		return nil, "", false
	case "ascii", "us-ascii":
		return nil, name, false
	case "utf-16", "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), name, true
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), name, true
	}
	for _, c := range charsets {
		if c.Name == name {
			return c.Charmap, name, true
		}
	}
	decoder, err := htmlindex.Get(name)
	if err != nil {
		return nil, "", false
	}
	canonical, _ = htmlindex.Name(decoder)
	if canonical == UTF8 {
		decoder = nil
	}
	return decoder, canonical, true
}

// UTF16 returns the name of the encoding of a text in UTF-16 without a byte order mark, by its beginning. Every other byte of such a text
// is the high half of a character: 0 for ASCII, and small for letters of Europe.
func UTF16(head []byte) (name string, found bool) {
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
