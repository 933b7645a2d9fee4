package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/i18n"
	"rollcall/adapters/internal/csvfield"
	"rollcall/adapters/report"
	"rollcall/domain"
	"rollcall/ports"
)

// outcomes returns the outcomes of the golden files.
func outcomes() []domain.Outcome {
	taken := domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}
	tooLong := domain.Violations{
		{Field: domain.FieldLastName, Code: domain.CodeTooLong, Limit: 50},
		{Field: domain.FieldEmail, Code: domain.CodeContactRequired},
	}
	all := []domain.Outcome{
		{Login: "ivanov", Name: domain.RestoreFullName(domain.NameTexts{Last: "Иванов", First: "Пётр", Patronymic: "Сергеевич"}), Group: domain.RestoreGroup("7 «Б»"), Password: "abcdef-ghijkm-npqrst-uvwxyz"},
		{Place: domain.Place{Sheet: "5А", Line: 17}, Login: "ivanov", Violations: taken},
		{Place: domain.Place{Line: 18}, Login: "Ёлкина", Violations: tooLong},
		{Login: "boris", Name: domain.RestoreFullName(domain.NameTexts{Last: "Skipped", First: "Boris", Patronymic: "B."}), Skipped: true},
		{Violations: domain.Violations{{Code: domain.CodeNotObject}}},
		{Login: "名字", Name: domain.RestoreFullName(domain.NameTexts{Last: "O'Neil, \"Jr\"", First: "e\u0301", Patronymic: "👩‍👩‍👧"}), Password: "222222-333333-444444-555555"},
		{Login: "dry", Name: domain.RestoreFullName(domain.NameTexts{Last: "Dry", First: "Run", Patronymic: "Only"})},
	}
	for _, text := range formulas() {
		all = append(all,
			domain.Outcome{Login: text, Name: domain.RestoreFullName(domain.NameTexts{Last: text, First: text, Patronymic: text}), Group: domain.RestoreGroup(text), Password: "zzzzzz-yyyyyy-xxxxxx-wwwwww"},
			domain.Outcome{Login: text, Violations: taken})
	}
	for i := range all {
		all[i].Record = i + 1
	}
	return all
}

// formulas returns texts that programs may take for formulas, and similar ones that they do not.
func formulas() []string {
	return []string{"=1+1", "+7", "-1", "@x", "＝1", "'=1", "''+1", "'t Hooft", "a=1", "x;=6*7;", "x;'=6*7;"}
}

func sequence(all []domain.Outcome) iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		for _, o := range all {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// repeated yields an outcome a number of times.
func repeated(one *domain.Outcome, times int) iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		for i := range times {
			one.Record = i + 1
			if !yield(*one, nil) {
				return
			}
		}
	}
}

func languages(t testing.TB) map[string]ports.Words {
	catalog, err := i18n.New()
	require.NoError(t, err)
	all := map[string]ports.Words{}
	for _, words := range catalog.All() {
		all[words.Language()] = words
	}
	return all
}

type outcomeFile struct {
	name   string
	writer ports.OutcomeWriter
	show   func(t *testing.T, file []byte) []byte
}

func outcomeFiles(t *testing.T) []outcomeFile {
	dir := t.TempDir()
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left, "temporary files are left")
	})
	unchanged := func(_ *testing.T, file []byte) []byte { return file }
	words := languages(t)
	return []outcomeFile{
		{"credentials.csv", report.CredentialsCSV{}, unchanged},
		{"credentials.xlsx", report.CredentialsXLSX{Sentences: words["en"], Dir: dir}, cells},
		{"credentials_continued.xlsx", report.CredentialsXLSX{Sentences: words["ru"], Dir: dir}.WithSheetRows(5), cells},
	}
}

func TestCredentialsGolden(t *testing.T) {
	for _, f := range outcomeFiles(t) {
		for size, some := range map[string][]domain.Outcome{"none": nil, "one": outcomes()[:1], "rejected": outcomes()[1:2], "all": outcomes()} {
			name := size + "_" + f.name
			t.Run(name, func(t *testing.T) {
				var file bytes.Buffer
				require.NoError(t, f.writer.Write(&file, sequence(some)))
				golden(t, name, f.show(t, file.Bytes()))
			})
		}
	}
}

