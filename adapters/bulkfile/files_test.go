package bulkfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"rollcall/adapters/bulkfile"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

func files() bulkfile.Files { return bulkfile.Files{Spools: &fake.Spools{}, MaxInflated: 1 << 30} }

func sectionOf(file string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(file), 0, int64(len(file)))
}

// candidatesOf copies the candidates of a file, up to the error that ends it.
func candidatesOf(file string, hint ports.FileHint) (all []domain.Candidate, err error) {
	for candidate, err := range files().Candidates(sectionOf(file), hint) {
		if err != nil {
			return all, err
		}
		all = append(all, *candidate)
		all[len(all)-1].Original = bytes.Clone(candidate.Original)
	}
	return all, nil
}

// people are rows as people write them, with a header of JSON's names.
func people() [][]string {
	return [][]string{
		{"first_name", "last_name", "patronymic", "login", "email", "phone", "birthday", "note"},
		{"Анна", "Ким", "Петровна", "anna", "a@example.com", "+7 916 123-45-67", "29.02.2000", ""},
		{"O'Neil", `Said "hi"`, "one; two", " blanks ", "b@example.com", "", "", "a, b; c\td"},
		{"'=1+1", "''=2", "'plain", "dora", "", "=9161234568", "", ""},
		{"", "", "", "", "", "", "", "only a note"},
	}
}

func encodeCSV(t *testing.T, delimiter rune, rows [][]string, crlf bool) string {
	t.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = delimiter, crlf
	require.NoError(t, w.WriteAll(rows))
	return b.String()
}

func encodeObjects(t *testing.T, rows [][]string) (objects []string) {
	t.Helper()
	for _, row := range rows[1:] {
		object := map[string]string{}
		for i, text := range row {
			if text != "" {
				object[rows[0][i]] = text
			}
		}
		b, err := json.Marshal(object)
		require.NoError(t, err)
		objects = append(objects, string(b))
	}
	return objects
}

// defused puts an apostrophe in front of what spreadsheets take for formulas, as our own files do.
func defused(rows [][]string) [][]string {
	all := make([][]string, len(rows))
	for i, row := range rows {
		for _, text := range row {
			if bare := strings.TrimLeft(text, "'"); bare != "" && strings.ContainsAny(bare[:1], "=+-@") {
				text = "'" + text
			}
			all[i] = append(all[i], text)
		}
	}
	return all
}

