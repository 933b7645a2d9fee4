package bulkfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// A newSheet is a sheet to write.
type newSheet struct {
	name   string
	rows   [][]any
	hidden bool
}

// bookOf returns a workbook with sheets.
func bookOf(t *testing.T, sheets ...newSheet) string {
	t.Helper()
	return book(t, nil, func(f *excelize.File) {
		for i, sheet := range sheets {
			if i == 0 {
				require.NoError(t, f.SetSheetName("Sheet1", sheet.name))
			} else {
				_, err := f.NewSheet(sheet.name)
				require.NoError(t, err)
			}
			for n, row := range sheet.rows {
				require.NoError(t, f.SetSheetRow(sheet.name, fmt.Sprintf("A%d", n+1), &row))
			}
			if sheet.hidden {
				require.NoError(t, f.SetSheetVisible(sheet.name, false))
			}
		}
	})
}

// rowsOf returns the rows of a sheet with logins.
func rowsOf(logins ...string) [][]any {
	rows := [][]any{{"login", "phone"}}
	for i, login := range logins {
		rows = append(rows, []any{login, i + 1})
	}
	return rows
}

// read returns the numbers and logins of the candidates of a file, and the notes.
func read(t *testing.T, file string, sheets ...string) (logins []string, notes ports.FileNotes, err error) {
	t.Helper()
	for c, err := range files().Candidates(sectionOf(file), ports.FileHint{Sheets: sheets}, &notes) {
		if err != nil {
			return logins, notes, err
		}
		logins = append(logins, fmt.Sprint(c.Number, c.Given[domain.PersonLogin].Text))
	}
	return logins, notes, nil
}

// A sheet of examples or instructions is not read if another has people.
func TestFirstSheet(t *testing.T) {
	for name, first := range map[string]newSheet{
		"example":      {name: "Пример", rows: rowsOf("x")},
		"guide":        {name: "Инструкция", rows: rowsOf("x")},
		"instructions": {name: "Инструкция", rows: [][]any{{"Поле", "Описание"}, {"Фамилия", "как в паспорте"}, {"Имя", "полное"}, {"Логин", "латиницей"}}},
	} {
		t.Run(name, func(t *testing.T) {
			logins, _, err := read(t, bookOf(t, first, newSheet{name: "Данные", rows: rowsOf("a")}))
			require.NoError(t, err)
			require.Equal(t, []string{"1a"}, logins)
		})
	}
	logins, _, err := read(t, bookOf(t, newSheet{name: "Пример", rows: rowsOf("x")}))
	require.NoError(t, err)
	require.Equal(t, []string{"1x"}, logins)
	logins, _, err = read(t, bookOf(t, newSheet{name: "a", rows: [][]any{{"login;phone;first_name"}, {"a;1;b"}}}))
	require.NoError(t, err)
	require.Equal(t, []string{"1a"}, logins, "lines of CSV in one column")
}

