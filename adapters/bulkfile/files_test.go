package bulkfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

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

// candidatesOf returns copies of the candidates of a file, up to the first error.
func candidatesOf(file string, hint ports.FileHint) ([]domain.Candidate, error) {
	return copiesOf(files().Candidates(sectionOf(file), hint, &ports.FileNotes{}))
}

func copiesOf(candidates iter.Seq2[*domain.Candidate, error]) (all []domain.Candidate, err error) {
	for candidate, err := range candidates {
		if err != nil {
			return all, err
		}
		all = append(all, *candidate)
		all[len(all)-1].Original = bytes.Clone(candidate.Original)
		all[len(all)-1].IsRow = false // see TestRowsOfTables
	}
	return all, nil
}

// Only the candidates of a table are rows, because only a table has columns with one notation each.
func TestRowsOfTables(t *testing.T) {
	for _, c := range []struct {
		name, file string
		isRow      bool
	}{
		{"CSV", "login\nanna\n", true},
		{"XLSX", book(t, [][]any{{"login"}, {"anna"}}, nil), true},
		{"JSON", `[{"login":"anna"}]`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for candidate, err := range files().Candidates(sectionOf(c.file), ports.FileHint{}, &ports.FileNotes{}) {
				require.NoError(t, err)
				require.Equal(t, c.isRow, candidate.IsRow)
			}
		})
	}
}

// The same records give the same candidates in every format and encoding.
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
		"array":                    {"[" + strings.Join(objects, ",") + "]", ports.FileHint{}, ports.FileLayout{Format: "json", Encoding: "utf-8"}},
		"array by hint":            {" [" + strings.Join(objects, ",") + "]", ports.FileHint{Format: "json"}, ports.FileLayout{Format: "json", Encoding: "utf-8"}},
		"lines":                    {lines, ports.FileHint{}, ports.FileLayout{Format: "ndjson", Encoding: "utf-8"}},
		"lines by hint, CRLF":      {"\ufeff" + strings.ReplaceAll(lines, "\n", "\r\n\r\n") + "\r\n", ports.FileHint{Format: "ndjson"}, ports.FileLayout{Format: "ndjson", Encoding: "utf-8", Evidence: ports.EncodingMarked}},
		"lines by name":            {objects[0] + "\n" + strings.Join(objects[1:], "\n"), ports.FileHint{Name: "people.JSONL"}, ports.FileLayout{Format: "ndjson", Encoding: "utf-8"}},
		"commas":                   {comma, ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Evidence: ports.EncodingValid, Delimiter: ','}},
		"commas, byte order mark":  {"\ufeff" + comma, ports.FileHint{Format: "csv"}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Evidence: ports.EncodingMarked, Delimiter: ','}},
		"semicolons by name, CRLF": {semicolon, ports.FileHint{Name: "люди.csv"}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Evidence: ports.EncodingValid, Delimiter: ';'}},
		"semicolons, sep=":         {"sep=;\r\n" + semicolon, ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Evidence: ports.EncodingValid, Delimiter: ';'}},
		"tabs":                     {tab, ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Evidence: ports.EncodingValid, Delimiter: '\t'}},
		"CR":                       {strings.ReplaceAll(encodeCSV(t, ',', rows, true), "\r\n", "\r"), ports.FileHint{}, ports.FileLayout{Format: "csv", Encoding: "utf-8", Evidence: ports.EncodingValid, Delimiter: ','}},
		"Windows-1251":             {cp1251, ports.FileHint{Format: "csv"}, ports.FileLayout{Format: "csv", Encoding: "windows-1251", Evidence: ports.EncodingFound, Delimiter: ';'}},
		"Windows-1251, DOS":        {cp1251 + "\x1a", ports.FileHint{Format: "csv"}, ports.FileLayout{Format: "csv", Encoding: "windows-1251", Evidence: ports.EncodingFound, Delimiter: ';'}},
		"UTF-16, little-endian":    {utf16le, ports.FileHint{Name: "unicode.txt"}, ports.FileLayout{Format: "csv", Encoding: "utf-16le", Evidence: ports.EncodingMarked, Delimiter: '\t'}},
		"UTF-16, big-endian":       {utf16be, ports.FileHint{Format: "csv"}, ports.FileLayout{Format: "csv", Encoding: "utf-16be", Evidence: ports.EncodingMarked, Delimiter: ','}},
		"charset by hint":          {koi8, ports.FileHint{Format: "csv", Charset: "KOI8-R"}, ports.FileLayout{Format: "csv", Encoding: "koi8-r", Evidence: ports.EncodingSaid, Delimiter: ','}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := candidatesOf(c.file, c.hint)
			require.NoError(t, err)
			for i := range got {
				require.JSONEq(t, originals[i], string(got[i].Original))
				got[i].Original, got[i].Place = nil, domain.Place{} // see TestPlaces
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
			require.Equal(t, []ports.IgnoredColumn{{Header: "note"}}, layout.Notes.Ignored)
			layout.Columns, layout.Rows, layout.Notes = nil, nil, ports.FileNotes{}
			require.Equal(t, c.want, layout)
		})
	}
}

// people returns rows below a header row with the names in JSON.
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

// defused returns rows with an apostrophe before each formula, as the program writes them.
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

