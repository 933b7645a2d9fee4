package charset_test

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"rollcall/adapters/bulkfile/charset"
)

//go:embed testdata/names.txt
var people string

// A corpus has the names of people in a language, and the encodings in which such people send their lists.
type corpus struct {
	language                         string
	last, given, patronymics, places []string
}

func corpora(t *testing.T) (all []corpus) {
	t.Helper()
	for line := range strings.Lines(people) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		language, names, found := strings.Cut(line, ": ")
		require.True(t, found)
		parts := append(strings.Split(strings.TrimSpace(names), "/"), "", "")
		all = append(all, corpus{language, strings.Fields(parts[0]), strings.Fields(parts[1]), strings.Fields(parts[2]), strings.Fields(parts[3])})
	}
	return all
}

var encodings = map[string]encoding.Encoding{
	"windows-1251": charmap.Windows1251, "koi8-r": charmap.KOI8R, "ibm866": charmap.CodePage866,
	"x-mac-cyrillic": charmap.MacintoshCyrillic, "iso-8859-5": charmap.ISO8859_5, "windows-1252": charmap.Windows1252,
	"windows-1250": charmap.Windows1250, "iso-8859-1": charmap.ISO8859_1, "iso-8859-2": charmap.ISO8859_2, "iso-8859-15": charmap.ISO8859_15,
	"koi8-u": charmap.KOI8U, "windows-1254": charmap.Windows1254, "ibm850": charmap.CodePage850, "ibm852": charmap.CodePage852,
	"macintosh": charmap.Macintosh, "iso-8859-4": charmap.ISO8859_4,
}

// list returns a list of people, as lists are: as people write their names, in capitals, or in small letters.
func (c *corpus) list(rows int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, uint64(rows)))
	change := []func(string) string{strings.Clone, strings.ToUpper, strings.ToLower}[seed%3]
	one := func(names []string) string {
		if len(names) == 0 {
			return ""
		}
		return change(names[random.IntN(len(names))])
	}
	var list strings.Builder
	if c.language == "ru" && seed%3 == 0 {
		list.WriteString("Фамилия;Имя;Отчество;Город;Логин;Эл. почта;Телефон\n")
	} else {
		list.WriteString("last_name;first_name;patronymic;city;login;email;phone\n")
	}
	for row := range rows {
		fmt.Fprintf(&list, "%s;%s;%s;%s;user%d;user%d@example.org;+7 916 %07d\n", one(c.last), one(c.given), one(c.patronymics), one(c.places), row, row, row)
	}
	if seed%2 == 0 {
		return list.String()
	}
	return strings.ReplaceAll(list.String(), ";", ",")
}

// No list is read in an encoding that changes its letters. Lists whose encoding is unclear are few, and have the right encoding among those
// that are offered.
func TestCorpus(t *testing.T) {
	for _, size := range []struct {
		rows, files int
		asked       float64 // most share of the files
	}{
		{2, 3, 0.1}, {5, 3, 0.05}, {20, 3, 0.01}, {100, 1, 0.01}, {1000, 1, 0},
	} {
		t.Run(fmt.Sprint(size.rows, "Rows"), func(t *testing.T) {
			files, asked := 0, 0
			for _, c := range corpora(t) {
				for name, encoding := range encodings {
					for seed := range size.files {
						list := c.list(size.rows, uint64(seed))
						encoded, err := encoding.NewEncoder().String(list)
						if err != nil || encoded == list { // the encoding does not have the letters, or the list has none
							continue
						}
						files++
						var text charset.Text
						_, _ = text.Write([]byte(encoded))
						guesses := text.Guesses()
						if len(guesses) > 1 {
							asked++
							require.True(t, slices.ContainsFunc(guesses, func(g charset.Guess) bool { return g.Read(encoded) == list }), "%s in %s", c.language, name)
							continue
						}
						require.Equal(t, list, guesses[0].Read(encoded), "%s in %s", c.language, name)
					}
				}
			}
			t.Logf("%d files, asked %d (%.1f %%)", files, asked, 100*float64(asked)/float64(files))
			require.LessOrEqual(t, float64(asked), size.asked*float64(files))
		})
	}
}

// A list in an encoding that is not tested for is unclear if a reading has letters or signs that names do not have.
func TestUnknownEncodings(t *testing.T) {
	for name, list := range map[string]string{
		"Turkish in IBM857":   "\x99zt\x81rk G\x94k\x87e Do\xa7an I\x9f\x8dl Ay\x9fe",
		"Polish for Mac":      "\xfcukasiewicz \x8cwi\xc7to Ma\xb8gorzata",
		"Icelandic for Mac":   "Gu\xddmundsson Sigur\xddur Bj\x9arnsd\x97ttir",
		"Greek, Windows-1253": "\xd0\xe1\xf0\xdc\xf2 \xc3\xe9\xfe\xf1\xe3\xef\xf2 \xcc\xe1\xf1\xdf\xe1",
	} {
		t.Run(name, func(t *testing.T) {
			var text charset.Text
			_, _ = text.Write([]byte(list))
			require.Greater(t, len(text.Guesses()), 1)
		})
	}
}