// The first visible sheet with people is read unless others are named. All sheets with people are told, with their rows.
func TestSheets(t *testing.T) {
	school := bookOf(t,
		newSheet{name: "Титул", rows: [][]any{{"Список"}, {"Сентябрь"}}},
		newSheet{name: "Форма", rows: rowsOf()},
		newSheet{name: "5А", rows: append(rowsOf("a", "b"), []any{}, []any{"c"})},
		newSheet{name: "Старые", rows: rowsOf("x"), hidden: true},
		newSheet{name: "5Б", rows: [][]any{{"birthday", "Login"}, {nil, "d"}}},
		newSheet{name: "ab", rows: rowsOf("e")},
	)
	form := ports.SheetNote{Name: "Форма"}
	first, second, third := ports.SheetNote{Name: "5А", Rows: 3}, ports.SheetNote{Name: "5Б", Rows: 1}, ports.SheetNote{Name: "ab", Rows: 1}
	was := func(note ports.SheetNote) ports.SheetNote {
		note.Read = true
		return note
	}
	for name, c := range map[string]struct {
		sheets []string
		logins []string
		notes  []ports.SheetNote
	}{
		"Default":   {nil, []string{"1a", "2b", "3c"}, []ports.SheetNote{form, was(first), second, third}},
		"One":       {[]string{"5Б"}, []string{"1d"}, []ports.SheetNote{form, first, was(second), third}},
		"InOrder":   {[]string{"ab", "5А"}, []string{"1e", "2a", "3b", "4c"}, []ports.SheetNote{form, was(first), second, was(third)}},
		"OtherCase": {[]string{"AB", "5б"}, []string{"1e", "2d"}, []ports.SheetNote{form, first, was(second), was(third)}},
		"Blanks":    {[]string{" 5б "}, []string{"1d"}, []ports.SheetNote{form, first, was(second), third}},
		"LookAlike": {[]string{"5A"}, []string{"1a", "2b", "3c"}, []ports.SheetNote{form, was(first), second, third}}, // with the Latin letter
		"Twice":     {[]string{"5Б", "5б", "5Б"}, []string{"1d"}, []ports.SheetNote{form, first, was(second), third}},
		"Hidden":    {[]string{"Старые"}, []string{"1x"}, []ports.SheetNote{form, first, {Name: "Старые", Rows: 1, Read: true}, second, third}},
		"Empty":     {[]string{"Форма", "ab"}, []string{"1e"}, []ports.SheetNote{was(form), first, second, was(third)}},
	} {
		t.Run(name, func(t *testing.T) {
			logins, notes, err := read(t, school, c.sheets...)
			require.NoError(t, err)
			require.Equal(t, c.logins, logins)
			require.Equal(t, c.notes, notes.Sheets)
			layout, err := files().Layout(sectionOf(school), ports.FileHint{Sheets: c.sheets})
			require.NoError(t, err)
			if len(layout.Rows) > 0 { // a form has none
				require.Contains(t, layout.Rows[0], strings.TrimPrefix(c.logins[0], "1"))
			}
		})
	}

	for name, c := range map[string]struct{ sheet, reason string }{
		"WithoutHeader": {"Титул", `sheet "Титул": no known columns`},
		"WithoutRows":   {"Форма", "there are no rows below the header row"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, school, c.sheet)
			require.ErrorIs(t, err, domain.ErrBrokenFile)
			require.ErrorContains(t, err, c.reason)
		})
	}
	_, _, err := read(t, school, "5А", "Титул")
	require.ErrorIs(t, err, domain.ErrBrokenFile, "nothing is imported of a file with a sheet that was named for nothing")
}

func TestUnknownSheets(t *testing.T) {
	file := bookOf(t, newSheet{name: "5А", rows: rowsOf("a")}, newSheet{name: "x", rows: rowsOf("b"), hidden: true}, newSheet{name: "Итоги"})
	long := strings.Repeat("5А", 1<<19)
	for name, c := range map[string]struct {
		file, sheet string
		want        *domain.UnknownSheetError
	}{
		"Workbook": {file, "5Б", &domain.UnknownSheetError{Name: "5Б", Sheets: []string{"5А", "Итоги"}}},
		"Sound":    {file, "5a", &domain.UnknownSheetError{Name: "5a", Sheets: []string{"5А", "Итоги"}}},
		"NoName":   {file, "", &domain.UnknownSheetError{Sheets: []string{"5А", "Итоги"}}},
		"LongName": {file, ports.SheetName(long), &domain.UnknownSheetError{Name: ports.SheetName(long), Sheets: []string{"5А", "Итоги"}}},
		"CSV":      {"login\nanna\n", "5А", &domain.UnknownSheetError{Name: "5А"}},
		"JSON":     {`{"login":"anna"}`, "5А", &domain.UnknownSheetError{Name: "5А"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, c.file, c.sheet)
			require.Equal(t, c.want, err)
			_, err = files().Layout(sectionOf(c.file), ports.FileHint{Sheets: []string{c.sheet}})
			require.Equal(t, c.want, err)
		})
	}
}