// The same people are the same candidates in every format and encoding.
func TestFormatsAgree(t *testing.T) {
	objects := encodeObjects(t, people())
	want, err := candidatesOf("["+strings.Join(objects, ",")+"]", ports.FileHint{})
	require.NoError(t, err)
	require.Len(t, want, 4)
	originals := []string{}
	for i := range want {
		originals = append(originals, string(want[i].Original))
		want[i].Original = nil
	}
	rows := defused(people())
	comma, semicolon, tab := encodeCSV(t, ',', rows, false), encodeCSV(t, ';', rows, true), encodeCSV(t, '\t', rows, false)
	cp1251, err := charmap.Windows1251.NewEncoder().String(semicolon)
	require.NoError(t, err)
	utf16le, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(tab)
	require.NoError(t, err)
	utf16be, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(comma)
	require.NoError(t, err)
	koi8, err := charmap.KOI8R.NewEncoder().String(comma)
	require.NoError(t, err)
	lines := strings.Join(objects, "\n")
	for name, c := range map[string]struct {
		file string
		hint ports.FileHint
		want ports.FileLayout
	}{
		"array":                  {"[" + strings.Join(objects, ",") + "]", ports.FileHint{}, ports.FileLayout{Format: "json", Encoding: "utf-8"}},
		"array, said":            {" [" + strings.Join(objects, ",") + "]", ports.FileHint{Format: "json"}, ports.FileLayout{Format: "json", Encoding: "utf-8"}},
		"lines":                  {lines, ports.FileHint{}, ports.FileLayout{Format: "ndjson", Encoding: "utf-8"}},
		"lines, said, CRLF":      {"\ufeff" + strings.ReplaceAll(lines, "\n", "\r\n\r\n") + "\r\n", ports.FileHint{Format: "ndjson"}, ports.FileLayout{Format: "ndjson", Encoding: "utf-8"}},
		"lines by name":          {objects[0] + "\n" + strings.Join(objects[1:], "\n"), ports.FileHint{Name: "people.JSONL"}, ports.FileLayout{Format: "ndjson", Encoding: "utf-8"}},
		"commas":                 {comma, ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Delimiter: ','}},
		"commas, mark":           {"\ufeff" + comma, ports.FileHint{Format: "csv"}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Delimiter: ','}},
		"semicolons, CRLF":       {semicolon, ports.FileHint{Name: "люди.csv"}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Delimiter: ';'}},
		"semicolons, named":      {"sep=;\r\n" + semicolon, ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Delimiter: ';'}},
		"tabs":                   {tab, ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Delimiter: '\t'}},
		"CR":                     {strings.ReplaceAll(encodeCSV(t, ',', rows, true), "\r\n", "\r"), ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Delimiter: ','}},
		"Windows-1251":           {cp1251, ports.FileHint{Format: "csv"}, ports.FileLayout{Format: "csv", Encoding: "windows-1251", Delimiter: ';'}},
		"UTF-16, little-endian":  {utf16le, ports.FileHint{Name: "unicode.txt"}, ports.FileLayout{Format: "csv", Encoding: "utf-16le", Delimiter: '\t'}},
		"UTF-16, big-endian":     {utf16be, ports.FileHint{Format: "csv"}, ports.FileLayout{Format: "csv", Encoding: "utf-16be", Delimiter: ','}},
		"a charset that is said": {koi8, ports.FileHint{Format: "csv", Charset: "KOI8-R"}, ports.FileLayout{Format: "csv", Encoding: "koi8-r", Delimiter: ','}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := candidatesOf(c.file, c.hint)
			require.NoError(t, err)
			for i := range got {
				require.JSONEq(t, originals[i], string(got[i].Original))
				got[i].Original = nil
			}
			require.Equal(t, want, got)

			layout, err := files().Layout(sectionOf(c.file), c.hint)
			require.NoError(t, err)
			require.Len(t, layout.Rows, 4)
			columns := map[string]domain.Field{}
			for _, column := range layout.Columns {
				columns[column.Header] = column.Field
			}
			require.Len(t, columns, 8)
			require.Equal(t, domain.FieldLogin, columns["login"])
			require.Equal(t, domain.FieldRecord, columns["note"])
			place := slices.IndexFunc(layout.Columns, func(c ports.FileColumn) bool { return c.Header == "login" })
			require.Equal(t, "anna", layout.Rows[0][place])
			layout.Columns, layout.Rows = nil, nil
			require.Equal(t, c.want, layout)
		})
	}
}

func TestHeaders(t *testing.T) {
	for header, want := range map[string]domain.Field{
		"Фамилия": domain.FieldLastName, " ИМЯ ": domain.FieldFirstName, "Отчество": domain.FieldPatronymic, "Логин": domain.FieldLogin,
		"Эл. почта": domain.FieldEmail, "E-mail": domain.FieldEmail, "Телефон": domain.FieldPhone, "Дата рождения": domain.FieldBirthday,
		"First name": domain.FieldFirstName, "LAST_NAME": domain.FieldLastName, "Phone number": domain.FieldPhone, "Date of birth": domain.FieldBirthday,
		"Учётная запись": domain.FieldLogin, "patr": domain.FieldPatronymic, "nickname": domain.FieldRecord, "Моё имя": domain.FieldRecord,
	} {
		layout, err := files().Layout(sectionOf("login;"+header+"\na;b\n"), ports.FileHint{})
		require.NoError(t, err)
		require.Equal(t, []ports.FileColumn{{Header: "login", Field: domain.FieldLogin}, {Header: strings.TrimSpace(header), Field: want}}, layout.Columns)
	}
}

