package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/internal/csvfield"
	"rollcall/adapters/report"
	"rollcall/domain"
	"rollcall/ports"
)

// FuzzRejected compares the files of rejected records with what encoding/json reads from the originals. Numbers keep their digits,
// since JSON has larger ones than float64.
func FuzzRejected(f *testing.F) {
	for _, r := range rejections() {
		f.Add(r.Original)
	}
	f.Add([]byte(`{"phone":1e999}`))
	decode := func(t *testing.T, file []byte, to any) {
		t.Helper()
		require.True(t, json.Valid(file), "Decode would ignore data after the value")
		decoder := json.NewDecoder(bytes.NewReader(file))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(to))
	}
	f.Fuzz(func(t *testing.T, original []byte) {
		one := []domain.Rejection{{Place: domain.Place{Sheet: "5А", Line: 4}, Record: 3, Login: "known", Description: "why", Original: original}}
		var got []map[string]any
		decode(t, write(t, report.RejectedJSON{}, of(t, nil, one)), &got)
		require.Len(t, got, 1)

		want := map[string]any{}
		valid := bytes.ToValidUTF8(original, []byte("\ufffd"))
		if json.Valid(valid) {
			var value any
			decode(t, valid, &value)
			object, isObject := value.(map[string]any)
			if isObject {
				want = object
			} else {
				want["value"] = value
			}
		} else {
			want["login"] = "known"
		}
		want["object"], want["line"], want["sheet"], want["reason"] = json.Number("3"), json.Number("4"), "5А", "why"
		require.Equal(t, want, got[0])

		rows := rowsOf(t, write(t, report.RejectedCSV{}, of(t, nil, one)), ',')
		require.Len(t, rows, 2)
		login, isText := want["login"].(string)
		if isText && !strings.Contains(login, "\r") {
			require.Equal(t, login, string(csvfield.Restore([]byte(rows[1][7]))))
		}
	})
}

// FuzzRejectedIsReadAgain proves that an import of a file of rejected records reads the original values.
func FuzzRejectedIsReadAgain(f *testing.F) {
	for _, text := range []string{
		"x;=6*7;", "x,'=6*7,", "'+7 916", "\"; '' =1\"", "a\r\n=1", "\r'\n", "\t", " blanks ", "\u2028\x00|＝1", ";=;=;=", `\"\`, "sep=;",
	} {
		f.Add(text, "plain")
		f.Add("Ким", text)
	}
	f.Add(strings.Repeat(";=", domain.MaxValue/2), strings.Repeat("=,", 30<<10))
	f.Fuzz(func(t *testing.T, name, login string) {
		if !utf8.ValidString(name) || !utf8.ValidString(login) {
			return
		}
		values := map[string]string{"last_name": name, "login": login}
		original, err := json.Marshal(values)
		require.NoError(t, err)
		maps.DeleteFunc(values, func(_, text string) bool { return strings.TrimSpace(text) == "" }) // an empty cell has no value
		if len(original) > ports.MaxOriginal || len(values) == 0 {
			return
		}
		one := []domain.Rejection{{Place: domain.Place{Sheet: "=5;", Line: 4}, Record: 3, Description: "why; =6*7", Original: original}}
		for language, delimiter := range map[string]rune{"en": ',', "ru": ';'} {
			r := of(t, nil, one)
			r.Language = language
			file := write(t, report.RejectedCSV{}, r)
			section := io.NewSectionReader(bytes.NewReader(file), 0, int64(len(file)))
			layout, err := bulkfile.Files{}.Layout(section, ports.FileHint{})
			require.NoError(t, err)
			require.Equal(t, delimiter, layout.Delimiter)
			records := 0
			for candidate, err := range (bulkfile.Files{}).Candidates(section, ports.FileHint{}, &ports.FileNotes{}) {
				require.NoError(t, err)
				records++
				got := map[string]string{}
				require.NoError(t, json.Unmarshal(candidate.Original, &got))
				require.Equal(t, values, got)
				if len(login) <= domain.MaxValue {
					require.Equal(t, values["login"], candidate.Given[domain.PersonLogin].Text)
				}
			}
			require.Equal(t, 1, records)
		}
	})
}