// Some programs write names that differ in case only.
func TestSheetsOfOneName(t *testing.T) {
	pieces := parts(`<row><c t="s"><v>0</v></c></row><row><c t="inlineStr"><is><t>one</t></is></c></row>`)
	pieces["xl/workbook.xml"] = `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/><sheet name="A" r:id="rId4"/></sheets></workbook>`
	pieces["xl/_rels/workbook.xml.rels"] = relations(
		"worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml", "styles", "styles.xml", "worksheet", "worksheets/sheet2.xml")
	pieces["xl/worksheets/sheet2.xml"] = strings.ReplaceAll(pieces["xl/worksheets/sheet1.xml"], "one", "two")
	file := archive(t, pieces)
	for name, want := range map[string]string{"a": "1one", "A": "1two"} {
		logins, _, err := read(t, file, name)
		require.NoError(t, err)
		require.Equal(t, []string{want}, logins)
	}
	pieces["xl/workbook.xml"] = strings.ReplaceAll(pieces["xl/workbook.xml"], `"a"`, `"aB"`)
	pieces["xl/workbook.xml"] = strings.ReplaceAll(pieces["xl/workbook.xml"], `"A"`, `"Ab"`)
	_, _, err := read(t, archive(t, pieces), "ab")
	require.ErrorIs(t, err, domain.ErrUnknownSheet, "it is unclear which one is meant")
}

// A sheet that is not read may be broken, but not one that may have to be read.
func TestBrokenSheets(t *testing.T) {
	pieces := parts(`<row><c t="s"><v>0</v></c></row><row><c t="inlineStr"><is><t>one</t></is></c></row>`)
	pieces["xl/workbook.xml"] = `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/><sheet name="b" r:id="rId4"/></sheets></workbook>`
	pieces["xl/_rels/workbook.xml.rels"] = relations(
		"worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml", "styles", "styles.xml", "worksheet", "worksheets/sheet2.xml")
	pieces["xl/worksheets/sheet2.xml"] = strings.TrimSuffix(pieces["xl/worksheets/sheet1.xml"], "</sheetData><pageMargins left=\"0.7\"/></worksheet>") + "<row><c"
	logins, notes, err := read(t, archive(t, pieces))
	require.NoError(t, err)
	require.Equal(t, []string{"1one"}, logins)
	require.Equal(t, []ports.SheetNote{{Name: "a", Rows: 1, Read: true}, {Name: "b", Rows: 1}}, notes.Sheets, "up to the place where it breaks")
	_, _, err = read(t, archive(t, pieces), "b")
	require.ErrorIs(t, err, domain.ErrBrokenFile)
	pieces["xl/worksheets/sheet1.xml"] = `<worksheet><sheetData><row><c`
	_, _, err = read(t, archive(t, pieces))
	require.ErrorIs(t, err, domain.ErrBrokenFile)
}

// Hidden rows are read and counted, those of other sheets are not.
func TestHiddenRows(t *testing.T) {
	file := book(t, rowsOf("a", "b", "c"), func(f *excelize.File) {
		require.NoError(t, f.SetRowVisible("Sheet1", 2, false))
		require.NoError(t, f.SetRowVisible("Sheet1", 4, false))
		_, err := f.NewSheet("other")
		require.NoError(t, err)
		require.NoError(t, f.SetSheetRow("other", "A1", &[]any{"login", "phone"}))
		require.NoError(t, f.SetSheetRow("other", "A2", &[]any{"d", 4}))
		require.NoError(t, f.SetRowVisible("other", 2, false))
	})
	logins, notes, err := read(t, file)
	require.NoError(t, err)
	require.Equal(t, []string{"1a", "2b", "3c"}, logins)
	require.Equal(t, 2, notes.HiddenRows)
}

// Sheets that have the same ignored columns are told once.
func TestIgnoredColumnsOfSheets(t *testing.T) {
	class := func(login string) [][]any { return [][]any{{"login", "Кабинет"}, {login, "5"}} }
	_, notes, err := read(t, bookOf(t, newSheet{name: "1", rows: class("a")}, newSheet{name: "2", rows: class("b")}), "1", "2")
	require.NoError(t, err)
	require.Equal(t, []ports.IgnoredColumn{{Header: "Кабинет"}}, notes.Ignored)
}
