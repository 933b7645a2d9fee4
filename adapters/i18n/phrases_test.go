package i18n_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPhrases(t *testing.T) {
	words := catalog(t).Choose("ru", "")
	for english, russian := range map[string]string{
		"expected a value":                                        "ожидалось значение",
		"expected a comma or ]":                                   "ожидалась запятая или ]",
		`expected four hexadecimal digits after \u`:               `после \u ожидались четыре шестнадцатеричные цифры`,
		"at byte 13, in record 2: expected a value":               "байт 13, запись 2: ожидалось значение",
		`sheet "5А": the file is empty`:                           `лист "5А": файл пуст`,
		"cannot read the workbook: row 3: an XML tag is too long": "книга Excel не читается: строка 3: слишком длинный тег XML",
	} {
		text, isKnown := words.Phrase(english)
		require.Equal(t, russian, text)
		require.True(t, isKnown)
		text, isKnown = catalog(t).Choose("en", "").Phrase(english)
		require.Equal(t, english, text)
		require.True(t, isKnown)
	}
	for _, other := range []string{"", "at byte 13: an error of a library", "expected a value, or not"} {
		text, isKnown := words.Phrase(other)
		require.Equal(t, other, text)
		require.False(t, isKnown)
	}
}

// Every reason for which a file is broken has a phrase in each language.
func TestReasonsOfBrokenFilesArePhrases(t *testing.T) {
	reason := regexp.MustCompile(`(?:Fail\(|Reason: (?:fmt\.Sprintf\()?\s*|expect\('.', )("(?:[^"\\\\]|\\\\.)+"|` + "`[^`]+`" + `)`)
	verb := regexp.MustCompile(`%[dqsv]`)
	words, found := catalog(t).Choose("ru", ""), 0
	for _, folder := range []string{"../bulkfile", "../web/intake"} {
		require.NoError(t, fs.WalkDir(os.DirFS(folder), ".", func(file string, _ fs.DirEntry, err error) error {
			if err != nil || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return err
			}
			source, err := fs.ReadFile(os.DirFS(folder), file)
			for _, match := range reason.FindAllSubmatch(source, -1) {
				english, err := strconv.Unquote(string(match[1]))
				require.NoError(t, err)
				if strings.HasSuffix(english, " ") { // a character follows
					english += "x"
				}
				_, isKnown := words.Phrase(strings.Replace(verb.ReplaceAllString(english, "7"), ": 7", ": the file is empty", 1))
				require.True(t, isKnown, "%s: %q", file, english)
				found++
			}
			return err
		}))
	}
	require.Greater(t, found, 20)
}
