package report_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/internal/csvfield"
	"rollcall/adapters/report"
	"rollcall/domain"
)

// rowsOf reads a CSV file with encoding/csv.
func rowsOf(t *testing.T, file []byte, delimiter rune) [][]string {
	t.Helper()
	file, found := bytes.CutPrefix(file, []byte("\ufeff"))
	require.True(t, found)
	reader := csv.NewReader(bytes.NewReader(file))
	reader.Comma = delimiter
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	return rows
}

// Files for readers of Russian have the same rows, separated by semicolons.
func TestCSVInRussian(t *testing.T) {
	for _, f := range formats(t) {
		if !strings.HasSuffix(f.name, ".csv") {
			continue
		}
		want := rowsOf(t, write(t, f.writer, of(t, imports(), rejections())), ',')
		r := of(t, imports(), rejections())
		r.Language = "ru"
		require.Equal(t, want, rowsOf(t, write(t, f.writer, r), ';'), f.name)
	}
	var english, russian bytes.Buffer
	require.NoError(t, report.CredentialsCSV{Language: "en"}.Write(&english, sequence(outcomes())))
	require.NoError(t, report.CredentialsCSV{Language: "ru"}.Write(&russian, sequence(outcomes())))
	require.Equal(t, rowsOf(t, english.Bytes(), ','), rowsOf(t, russian.Bytes(), ';'))
}

// encoding/csv reads the same texts, but for apostrophes.
func TestCSVByAnotherReader(t *testing.T) {
	long := domain.Rejection{Import: 1, Record: 2, Login: strings.Repeat(`"`, 40_000), Description: strings.Repeat("й", 40_000)}
	want := append(rejections(), long)
	rows := rowsOf(t, write(t, report.BadUsersCSV{}, of(t, nil, want)), ',')
	require.Len(t, rows, len(want)+1)
	for i, row := range rows[1:] {
		for column, text := range []string{want[i].Login, want[i].Description} {
			got := row[2+column]
			require.NotContains(t, "=+-@\t\r", (got + " ")[:1])
			require.Equal(t, text, string(csvfield.Restore([]byte(got))))
		}
	}
}
