package bulkfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/csv"
	"rollcall/adapters/internal/csvfield"
	"rollcall/domain"
	"rollcall/ports"
)

// Each record of a table or of NDJSON has the line of the file or the row of the sheet where it begins. A file that is one value of JSON has no lines.
func TestPlaces(t *testing.T) {
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("login\n\"a\nb\"\nc\n")
	require.NoError(t, err)
	for _, c := range []struct {
		name, file string
		want       []int
	}{
		{"CSV", "login\na\nb\n", []int{2, 3}},
		{"rows above the header, and blank lines", "sep=,\nPeople\n\nlogin,phone\n\n,\na,1\n\nb,2", []int{7, 9}},
		{"header of several lines", "login,\"phone\n(mobile)\"\na,1\n", []int{3}},
		{"example of a template", "note,login\nexample,x\n,a\n", []int{3}},
		{"cells of several lines", "login,note\r\na,\"1\r\n2\r\n\r\n3\"\r\nb,\r\n", []int{2, 6}},
		{"CR", "login\ra\r\rb\r", []int{2, 4}},
		{"mixed line breaks", "login\r\na\nb\rc", []int{2, 3, 4}},
		{"quote that is not closed", "login,phone\na,\"1\nb,2\nc,3\n", []int{2, 3, 4}},
		{"UTF-16", utf16, []int{2, 4}},
		{"NDJSON", "\ufeff{\"login\":\"a\"}\n\n{\n7\r\n{}", []int{1, 3, 4, 5}},
		{"JSON", "[\n{},\n{}]", []int{0, 0}},
		{"one object", "\n{}\n", []int{0}},
		{"blanks before objects", strings.Repeat(" \n", 100_000) + "{} {}", []int{100_001, 100_001}},
		{"several objects", "\n{\n\"login\":\n\"a\"} {}\n\n{\n}\n" + strings.Repeat("\n", 100_000) + "{}", []int{2, 4, 6, 100_008}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := candidatesOf(c.file, ports.FileHint{})
			require.NoError(t, err)
			require.Len(t, got, len(c.want))
			for i, line := range c.want {
				require.Equal(t, domain.Place{Line: line}, got[i].Place)
			}
		})
	}
	t.Run("workbook", func(t *testing.T) {
		file := book(t, [][]any{{"People"}, {}, {"login", "phone"}, {"a", "1"}, {}, {"b", "2"}}, func(file *excelize.File) {
			require.NoError(t, file.SetSheetName("Sheet1", "5А"))
			_, err := file.NewSheet("5Б")
			require.NoError(t, err)
			for cell, text := range map[string]string{"A1": "login", "A2": "c"} {
				require.NoError(t, file.SetCellStr("5Б", cell, text))
			}
		})
		got, err := candidatesOf(file, ports.FileHint{Sheets: []string{"5А", "5Б"}})
		require.NoError(t, err)
		for i, place := range []domain.Place{{Sheet: "5А", Line: 4}, {Sheet: "5А", Line: 6}, {Sheet: "5Б", Line: 2}} {
			require.Equal(t, place, got[i].Place)
		}
	})
}

// isHeader reports whether a row is a header row of a table.
func isHeader(cells []scan.Cell) bool {
	var file []byte
	for _, cell := range cells {
		file = append(csvfield.Append(file, cell.Text), ',')
	}
	for _, err := range (bulkfile.CSV{Delimiter: ','}).Candidates(strings.NewReader(string(file)+"\nanna\n"), new(ports.FileNotes)) {
		return err == nil
	}
	return false
}

// hasOnePlaceEach proves that each row above and below a header row is in exactly one place: it is a record, told as passed over, blank, or a
// second header row.
// FuzzRows of scan/csv proves that each line is in exactly one row.
func hasOnePlaceEach(t *testing.T, above, below string) {
	t.Helper()
	above = strings.ReplaceAll(above, `"`, "") + "\n"
	file := above + "login,phone\n" + below
	if len(file) > domain.MaxValue { // cells are cut
		return
	}
	headerLine := 1 + strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(above), "\n")
	var notes ports.FileNotes
	var records []int // their lines
	for candidate, err := range (bulkfile.CSV{Delimiter: ','}).Candidates(strings.NewReader(file), &notes) {
		if err != nil {
			require.ErrorIs(t, err, domain.ErrBrokenFile)
			return
		}
		records = append(records, candidate.Line)
	}
	if records[0] <= headerLine { // there is a header row above
		return
	}
	width, texts, quotes := 0, 0, 0 // of rows that are no records: those with a text, and those with signs of quoting at most
	textsAbove, hasSecond := 0, false
	for row, err := range csv.Rows(strings.NewReader(file), ',', scan.Limits{Row: len(file), Cell: len(file)}, &width) {
		require.NoError(t, err)
		var text []byte
		for _, cell := range row.Cells {
			text = append(text, cell.Text...)
		}
		switch {
		case row.Line < headerLine && isHeader(row.Cells): // the header row is another one
			return
		case row.Line == headerLine:
			width, textsAbove = len(row.Cells), texts
		case len(records) > 0 && records[0] == row.Line:
			records = records[1:]
		case row.Line > headerLine && !hasSecond && texts == textsAbove && isHeader(row.Cells):
			hasSecond, width = true, max(width, len(row.Cells))
		case !domain.IsBlank([]byte(strings.NewReplacer(`"`, "", "=", "", "'", "").Replace(string(text)))):
			texts++
		default:
			quotes++
		}
	}
	require.Empty(t, records, "records that are no rows")
	require.GreaterOrEqual(t, len(notes.PassedOver), texts, notes.PassedOver)
	require.LessOrEqual(t, len(notes.PassedOver), texts+quotes, notes.PassedOver)
}