func TestBrokenFiles(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		hint ports.FileHint
	}{
		"empty file":               {"", ports.FileHint{Format: "csv"}},
		"blank lines":              {"\n\n", ports.FileHint{Format: "ndjson"}},
		"blank":                    {" ", ports.FileHint{Format: "csv"}},
		"header only":              {"login,phone\n", ports.FileHint{}},
		"header and blank rows":    {"login,phone\n,\n\n", ports.FileHint{Format: "csv"}},
		"unknown columns":          {"a,b\nc,d\n", ports.FileHint{Format: "csv"}},
		"one known column":         {"phone,note\n1,x\n", ports.FileHint{Format: "csv"}},
		"header in row 21":         {strings.Repeat("title\n", 20) + "login,phone\na,1\n", ports.FileHint{Format: "csv"}},
		"transposed":               {"Фамилия;Ким\nИмя;Анна\nЛогин;anna\nТелефон;1\n", ports.FileHint{Format: "csv"}},
		"unknown columns by name":  {"a,b\nc,d\n\n", ports.FileHint{Name: "a.csv"}},
		"no format":                {"a,b\nc,d", ports.FileHint{}},
		"archive named .csv":       {"PK\x03\x04 and so on", ports.FileHint{Name: "a.csv"}},
		"array that is not closed": {`[{"login":"a"}`, ports.FileHint{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := candidatesOf(c.file, c.hint)
			require.ErrorIs(t, err, domain.ErrBrokenFile)
			var broken *domain.BrokenFileError
			require.ErrorAs(t, err, &broken)
		})
	}
}

// The reason is that of the delimiter that the file has.
func TestReasons(t *testing.T) {
	for reason, file := range map[string]string{
		"the header row has more than 1024 columns": strings.Repeat("x;", 2000) + "login;phone\na;1\n",
		"the names of the fields stand in a column": "Фамилия;Ким;Сомов\nИмя;Анна;Борис\nЛогин;anna;boris\n",
		"no known columns in the first 20 rows":     "a;b\nc;d\n",
		"there are no rows below the header row":    "login;phone\n",
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := candidatesOf(file, ports.FileHint{Format: "csv"})
			require.ErrorContains(t, err, reason)
		})
	}
}

// The letter К ends with the byte that ends texts of DOS.
func TestUTF16EndsWithLetter(t *testing.T) {
	file, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String("login,last_name\na,К")
	require.NoError(t, err)
	got, err := candidatesOf(file, ports.FileHint{})
	require.NoError(t, err)
	require.Equal(t, "К", got[0].Given[domain.PersonLastName].Text)
}

// An error of the reader is not the error of a broken file.
func TestReaderErrors(t *testing.T) {
	half := strings.NewReader("login,phone\na,1\nb,2\n")
	for _, format := range []ports.FileFormat{"json", "ndjson", "csv", ""} {
		t.Run("file as "+string(format), func(t *testing.T) {
			for _, err := range files().Candidates(io.NewSectionReader(failing{half}, 0, 1<<20), ports.FileHint{Format: format}, &ports.FileNotes{}) {
				if err != nil {
					require.ErrorIs(t, err, io.ErrClosedPipe)
					require.NotErrorIs(t, err, domain.ErrBrokenFile)
				}
			}
			_, err := files().Layout(io.NewSectionReader(failing{half}, 0, 1<<20), ports.FileHint{Format: format})
			require.ErrorIs(t, err, io.ErrClosedPipe)
		})
	}
	for name, candidates := range map[string]func(io.Reader, *ports.FileNotes) iter.Seq2[*domain.Candidate, error]{
		"ndjson": bulkfile.NDJSON{}.Candidates, "csv": bulkfile.CSV{Delimiter: ','}.Candidates,
	} {
		t.Run("stream as "+name, func(t *testing.T) {
			var last error
			for _, err := range candidates(io.MultiReader(strings.NewReader("login,phone\n{}\n\"x"), iotest.ErrReader(io.ErrClosedPipe)), &ports.FileNotes{}) {
				last = err
			}
			require.ErrorIs(t, last, io.ErrClosedPipe)
			require.NotErrorIs(t, last, domain.ErrBrokenFile)
		})
	}
}

// failing is a file whose end is an error.
type failing struct{ io.ReaderAt }

func (f failing) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(p, offset)
	if err != nil {
		err = io.ErrClosedPipe
	}
	return n, err
}

// Long values take constant memory, and are marked as cut.
func TestLongValues(t *testing.T) {
	long := strings.Repeat("ы", 3<<20)
	for name, file := range map[string]string{
		"csv":    "note,login,phone\n" + long + ",\"" + long + "\",1\nx,b,2\n",
		"ndjson": `{"note":"` + long + `","login":"` + long + `","phone":"1"}` + "\n" + long + "\n" + `{"login":"b","phone":"2"}`,
	} {
		t.Run(name, func(t *testing.T) {
			section := sectionOf(file)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var got []domain.Candidate
			for candidate, err := range files().Candidates(section, ports.FileHint{Format: ports.FileFormat(name)}, &ports.FileNotes{}) {
				require.NoError(t, err)
				got = append(got, *candidate)
			}
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
			require.True(t, got[0].Given[domain.PersonLogin].Cut)
			require.Len(t, got[0].Given[domain.PersonLogin].Text, domain.MaxValue)
			require.Nil(t, got[0].Original)
			require.Equal(t, "1", got[0].Given[domain.PersonPhone].Text)
			require.Equal(t, "b", got[len(got)-1].Given[domain.PersonLogin].Text)
		})
	}
}
