package bulkfile_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"rollcall/domain"
	"rollcall/ports"
)

// The charset depends on the whole file, not on its beginning.
func TestCharsetOfWholeFile(t *testing.T) {
	rows := strings.Repeat("anna,1\n", 100_000)
	late, err := charmap.Windows1251.NewEncoder().String("login,phone\n" + rows + "Жанна,2\n")
	require.NoError(t, err)
	got, err := candidatesOf(late, ports.FileHint{})
	require.NoError(t, err)
	require.Equal(t, "Жанна", got[len(got)-1].Given[domain.PersonLogin].Text)
	for cut := range 4 { // characters that two reads divide
		file := "login,phone\n" + strings.Repeat("x", 64<<10-14+cut) + "ЖЖ🙂🙂,1\n"
		got, err := candidatesOf(file, ports.FileHint{Format: "csv"})
		require.NoError(t, err)
		require.False(t, got[0].Given[domain.PersonLogin].Malformed)
		layout, err := files().Layout(sectionOf(file), ports.FileHint{Format: "csv"})
		require.NoError(t, err)
		require.Equal(t, "utf-8", layout.Encoding)
	}
	got, err = candidatesOf("login,phone\na\xffb,1\n", ports.FileHint{Format: "csv", Charset: "utf-8"})
	require.NoError(t, err)
	require.Equal(t, domain.Given{Kind: domain.KindText, Text: "a\ufffdb", Malformed: true}, got[0].Given[domain.PersonLogin])
}

func encode(t *testing.T, encoding encoding.Encoding, text string) string {
	t.Helper()
	encoded, err := encoding.NewEncoder().String(text)
	require.NoError(t, err)
	return encoded
}

// Each file has a name in its only record.
func TestEncodings(t *testing.T) {
	const list = "login;first_name;note\na;Жанна;Ёлка и снег\n"
	utf16le := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	for _, c := range []struct {
		name, file string
		hint       ports.FileHint
		want       string // first name
		malformed  bool
		encoding   string
		evidence   ports.EncodingEvidence
	}{
		{"UTF16WithoutMark", encode(t, utf16le, list), ports.FileHint{}, "Жанна", false, "utf-16le", ports.EncodingFound},
		{"UTF16WithoutMarkSaid", encode(t, utf16le, list), ports.FileHint{Charset: "utf-16le"}, "Жанна", false, "utf-16le", ports.EncodingSaid},
		{"UTF16BigEndianWithoutMark", encode(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), list), ports.FileHint{}, "Жанна", false, "utf-16be", ports.EncodingFound},
		{"UTF32", encode(t, utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), list), ports.FileHint{}, "Жанна", false, "utf-32le", ports.EncodingMarked},
		{"UTF32BigEndian", encode(t, utf32.UTF32(utf32.BigEndian, utf32.UseBOM), list), ports.FileHint{}, "Жанна", false, "utf-32be", ports.EncodingMarked},
		{"UTF32WithoutMark", encode(t, utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), list), ports.FileHint{}, "Жанна", false, "utf-32le", ports.EncodingFound},
		{"UTF32BigEndianWithoutMark", encode(t, utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), list), ports.FileHint{}, "Жанна", false, "utf-32be", ports.EncodingFound},
		{"PlusInASCII", "login;first_name;note\na;Anna;a+AOk-@example.org +7916 C++ A+B Google+Classroom\n", ports.FileHint{}, "Anna", false, "utf-8", ports.EncodingValid},
		{"MacCentralEurope", "login;first_name\na;\xfcukasz\n", ports.FileHint{Charset: "x-mac-ce"}, "Łukasz", false, "x-mac-ce", ports.EncodingSaid},
		{"KOI8", encode(t, charmap.KOI8R, list), ports.FileHint{}, "Жанна", false, "koi8-r", ports.EncodingFound},
		{"DOS", encode(t, charmap.CodePage866, list), ports.FileHint{}, "Жанна", false, "ibm866", ports.EncodingFound},
		{"MacCyrillic", encode(t, charmap.MacintoshCyrillic, list), ports.FileHint{}, "Жанна", false, "x-mac-cyrillic", ports.EncodingFound},
		{"ISO8859_5", encode(t, charmap.ISO8859_5, list), ports.FileHint{}, "Жанна", false, "iso-8859-5", ports.EncodingFound},
		{"UnknownCharset", encode(t, charmap.Windows1251, list), ports.FileHint{Charset: "ansi"}, "Жанна", false, "windows-1251", ports.EncodingFound},
		{"ASCIISaid", encode(t, charmap.Windows1251, list), ports.FileHint{Charset: "us-ascii"}, "Жанна", false, "windows-1251", ports.EncodingFound},
		{"UTF8ThoughAnotherWasSaid", list, ports.FileHint{Charset: "windows-1251"}, "Жанна", false, "utf-8", ports.EncodingValid},
		{"AliasSaid", encode(t, charmap.CodePage866, list), ports.FileHint{Charset: "CP866"}, "Жанна", false, "ibm866", ports.EncodingSaid},
		{"ByteInIgnoredColumn", strings.ReplaceAll(list, "Ёлка", "\xb0"), ports.FileHint{}, "Жанна", false, "utf-8", ports.EncodingFound},
		{"ByteInIgnoredColumnOfASCII", "login;first_name;note\na;Anna;5 \xb0C\n", ports.FileHint{}, "Anna", false, "utf-8", ports.EncodingValid},
		{"ByteInName", strings.ReplaceAll(list, "Ж", "\xb0"), ports.FileHint{}, "\ufffdанна", true, "utf-8", ports.EncodingFound},
		{"SurrogatePair", "login;first_name\na;Жанна\xed\xa0\x81\xed\xb0\x80\n", ports.FileHint{}, "Жанна\U00010400", false, "utf-8", ports.EncodingFound},
		{"HalfOfASurrogatePair", "login;first_name\na;Жанна\xed\xa0\x81\n", ports.FileHint{}, "Жанна\ufffd", true, "utf-8", ports.EncodingFound},
		{"JSONInUTF16", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), `[{"first_name":"Жанна"}]`), ports.FileHint{Format: ports.FormatJSON}, "Жанна", false, "utf-16le", ports.EncodingMarked},
		{"JSONInSaidCharset", encode(t, charmap.Windows1251, `[{"first_name":"Жанна"}]`), ports.FileHint{Format: ports.FormatJSON, Charset: "windows-1251"}, "Жанна", false, "windows-1251", ports.EncodingSaid},
		{"JSONInAnotherCharset", encode(t, charmap.Windows1251, `[{"first_name":"Жанна"}]`), ports.FileHint{Format: ports.FormatJSON}, "\ufffd", true, "utf-8", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := candidatesOf(c.file, c.hint)
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, domain.Given{Kind: domain.KindText, Text: c.want, Malformed: c.malformed}, got[0].Given[domain.PersonFirstName])
			layout, err := files().Layout(sectionOf(c.file), c.hint)
			require.NoError(t, err)
			require.Equal(t, c.encoding, layout.Encoding)
			require.Equal(t, c.evidence, layout.Evidence)
		})
	}
}

