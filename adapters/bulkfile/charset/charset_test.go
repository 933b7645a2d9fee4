package charset_test

import (
	_ "embed"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/htmlindex"

	"rollcall/adapters/bulkfile/charset"
)

//go:embed testdata/names.txt
var people string

//go:embed names.txt
var learned string

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

// usual are encodings that programs write, and rare are those that few do.
const (
	usual = "windows-1251 koi8-r ibm866 x-mac-cyrillic windows-1252 windows-1250 iso-8859-1 iso-8859-2 iso-8859-5 iso-8859-15"
	rare  = "koi8-u windows-1253 windows-1254 windows-1257 iso-8859-3 iso-8859-4 iso-8859-7 iso-8859-9 iso-8859-10 iso-8859-13 iso-8859-16 ibm437 ibm737 " +
		"ibm775 ibm850 ibm852 ibm855 ibm857 ibm861 ibm865 macintosh x-mac-ce x-mac-croatian x-mac-greek x-mac-icelandic x-mac-romanian x-mac-turkish"
)

// An encoder has the bytes of an encoding's characters.
type encoder map[rune]byte

func encoderOf(t *testing.T, name string) encoder {
	t.Helper()
	decoder, _, found := charset.Find(name)
	require.True(t, found, name)
	e := encoder{}
	for b := range 256 {
		char := decoder.(charset.Bytewise).DecodeByte(byte(b))
		if _, has := e[char]; !has && char != utf8.RuneError {
			e[char] = byte(b)
		}
	}
	return e
}

// encode returns a text in the encoding, and whether it has the letters of the text and other bytes than UTF-8.
func (e encoder) encode(text string) (encoded string, ok bool) {
	all := make([]byte, 0, len(text))
	for _, char := range text {
		b, has := e[char]
		if !has {
			return "", false
		}
		all = append(all, b)
	}
	return string(all), string(all) != text
}

// alike replaces the letters that Romanian has for the same sounds. Encodings have them in the same places.
var alike = strings.NewReplacer("ş", "ș", "ţ", "ț", "Ş", "Ș", "Ţ", "Ț")