// A row or line that nobody can make sense of has its number, and those around it are read.
func TestUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		file      string
		want      string // a letter each: login, or ? for what cannot be read, or ! for what is no object
		originals []string
	}{
		"lines":              {"{\"login\":\"a\"}\n{\"login\":\"b\"\n\n7\n{\"login\":\"c\"} {}\nnull\n{\"login\":\"d\"}", "a?!?!d", []string{`{"login":"a"}`, `"{\"login\":\"b\""`, `7`, `"{\"login\":\"c\"} {}"`, `null`, `{"login":"d"}`}},
		"too many fields":    {"login,phone\na,1\nb,2,3\nc,3,\n", "a?c", []string{`{"login":"a","phone":"1"}`, `{"login":"b","phone":"2"}`, `{"login":"c","phone":"3"}`}},
		"behind a quote":     {"login,phone\na,1\n\"b\"x,2\nc,3", "a?c", nil},
		"a quote that stays": {"login,phone\na,1\nb,\"2\nc,3", "a?", nil},
		"a quote inside":     {"login,phone\na\"b,1\n", `a`, nil},
		"a short row":        {"login,phone\na\nb,2\n", "ab", []string{`{"login":"a"}`, `{"login":"b","phone":"2"}`}},
		"blank rows":         {"\n,\nlogin,phone\n\n , \na,1\n,\n\nb,2\n\n", "ab", nil},
		"columns of our own": {"object,reason,login\n7,x,a\n", "a", []string{`{"login":"a"}`}},
		"a column twice":     {"login,Логин\na,b\n", "b", []string{`{"login":"a","login":"b"}`}},
		"a column nameless":  {"login,\na,b\n", "a", []string{`{"login":"a"}`}},
		"control characters": {"login,note\na,\"\x01\\\n\"\n", "a", []string{"{\"login\":\"a\",\"note\":\"\\u0001\\\\\\n\"}"}},
	} {
		got, err := candidatesOf(c.file, ports.FileHint{})
		require.NoError(t, err, name)
		all := ""
		for i, candidate := range got {
			require.Equal(t, i+1, candidate.Number, name)
			switch {
			case candidate.Unreadable:
				all += "?"
			case candidate.NotRecord:
				all += "!"
			default:
				all += candidate.Given[domain.PersonLogin].Text[:1]
			}
			if c.originals != nil {
				require.Equal(t, c.originals[i], string(candidate.Original), name)
			}
		}
		require.Equal(t, c.want, all, name)
	}
	got, err := candidatesOf("login,Логин,phone\na,b,\n", ports.FileHint{})
	require.NoError(t, err)
	require.True(t, got[0].Given[domain.PersonLogin].Repeated)
}

func TestBrokenFiles(t *testing.T) {
	for file, hint := range map[string]ports.FileHint{
		"":                     {Format: "csv"},
		"\n\n":                 {Format: "ndjson"},
		" ":                    {Format: "csv"},
		"login,phone\n":        {},
		"login,phone\n,\n\n":   {Format: "csv"},
		"a,b\nc,d\n":           {Format: "csv"},
		"a,b\nc,d\n\n":         {Name: "a.csv"},
		"a,b\nc,d":             {},
		"PK\x03\x04 and so on": {Name: "a.csv"},
		"\xd0\xcf\x11\xe0 xls": {},
		`[{"login":"a"}`:       {},
	} {
		_, err := candidatesOf(file, hint)
		require.ErrorIs(t, err, domain.ErrBrokenFile, "%q", file)
		_, isReason := err.(*domain.BrokenFileError) //nolint:errorlint // which is what is asked
		require.True(t, isReason, "%q", file)
	}
}

func TestReadersThatFail(t *testing.T) {
	half := strings.NewReader("login,phone\na,1\nb,2\n")
	for _, format := range []ports.FileFormat{"json", "ndjson", "csv", ""} {
		for _, err := range files().Candidates(io.NewSectionReader(failing{half}, 0, 1<<20), ports.FileHint{Format: format}) {
			if err != nil {
				require.ErrorIs(t, err, io.ErrClosedPipe)
				require.NotErrorIs(t, err, domain.ErrBrokenFile)
			}
		}
		_, err := files().Layout(io.NewSectionReader(failing{half}, 0, 1<<20), ports.FileHint{Format: format})
		require.ErrorIs(t, err, io.ErrClosedPipe)
	}
	for name, decode := range map[string]func(io.Reader) error{
		"ndjson": func(r io.Reader) (last error) {
			for _, err := range (bulkfile.NDJSON{}).Candidates(r) {
				last = err
			}
			return last
		},
		"csv": func(r io.Reader) (last error) {
			for _, err := range (bulkfile.CSV{Delimiter: ','}).Candidates(r) {
				last = err
			}
			return last
		},
	} {
		err := decode(io.MultiReader(strings.NewReader("login,phone\n{}\n\"x"), iotest.ErrReader(io.ErrClosedPipe)))
		require.ErrorIs(t, err, io.ErrClosedPipe, name)
		require.NotErrorIs(t, err, domain.ErrBrokenFile, name)
	}
}

// failing is a file that can be read once to its end, and no further.
type failing struct{ io.ReaderAt }

func (f failing) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(p, offset)
	if err != nil {
		err = io.ErrClosedPipe
	}
	return n, err
}

