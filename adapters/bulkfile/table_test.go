package bulkfile_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// A broken row or line is a record that is unreadable, and the records around it are read.
func TestBrokenRecords(t *testing.T) {
	for name, c := range map[string]struct {
		file      string
		want      string // of each record the login's first letter, ? if it is unreadable, or ! if it is not an object
		originals []string
	}{
		"lines":                    {"{\"login\":\"a\"}\n{\"login\":\"b\"\n\n7\n{\"login\":\"c\"} {}\nnull\n{\"login\":\"d\"}", "a?!?!d", []string{`{"login":"a"}`, `"{\"login\":\"b\""`, `7`, `"{\"login\":\"c\"} {}"`, `null`, `{"login":"d"}`}},
		"too many cells":           {"login,phone\na,1\nb,2,3\nc,3,\n", "a?c", []string{`{"login":"a","phone":"1"}`, `{"login":"b","phone":"2"}`, `{"login":"c","phone":"3"}`}},
		"text after a quote":       {"login,phone\na,1\n\"b\"x,2\nc,3", "a?c", nil},
		"quote that is not closed": {"login,phone\na,1\nb,\"2\nc,3", "a?c", nil},
		"quote inside a text":      {"login,phone\na\"b,1\n", `a`, nil},
		"short row":                {"login,phone\na\nb,2\n", "ab", []string{`{"login":"a"}`, `{"login":"b","phone":"2"}`}},
		"blank rows":               {"\n,\nlogin,phone\n\n , \na,1\n,\n\nb,2\n\n", "ab", nil},
		"columns of the program":   {"object,line,sheet,reason,login\n7,9,5А,x,a\n", "a", []string{`{"login":"a"}`}},
		"columns of another table": {"line,sheet,reason,login\n7,5А,x,a\n", "a", []string{`{"line":"7","sheet":"5А","reason":"x","login":"a"}`}},
		"repeated column":          {"login,login\na,b\n", "b", []string{`{"login":"a","login":"b"}`}},
		"column without a header":  {"login,\na,b\n", "a", []string{`{"login":"a"}`}},
		"control characters":       {"login,note\na,\"\x01\\\n\"\n", "a", []string{"{\"login\":\"a\",\"note\":\"\\u0001\\\\\\n\"}"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := candidatesOf(c.file, ports.FileHint{})
			require.NoError(t, err)
			all := ""
			for i, candidate := range got {
				require.Equal(t, i+1, candidate.Number)
				switch {
				case candidate.Unreadable:
					all += "?"
				case candidate.NotRecord:
					all += "!"
				default:
					all += candidate.Given[domain.PersonLogin].Text[:1]
				}
				if c.originals != nil {
					require.Equal(t, c.originals[i], string(candidate.Original))
				}
			}
			require.Equal(t, c.want, all)
		})
	}
}

// Values of CSV are read without the quotes and apostrophes that other programs put around them. The original keeps them.
func TestQuotedValues(t *testing.T) {
	for value, want := range map[string]string{
		`"=""007"""`: "007", `="007"`: "007", `"=""a""""b"""`: `a"b`, `=""`: "", `"=T(1)"`: "=T(1)", `'007`: "007", `"'007"`: "007", `'+7 916`: "+7 916",
		`'t Hooft`: "'t Hooft", `O'Neil`: "O'Neil", `'Анна`: "Анна", `'anna'`: "anna", `'7'`: "7", `'+7'`: "+7", `"'+7'"`: "+7'", `“Анна”`: "Анна", `„Анна“`: "Анна", `«Анна»`: "Анна", ` ‘Анна’`: "Анна",
		`“Анна`: "“Анна", `"“Анна”"`: "“Анна”", `'`: "'", `Анна"`: "?", `Анна "Аня"`: `Анна "Аня"`, ` "Анна" `: "Анна",
	} {
		t.Run(value, func(t *testing.T) {
			got, err := candidatesOf("login;phone\n"+value+";1\n", ports.FileHint{})
			require.NoError(t, err)
			require.Len(t, got, 1)
			if got[0].Unreadable {
				require.Equal(t, "?", want)
				return
			}
			require.Equal(t, want, got[0].Given[domain.PersonLogin].Text)
		})
	}
}

// Names are read without escape sequences, which may have a meaning in other values.
func TestEscapedNames(t *testing.T) {
	got, err := candidatesOf("login,last_name,first_name,patronymic\na&amp;b\\'c,O&#39;Neil &Co &unknown;,M&uuml;&#x6C;ler,O\\'Hara \\N\n", ports.FileHint{})
	require.NoError(t, err)
	given := &got[0].Given
	for field, want := range map[domain.PersonField]string{
		domain.PersonLogin: `a&amp;b\'c`, domain.PersonLastName: "O'Neil &Co &unknown;", domain.PersonFirstName: "Müller", domain.PersonPatronymic: `O'Hara \N`,
	} {
		require.Equal(t, want, given[field].Text)
	}
}

