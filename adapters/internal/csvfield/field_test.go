package csvfield_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/internal/csvfield"
)

func TestAppend(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `""`},
		{"plain", `"plain"`},
		{"Said \"hi\"", `"Said ""hi"""`},
		{"O'Neil, 't Hooft", `"O'Neil, 't Hooft"`},
		{"a=b-c", `"a=b-c"`},
		{"=6*7", `"'=6*7"`},
		{"007", `"007"`},
		{"'007", `"''007"`},
		{"x,'90s", `"x,'90s"`},
		{"+7 916", `"'+7 916"`},
		{"'=6*7", `"''=6*7"`},
		{"''=6*7", `"'''=6*7"`},
		{"x;=6*7;", `"x;'=6*7;"`},
		{"x;'=6*7;", `"x;''=6*7;"`},
		{"x,=6*7|+1\t-2", `"x,'=6*7|'+1` + "\t" + `'-2"`},
		{"x\n=6*7", "\"x\n'=6*7\""},
		{"x\r\n@f", "\"x\r\n'@f\""},
		{"x\r=6*7", "\"x\r'=6*7\""},
		{`x;"=6*7"`, `"x;'""=6*7"""`},
		{"x; =6*7", `"x;' =6*7"`},
		{"\u200b\u00a0＝1", "\"'\u200b\u00a0＝1\""},
		{"\t=1", "\"'\t'=1\""},
	} {
		t.Run(c.text, func(t *testing.T) {
			require.Equal(t, c.want, string(csvfield.Append(nil, c.text)))
			require.Equal(t, c.want, string(csvfield.Append(nil, []byte(c.text))))
		})
	}
}

// People write an apostrophe before a phone, which is not part of the phone.
func TestRestoreFieldOfAnotherProgram(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{"'+7 916", "+7 916"},
		{"'t Hooft", "'t Hooft"},
		{"'", "'"},
		{"''", "''"},
		{"a'=b", "a'=b"},
	} {
		t.Run(c.field, func(t *testing.T) { require.Equal(t, c.want, string(csvfield.Restore([]byte(c.field)))) })
	}
}

// Restore gives back every text, and no cell begins with a formula, wherever a spreadsheet splits the file.
func FuzzAppendAndRestore(f *testing.F) {
	for _, text := range []string{
		"", "x;=6*7;", "';'=1", "\r\n\r'\n=1", "\t\t=", "'", "\"=\"", ",' \"'+", "|＝1|'＠", "\n\n-", "\u2028=1", "\xff;=\xff", "\r'\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		field := csvfield.Append([]byte("before,"), text)
		field, found := bytes.CutPrefix(field, []byte("before,"))
		require.True(t, found)

		inside := strings.ReplaceAll(string(field[1:len(field)-1]), `""`, `"`)
		require.Equal(t, text, string(csvfield.Restore([]byte(inside))))
		if !strings.Contains(text, "\r") { // encoding/csv reads \r\n as \n
			row, err := csv.NewReader(bytes.NewReader(field)).Read()
			require.NoError(t, err)
			require.Equal(t, []string{inside}, row)
		}

		for _, cell := range strings.FieldsFunc(string(field), func(r rune) bool { return strings.ContainsRune(",;|\t\r\n", r) }) {
			shown := strings.TrimLeftFunc(cell, func(r rune) bool { return r == '"' || unicode.IsSpace(r) || !unicode.IsGraphic(r) })
			require.False(t, strings.HasPrefix(shown, "=") || strings.HasPrefix(shown, "+") || strings.HasPrefix(shown, "-") ||
				strings.HasPrefix(shown, "@") || strings.HasPrefix(shown, "＝"), "%q", cell)
		}
	})
}