// Other readers find every login and password unchanged.
func TestCredentialsByOtherReaders(t *testing.T) {
	var registered [][]string
	var rejected int
	for _, o := range outcomes() {
		if o.Violations != nil {
			rejected++
		} else if !o.Skipped {
			registered = append(registered, []string{o.Name.Last.String(), o.Name.First.String(), o.Name.Patronymic.String(), o.Login, o.Password, o.Group.String()})
		}
	}

	var file bytes.Buffer
	require.NoError(t, report.CredentialsCSV{}.Write(&file, sequence(outcomes())))
	rows := rowsOf(t, file.Bytes(), ',')
	require.Len(t, rows, len(registered)+1)
	require.Equal(t, []string{"last_name", "first_name", "patronymic", "login", "password", "group"}, rows[0])
	for i, row := range rows[1:] {
		for j, got := range row {
			require.NotContains(t, "=+-@＝", (got + " ")[:1])
			require.Equal(t, registered[i][j], string(csvfield.Restore([]byte(got))))
		}
	}

	file.Reset()
	require.NoError(t, report.CredentialsXLSX{Sentences: languages(t)["en"], Dir: t.TempDir()}.Write(&file, sequence(outcomes())))
	book, err := excelize.OpenReader(&file)
	require.NoError(t, err)
	defer book.Close()
	require.Equal(t, []string{"Credentials", "Rejections"}, book.GetSheetList())
	rows, err = book.GetRows("Credentials")
	require.NoError(t, err)
	require.Len(t, rows, len(registered)+1)
	for i, row := range rows[1:] {
		require.Equal(t, registered[i], append(row, make([]string, len(registered[i])-len(row))...))
	}
	rows, err = book.GetRows("Rejections")
	require.NoError(t, err)
	require.Len(t, rows, rejected+1)
	require.Equal(t, []string{"2", "17", "5А", "ivanov", "Login belongs to another user."}, rows[1])
}

func TestCredentialsXLSXByEncodingXML(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, report.CredentialsXLSX{Sentences: languages(t)["en"], Dir: t.TempDir()}.WithSheetRows(5).Write(&file, sequence(outcomes())))
	all := parts(t, file.Bytes())
	book := all["xl/workbook.xml"]
	names := make([]string, len(book.Sheets))
	for i, sheet := range book.Sheets {
		names[i] = sheet.Name
	}
	require.Equal(t, []string{"Credentials", "Credentials 2", "Credentials 3", "Credentials 4", "Rejections", "Rejections 2", "Rejections 3", "Rejections 4"}, names)
	require.Len(t, book.Filters, len(names))
	require.Equal(t, "Credentials!$A$1:$F$5", strings.ReplaceAll(book.Filters[0], "'", ""))
	for i := range names {
		sheet := all[fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)]
		require.Len(t, sheet.Panes, 1)
		require.Equal(t, "frozen", sheet.Panes[0].State)
		require.NotEmpty(t, sheet.Columns)
		for _, row := range sheet.Rows[1:] {
			for _, cell := range row.Cells {
				require.Nil(t, cell.Formula)
				require.Equal(t, cell.Text != "", cell.Type == "inlineStr")
			}
		}
	}
}

func TestErrorsOfCredentials(t *testing.T) {
	errBroken := errors.New("connection lost")
	for _, f := range outcomeFiles(t) {
		for name, first := range map[string]domain.Outcome{"registered": outcomes()[0], "rejected": outcomes()[1]} {
			t.Run(f.name+" "+name, func(t *testing.T) {
				err := f.writer.Write(io.Discard, breaks(t, first, errBroken))
				require.ErrorIs(t, err, errBroken)
				require.ErrorContains(t, err, "read outcomes")
			})
		}
		t.Run(f.name+" writer", func(t *testing.T) {
			var size counter
			require.NoError(t, f.writer.Write(&size, sequence(outcomes())))
			for _, room := range []int{0, 1, int(size) / 2, int(size) * 9 / 10} {
				require.ErrorIs(t, f.writer.Write(&narrow{room}, sequence(outcomes())), errFull)
			}
			require.ErrorIs(t, f.writer.Write(silent{}, sequence(outcomes())), io.ErrShortWrite)
		})
	}
}

// A workbook reads the outcomes twice, and the second time may fail.
func TestErrorOfSecondPass(t *testing.T) {
	errBroken := errors.New("connection lost")
	passes := 0
	err := report.CredentialsXLSX{Sentences: languages(t)["en"], Dir: t.TempDir()}.Write(io.Discard, func(yield func(domain.Outcome, error) bool) {
		passes++
		if yield(outcomes()[1], nil) && passes == 2 {
			yield(domain.Outcome{}, errBroken)
		}
	})
	require.ErrorIs(t, err, errBroken)
}