// A header of birthdays may say the order of the dates.
func TestDateOrderOfHeader(t *testing.T) {
	for header, want := range map[string]bool{
		"Birthday (MM/DD/YYYY)": true, "Birthday mm-dd-yy": true, "Дата рождения (ММ/ДД/ГГГГ)": true, "Birthday M/D/YYYY": true,
		"Birthday (DD/MM/YYYY)": false, "Birthday": false,
	} {
		t.Run(header, func(t *testing.T) {
			got, err := candidatesOf("login;"+header+"\na;01/02/1985\n", ports.FileHint{})
			require.NoError(t, err)
			require.Equal(t, "01/02/1985", got[0].Given[domain.PersonBirthday].Text)
			require.Equal(t, want, got[0].MonthFirst)
		})
	}
}

func TestRepeatedColumn(t *testing.T) {
	got, err := candidatesOf("login,login,phone\na,b,\n", ports.FileHint{})
	require.NoError(t, err)
	require.True(t, got[0].Given[domain.PersonLogin].Repeated)
}

// FuzzCSV proves that each row is in exactly one place, and that encoding/csv reads the same fields, if it can read the file.
func FuzzCSV(f *testing.F) {
	f.Add("", "a,1\n\"b\"\"c\",\"2\n3\"\r\nd,\n")
	f.Add("People\r\n\rsep=,", "example: a\rb,\"c\"d\n,\n")
	f.Fuzz(func(t *testing.T, above, rows string) {
		hasOnePlaceEach(t, above, rows)
		got, err := candidatesOf("login,phone\n0,0\n"+rows, ports.FileHint{Format: "csv", Charset: "utf-8"}) // no row is an example
		if err != nil {
			require.ErrorIs(t, err, domain.ErrBrokenFile)
			return
		}
		got = got[1:]
		for _, candidate := range got {
			require.True(t, utf8.ValidString(candidate.Given[domain.PersonLogin].Text))
			require.True(t, candidate.Original == nil || json.Valid(candidate.Original), "%q", candidate.Original)
		}
		isOther := func(r rune) bool { // encoding/csv keeps other quotes and signs that show nothing
			return r == '\'' || r == '=' || r != '\n' && !unicode.IsLetter(r) && (r < ' ' || r > '~')
		}
		if strings.ContainsFunc(rows, isOther) || len(rows) > domain.MaxValue {
			return
		}
		reader := csv.NewReader(strings.NewReader(rows))
		reader.FieldsPerRecord = -1
		records, err := reader.ReadAll()
		if err != nil {
			return
		}
		want := []string{}
		for _, record := range records {
			text := strings.Join(record, "")
			delimiters, lineBreaks := strings.Contains(text, ","), strings.Contains(text, "\n")
			if delimiters && (lineBreaks || len(record) < 2) || lineBreaks && len(record) > 2 {
				return // the quotes may be stray, and no pair
			}
			if strings.TrimSpace(strings.Join(record, "")) == "" {
				continue
			}
			if strings.TrimSpace(strings.Join(record[min(len(record), 2):], "")) != "" {
				want = append(want, "?")
				continue
			}
			fields := append(slices.Clone(record), "", "")
			want = append(want, fmt.Sprintf("%q %q", strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1])))
		}
		found := []string{}
		for _, candidate := range got {
			if candidate.Unreadable {
				found = append(found, "?")
				continue
			}
			found = append(found, fmt.Sprintf("%q %q", strings.TrimSpace(candidate.Given[domain.PersonLogin].Text), strings.TrimSpace(candidate.Given[domain.PersonPhone].Text)))
		}
		require.Equal(t, want, found)
	})
}

// Rows below a second header row with other columns, as in joined files, are rejected until a header row has the first columns again.
func TestSecondHeader(t *testing.T) {
	const first, other = "login,last_name,email\n", "last_name,login,email\n"
	got, err := candidatesOf(first+"a,A,a@x.org\n"+first+"b,B,b@x.org\n"+other+"C,c,c@x.org\nD,d,d@x.org\n"+first+"e,E,e@x.org\n", ports.FileHint{})
	require.NoError(t, err)
	var unreadable []int
	for _, c := range got {
		if c.Unreadable {
			unreadable = append(unreadable, c.Number)
		}
	}
	require.Len(t, got, 8)
	require.Equal(t, []int{5, 6, 7}, unreadable)
}
