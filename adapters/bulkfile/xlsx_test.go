package bulkfile_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/bulkfile"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// book returns a workbook with rows in its active sheet: the first, unless prepare adds others.
func book(t *testing.T, rows [][]any, prepare func(*excelize.File)) string {
	t.Helper()
	file := excelize.NewFile()
	defer file.Close()
	if prepare != nil {
		prepare(file)
	}
	sheet := file.GetSheetName(file.GetActiveSheetIndex())
	for i, row := range rows {
		require.NoError(t, file.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row))
	}
	var b bytes.Buffer
	require.NoError(t, file.Write(&b))
	return b.String()
}

// cellsOf returns login, phone and birthday of a candidate.
func cellsOf(c domain.Candidate) [3]string {
	return [3]string{c.Given[domain.PersonLogin].Text, c.Given[domain.PersonPhone].Text, c.Given[domain.PersonBirthday].Text}
}

// A workbook gives the same candidates as the other formats.
func TestXLSXAgrees(t *testing.T) {
	objects := encodeObjects(t, people())
	want, err := candidatesOf("["+strings.Join(objects, ",")+"]", ports.FileHint{})
	require.NoError(t, err)
	var rows [][]any
	for _, row := range people() {
		cells := make([]any, len(row))
		for i, text := range row {
			cells[i] = text
		}
		rows = append(rows, cells, []any{"", ""}) // a blank row after each
	}
	file := book(t, rows, nil)
	for _, hint := range []ports.FileHint{{}, {Format: ports.FormatXLSX}, {Name: "people.csv"}} {
		got, err := candidatesOf(file, hint)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range got {
			require.JSONEq(t, string(want[i].Original), string(got[i].Original))
			require.Equal(t, domain.Place{Sheet: "Sheet1", Line: 3 + 2*i}, got[i].Place)
			got[i].Original, got[i].Place = want[i].Original, want[i].Place
			require.Equal(t, want[i], got[i])
		}
	}
	layout, err := files().Layout(sectionOf(file), ports.FileHint{})
	require.NoError(t, err)
	require.Equal(t, ports.FormatXLSX, layout.Format)
	require.Len(t, layout.Rows, 4)
	require.Equal(t, ports.FileColumn{Header: "login", Field: domain.FieldLogin}, layout.Columns[3])
}

func TestXLSXDatesAndNumbers(t *testing.T) {
	header := []any{"Логин", "Телефон", "Дата рождения", "Заметка"}
	date := time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		file            string
		phone, birthday string
	}{
		"date":            {book(t, [][]any{header, {"anna", "8 916 123-45-67", date}}, nil), "8 916 123-45-67", "2000-02-29"},
		"date as text":    {book(t, [][]any{header, {"anna", "+79161234567", "29.02.2000"}}, nil), "+79161234567", "29.02.2000"},
		"phone as number": {book(t, [][]any{header, {"anna", 79161234567, nil, 7.5}}, nil), "79161234567", ""},
		"phone as float":  {book(t, [][]any{header, {"anna", 7.9161234567e10}}, nil), "79161234567", ""},
		"days from 1904": {book(t, [][]any{header, {"anna", "1", 35122}}, func(f *excelize.File) {
			from1904 := true
			require.NoError(t, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &from1904}))
		}), "1", "2000-02-28"},
		"days as text":        {book(t, [][]any{header, {"anna", "1", "36585"}}, nil), "1", "2000-02-29"},
		"days as text, float": {book(t, [][]any{header, {"anna", "1", "36585.0"}}, nil), "1", "2000-02-29"},
		"days as text from 1904": {book(t, [][]any{header, {"anna", "1", "35122"}}, func(f *excelize.File) {
			from1904 := true
			require.NoError(t, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &from1904}))
		}), "1", "2000-02-28"},
		"a year as text": {book(t, [][]any{header, {"anna", "1", "2000"}}, nil), "1", "2000"},
		"after a hidden sheet": {book(t, [][]any{header, {"anna", "1"}}, func(f *excelize.File) {
			index, err := f.NewSheet("people")
			require.NoError(t, err)
			f.SetActiveSheet(index)
			require.NoError(t, f.SetCellStr("Sheet1", "A1", "hidden"))
			require.NoError(t, f.SetSheetVisible("Sheet1", false))
		}), "1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := candidatesOf(c.file, ports.FileHint{})
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, [3]string{"anna", c.phone, c.birthday}, cellsOf(got[0]))
		})
	}
	_, violations := domain.NewBirthday("2000-02-29", 20_000)
	require.Empty(t, violations, "the domain reads a date as a workbook gives it")
}

func TestXLSXOfLibreOffice(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("testdata", "libreoffice.xlsx"))
	require.NoError(t, err)
	got, err := candidatesOf(string(file), ports.FileHint{Name: "people.xlsx"})
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, []string{"anna", "Пётр", "79161234567", "2000-02-29", "1999-12-31", "89161234568"}, []string{
		got[0].Given[domain.PersonLogin].Text, got[1].Given[domain.PersonFirstName].Text, got[0].Given[domain.PersonPhone].Text, got[0].Given[domain.PersonBirthday].Text, got[1].Given[domain.PersonBirthday].Text, got[1].Given[domain.PersonPhone].Text,
	})
	require.Equal(t, domain.KindAbsent, got[1].Given[domain.PersonEmail].Kind)
}

// Damaged and hostile workbooks are broken files.
func TestXLSXBroken(t *testing.T) {
	whole := book(t, [][]any{{"login"}, {"anna"}}, nil)
	for _, file := range []string{
		whole[:len(whole)/2], whole[:len(whole)-1], "PK\x03\x04", "PK\x03\x04" + strings.Repeat("\x00", 1<<16),
		book(t, nil, nil), book(t, [][]any{{"login"}}, nil), book(t, [][]any{{"unknown"}, {"columns"}}, nil),
	} {
		_, err := candidatesOf(file, ports.FileHint{})
		require.ErrorIs(t, err, domain.ErrBrokenFile)
		_, err = files().Layout(sectionOf(file[:len(file)/2]), ports.FileHint{})
		require.ErrorIs(t, err, domain.ErrBrokenFile)
	}
	for _, err := range files().Candidates(io.NewSectionReader(failing{strings.NewReader(whole)}, 0, 1<<20), ports.FileHint{Format: ports.FormatXLSX}, &ports.FileNotes{}) {
		require.ErrorIs(t, err, io.ErrClosedPipe)
	}
}

// A large workbook leaves no spool open.
func TestXLSXLarge(t *testing.T) {
	const records = 10_000
	var b bytes.Buffer
	file := excelize.NewFile()
	sheet, err := file.NewStreamWriter("Sheet1")
	require.NoError(t, err)
	require.NoError(t, sheet.SetRow("A1", []any{"login", "note"}))
	for i := range records {
		require.NoError(t, sheet.SetRow(fmt.Sprintf("A%d", i+2), []any{fmt.Sprintf("user%d", i), strings.Repeat("x", 200)}))
	}
	require.NoError(t, sheet.Flush())
	require.NoError(t, file.Write(&b))
	require.NoError(t, file.Close())
	spools, seen := &fake.Spools{}, 0
	section := io.NewSectionReader(bytes.NewReader(b.Bytes()), 0, int64(b.Len()))
	for candidate, err := range (bulkfile.Files{Spools: spools, MaxInflated: 1 << 30}).Candidates(section, ports.FileHint{}, &ports.FileNotes{}) {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("user%d", seen), candidate.Given[domain.PersonLogin].Text)
		seen++
	}
	require.Equal(t, records, seen)
	require.Zero(t, spools.Open())
}