// The corpus has no name that the detection has learned.
func TestCorpusIsUnknown(t *testing.T) {
	known := map[string]bool{}
	for name := range strings.FieldsSeq(strings.ToLower(learned)) {
		known[name] = true
	}
	for _, c := range corpora(t) {
		names := slices.Concat(c.last, c.given, c.patronymics, c.places)
		require.Empty(t, slices.DeleteFunc(names, func(name string) bool { return !known[strings.ToLower(name)] }), c.language)
	}
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

var whole = flag.Bool("whole", false, "test the rare encodings with as many lists as the usual ones")

// No list is read in an encoding that changes its letters. Lists whose encoding is unclear have the right one among those that are offered. They
// are few if the list is not very short, and in a usual encoding. A rare encoding gets one list of each language and length, every third of them in
// capitals or small letters, and all of them with `go test -run Corpus -v -args -whole`.
func TestCorpus(t *testing.T) {
	t.Parallel()
	all := corpora(t)
	for _, size := range []struct {
		rows, files int
		asked       float64 // most share of the files in usual encodings
	}{
		{1, 3, 0.15}, {2, 3, 0.08}, {3, 3, 0.08}, {5, 3, 0.05}, {10, 2, 0.02}, {20, 3, 0.01}, {100, 1, 0.01}, {1000, 1, 0},
	} {
		t.Run(fmt.Sprint(size.rows, "Rows"), func(t *testing.T) {
			t.Parallel()
			var lists []string // of each language, then by the case of letters
			for i := range all {
				for seed := range size.files {
					lists = append(lists, all[i].list(size.rows, uint64(seed)))
				}
			}
			for _, names := range []string{usual, rare} {
				if names == rare && size.rows == 1000 {
					continue // which are as clear as 100, and take a third of the time
				}
				files, asked := 0, 0
				for name := range strings.FieldsSeq(names) {
					encoder := encoderOf(t, name)
					for i, list := range lists {
						language, seed := i/size.files, i%size.files
						if names == rare && !*whole && seed != language%size.files {
							continue
						}
						encoded, ok := encoder.encode(list)
						if !ok {
							continue
						}
						files++
						var text charset.Text
						_, _ = text.Write([]byte(encoded))
						guesses := text.Guesses()
						isRight := func(g charset.Guess) bool {
							read := g.Read(encoded)
							return read == list || alike.Replace(read) == alike.Replace(list)
						}
						require.True(t, slices.ContainsFunc(guesses, isRight), "%s in %s: %s", all[language].language, name, list)
						if len(guesses) > 1 {
							asked++
						}
					}
				}
				t.Logf("%d files, asked %d (%.1f %%)", files, asked, 100*float64(asked)/float64(files))
				if names == usual {
					require.LessOrEqual(t, float64(asked), size.asked*float64(files))
				}
			}
		})
	}
}

// An apostrophe between letters is one of few forms. Elsewhere the byte is a letter of another encoding.
func TestApostrophes(t *testing.T) {
	for _, c := range []struct{ charset, list string }{
		{"windows-1252", "last_name;first_name\nD’Amico;Anna\nEsposito;Luigi\nMarino;Bruno\n"},
		{"windows-1251", "last_name;first_name\nЛук’яненко;Анна\nМарченко;Іван\n"},
		{"ibm437", "last_name;first_name\nUrdaneta;Sócrates\nTudó;Teófilo\n"},
		{"macintosh", "last_name;first_name\nSÍ;MARÍA\nRUÍZ;INÉS\n"},
	} {
		t.Run(c.charset, func(t *testing.T) {
			encoded, _ := encoderOf(t, c.charset).encode(c.list)
			var text charset.Text
			_, _ = text.Write([]byte(encoded))
			require.Equal(t, c.list, text.Guesses()[0].Read(encoded))
		})
	}
}

// The bytes are those of the encodings' own definitions.
func TestTables(t *testing.T) {
	for name, c := range map[string]struct{ bytes, want string }{
		"cp857":           {"\x99zt\x81rk G\x94k\x87e Do\xa7an I\x9f\x8dl Ay\x9fe", "Öztürk Gökçe Doğan Işıl Ayşe"},
		"cp737":           {"\x8f\x98\xa7\xe1\xaa \x82\xa0\xe9\xa8\x9a\xa6\xaa", "Παπάς Γιώργος"},
		"cp775":           {"\xbeimkus \xcfemait\xd3", "Šimkus Žemaitė"},
		"cp861":           {"\x8d\xa2r Gu\x8cr\xa3n", "Þór Guðrún"},
		"x-mac-ce":        {"\xfcukasiewicz \xe5wi\xabto Ma\xb8gorzata", "Łukasiewicz Święto Małgorzata"},
		"x-mac-croatian":  {"\xa9imi\xe6 \xd0or\xf0e", "Šimić Đorđe"},
		"x-mac-icelandic": {"Gu\xddmundsson \xde\x97r", "Guðmundsson Þór"},
		"x-mac-romanian":  {"\xaftefan \xdeepe\xbf", "Ștefan Țepeș"},
		"x-mac-turkish":   {"\xdcnan\x8d \xde\xddko\xdblu", "İnanç Şıkoğlu"},
		"x-mac-greek":     {"\xa6\xe1\xf0\xc0\xf7 \xa1\xe9\xf1\xf2\xe7\xef\xf7", "Παπάς Γιώργος"},
	} {
		t.Run(name, func(t *testing.T) {
			decoder, _, found := charset.Find(name)
			require.True(t, found)
			got, err := decoder.NewDecoder().String(c.bytes)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// A list in an encoding that is not tested for is unclear: its letters are in another script, or take two bytes each.
func TestUnknownEncodings(t *testing.T) {
	for name, list := range map[string]string{
		"gbk": "王伟 陈静 张敏 刘洋 杨帆", "big5": "王偉 李娜 張敏 劉洋 陳靜", "shift_jis": "田中 佐藤 鈴木 小林", "euc-jp": "小林 田中 佐藤 鈴木", "euc-kr": "김철수 이영희 박민수",
		"windows-1256": "محمد أحمد فاطمة", "iso-8859-6": "محمد أحمد فاطمة", "windows-874": "สมชาย สมหญิง วิชัย",
	} {
		for _, word := range append(strings.Fields(list), list) {
			t.Run(name+" "+word, func(t *testing.T) {
				encoding, err := htmlindex.Get(name)
				require.NoError(t, err)
				encoded, err := encoding.NewEncoder().String("login;last_name\nanna;" + word + "\n")
				require.NoError(t, err)
				var text charset.Text
				_, _ = text.Write([]byte(encoded))
				require.Greater(t, len(text.Guesses()), 1)
			})
		}
	}
}