// Values of any length take the memory of short ones, and say that they were longer.
func TestLongValues(t *testing.T) {
	long := strings.Repeat("ы", 8<<20)
	for name, file := range map[string]string{
		"csv":    "note,login,phone\n" + long + ",\"" + long + "\",1\nx,b,2\n",
		"ndjson": `{"note":"` + long + `","login":"` + long + `","phone":"1"}` + "\n" + long + "\n" + `{"login":"b","phone":"2"}`,
	} {
		section := sectionOf(file)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var got []domain.Candidate
		for candidate, err := range files().Candidates(section, ports.FileHint{Format: ports.FileFormat(name)}) {
			require.NoError(t, err)
			got = append(got, *candidate)
		}
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), name)
		require.True(t, got[0].Given[domain.PersonLogin].Cut)
		require.Len(t, got[0].Given[domain.PersonLogin].Text, domain.MaxValue)
		require.Nil(t, got[0].Original)
		require.Equal(t, "1", got[0].Given[domain.PersonPhone].Text, name)
		require.Equal(t, "b", got[len(got)-1].Given[domain.PersonLogin].Text)
	}
}

// Where a letter comes late that is no UTF-8, the whole file is read as what it is.
func TestLateCharset(t *testing.T) {
	rows := strings.Repeat("anna,1\n", 100_000)
	late, err := charmap.Windows1251.NewEncoder().String("login,phone\n" + rows + "Жанна,2\n")
	require.NoError(t, err)
	got, err := candidatesOf(late, ports.FileHint{})
	require.NoError(t, err)
	require.Equal(t, "Жанна", got[len(got)-1].Given[domain.PersonLogin].Text)
	for cut := range 4 { // characters that stand across two reads
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

// Where encoding/csv can read a file it finds the same fields.
func FuzzCSV(f *testing.F) {
	f.Add("a,1\n\"b\"\"c\",\"2\n3\"\r\nd,\n")
	f.Add("a\rb,\"c\"d\n")
	f.Fuzz(func(t *testing.T, rows string) {
		got, err := candidatesOf("login,phone\n"+rows, ports.FileHint{Format: "csv", Charset: "utf-8"})
		if err != nil {
			require.ErrorIs(t, err, domain.ErrBrokenFile)
		}
		for _, candidate := range got {
			require.True(t, utf8.ValidString(candidate.Given[domain.PersonLogin].Text))
			require.True(t, candidate.Original == nil || json.Valid(candidate.Original), "%q", candidate.Original)
		}
		if strings.ContainsAny(rows, "\r'") || !utf8.ValidString(rows) || len(rows) > domain.MaxValue {
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
			if strings.TrimSpace(strings.Join(record, "")) == "" {
				continue
			}
			if strings.TrimSpace(strings.Join(record[min(len(record), 2):], "")) != "" {
				want = append(want, "?")
				continue
			}
			fields := append(slices.Clone(record), "", "")
			for i := range fields {
				if strings.TrimSpace(fields[i]) == "" {
					fields[i] = ""
				}
			}
			want = append(want, fmt.Sprintf("%q %q", fields[0], fields[1]))
		}
		found := []string{}
		for _, candidate := range got {
			if candidate.Unreadable {
				found = append(found, "?")
				continue
			}
			found = append(found, fmt.Sprintf("%q %q", candidate.Given[domain.PersonLogin].Text, candidate.Given[domain.PersonPhone].Text))
		}
		require.Equal(t, want, found)
	})
}

// A line is a candidate exactly when it is JSON, and the same one that an array has.
func FuzzNDJSON(f *testing.F) {
	f.Add("{\"login\":\"a\"}\n7\n{\n")
	f.Add("\ufeff\r\n[]\n{} {}\nnull")
	f.Fuzz(func(t *testing.T, file string) {
		got, err := candidatesOf(file, ports.FileHint{Format: "ndjson"})
		if err != nil {
			require.ErrorIs(t, err, domain.ErrBrokenFile)
		}
		number := 0
		for line := range strings.Lines(strings.TrimPrefix(file, "\ufeff")) {
			if strings.Trim(line, " \t\r\n") == "" {
				continue
			}
			alone, err := candidatesOf("["+line+"]", ports.FileHint{Format: "json"})
			candidate := got[number]
			number++
			require.Equal(t, number, candidate.Number)
			if err != nil || len(alone) != 1 {
				require.True(t, candidate.Unreadable, "%q", line)
				continue
			}
			alone[0].Number = number
			require.Equal(t, alone[0], candidate, "%q", line)
		}
		require.Len(t, got, number)
	})
}