// A file that fits several encodings names them, with its words in each. A chosen one is used.
func TestUnclearEncoding(t *testing.T) {
	file := encode(t, charmap.Windows1252, "login;last_name\na;Kõri\nb;Rossi\n")
	_, err := candidatesOf(file, ports.FileHint{})
	var unclear *domain.UnclearEncodingError
	require.ErrorAs(t, err, &unclear)
	require.ErrorIs(t, err, domain.ErrBrokenFile)
	readings := map[string][]string{}
	for _, e := range unclear.Encodings {
		readings[e.Charset] = e.Words
	}
	require.Equal(t, []string{"Kõri"}, readings["windows-1252"])
	require.Equal(t, []string{"Kőri"}, readings["windows-1250"])
	layout, err := files().Layout(sectionOf(file), ports.FileHint{})
	require.NoError(t, err)
	require.Equal(t, ports.FileLayout{Format: ports.FormatCSV, Encodings: unclear.Encodings}, layout)

	got, err := candidatesOf(file, ports.FileHint{Charset: "windows-1252", Chosen: true})
	require.NoError(t, err)
	require.Equal(t, "Kõri", got[0].Given[domain.PersonLastName].Text)
	_, err = candidatesOf(file, ports.FileHint{Charset: "ansi", Chosen: true})
	require.ErrorContains(t, err, `invalid charset "ansi": expected a name such as utf-8`)
}

// A file that is no table is named for what it is, not for its letters.
func TestBinaryFileHasNoUnclearEncoding(t *testing.T) {
	_, err := candidatesOf("%PDF-1.4\n\xe2\xe3\xcf\xd3\n\x80\x99\xab\xf3", ports.FileHint{})
	require.ErrorIs(t, err, domain.ErrBrokenFile)
	require.NotErrorIs(t, err, domain.ErrUnclearEncoding)
}

// The layout begins with the rows that show whether the encoding is right.
func TestLayoutBeginsWithLetters(t *testing.T) {
	file := "login;first_name\n" + strings.Repeat("boris;Boris\n", 20) + "anna;Жанна\n" + "boris;Boris\n"
	layout, err := files().Layout(sectionOf(file), ports.FileHint{})
	require.NoError(t, err)
	require.Len(t, layout.Rows, 10)
	require.Equal(t, []string{"anna", "Жанна"}, layout.Rows[0])
	require.Equal(t, []string{"boris", "Boris"}, layout.Rows[1])
}

// A file without a header costs its server little: detection tries several delimiters and encodings, and looks up only so many bytes.
func TestGarbageIsDetectedCheaply(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	var garbage strings.Builder
	for n := 1; garbage.Len() < 16<<10; n++ {
		for range 1 + noise.IntN(4) {
			garbage.WriteByte(byte(0xC0 + noise.IntN(64)))
		}
		garbage.WriteByte(",; \t\n"[noise.IntN(4)+noise.IntN(270)/269])
	}
	allocations := testing.AllocsPerRun(1, func() {
		_, err := candidatesOf(garbage.String(), ports.FileHint{})
		require.ErrorContains(t, err, "no known columns")
	})
	require.Less(t, allocations, 1_000_000.0)
}
