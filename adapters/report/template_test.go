package report_test

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/report"
)

func TestTemplates(t *testing.T) {
	headers := map[string][]string{
		"en": {"Last name", "First name", "Patronymic", "Login", "Email", "Phone", "Birthday", "Group"},
		"ru": {"Фамилия", "Имя", "Отчество", "Логин", "Электронная почта", "Телефон", "Дата рождения", "Группа"},
	}
	lines := map[string]string{
		"en": "\ufeff" + `"Last name","First name","Patronymic","Login","Email","Phone","Birthday","Group"` + "\r\n",
		"ru": "\ufeff" + `"Фамилия";"Имя";"Отчество";"Логин";"Электронная почта";"Телефон";"Дата рождения";"Группа"` + "\r\n",
	}
	for language, words := range languages(t) {
		t.Run(language, func(t *testing.T) {
			var file bytes.Buffer
			require.NoError(t, report.TemplateCSV{}.Write(&file, words))
			require.Equal(t, lines[language], file.String())

			file.Reset()
			require.NoError(t, report.TemplateXLSX{Dir: t.TempDir()}.Write(&file, words))
			book, err := excelize.OpenReader(bytes.NewReader(file.Bytes()))
			require.NoError(t, err)
			defer book.Close()
			require.Len(t, book.GetSheetList(), 1)
			sheet := book.GetSheetName(0)
			rows, err := book.GetRows(sheet)
			require.NoError(t, err)
			require.Equal(t, [][]string{headers[language]}, rows, "a header row only")

			// The cells have the format of text.
			for i := range headers[language] {
				column, err := excelize.ColumnNumberToName(i + 1)
				require.NoError(t, err)
				id, err := book.GetColStyle(sheet, column)
				require.NoError(t, err)
				style, err := book.GetStyle(id)
				require.NoError(t, err)
				require.NotNil(t, style.CustomNumFmt, column)
				require.Equal(t, "@", *style.CustomNumFmt, column)
				width, err := book.GetColWidth(sheet, column)
				require.NoError(t, err)
				require.Greater(t, width, float64(len([]rune(headers[language][i]))), column)
			}
			sheets := parts(t, file.Bytes())
			require.Equal(t, "frozen", sheets["xl/worksheets/sheet1.xml"].Panes[0].State)
		})
	}
}

func TestTemplateErrors(t *testing.T) {
	words := languages(t)["en"]
	require.ErrorIs(t, report.TemplateCSV{}.Write(&narrow{}, words), errFull)
	require.ErrorIs(t, report.TemplateXLSX{Dir: t.TempDir()}.Write(&narrow{}, words), errFull)
	require.Error(t, report.TemplateXLSX{Dir: filepath.Join(t.TempDir(), "missing")}.Write(io.Discard, words))
}
