package acceptance_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Everything that names a rejected record of a table names its line, too. A replay has the same lines.
func TestLinesOfRejectedRecords(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	const file = "last_name,first_name,patronymic,login,email\n\nKim,Anna,P,kim,k@example.com\nLi,Ann,P,li,\"no\nwhere\"\nXu,Jan,P,,x@example.com\n"
	post := func(file string, headers ...string) string {
		t.Helper()
		return p.post(t, file, append([]string{"Accept", mediaLines, "Content-Type", "text/csv"}, headers...)...).body
	}
	for range 2 {
		got := post(file, "Idempotency-Key", "once")
		require.Contains(t, got, `{"object_id":2,"line":4,"status":"rejected","login":"li",`)
		require.Contains(t, got, `{"object_id":3,"line":6,"status":"rejected","login":null,`)
	}
	got := p.post(t, file, "Accept", "application/problem+json", "Content-Type", "text/csv", "Prefer", "handling=strict", "Idempotency-Key", "strict").body
	require.Contains(t, got, `{"object_id":2,"line":4,"login":"li",`)
	require.Regexp(t, `^2line 4li.*3line 6not given`, b.Get(t, "/useradd/imports/1").Text(".rejections tbody"))
	require.Contains(t, b.download(t, "/useradd/export/json").body, `{"code_id":1,"object_id":2,"line":4,"login":"li",`)
	require.Contains(t, b.download(t, "/useradd/export/rejected.csv?import=1").body, `"2","4","","`)
	require.Contains(t, sheets(t, b.download(t, "/useradd/export/rejected.xlsx?import=1").body), `["3","6","",`)
	_, stdout, _ := command(t, "", "send", "--server", p.url, fileOf(t, "people.csv", file))
	require.Contains(t, stdout, "  record 3, line 6: Login is required.\n")

	for _, format := range []string{"json", "csv", "xlsx"} { // sent again, with an error left
		t.Run("rejected."+format, func(t *testing.T) {
			got := post(b.download(t, "/useradd/export/rejected."+format+"?import=1").body, "Content-Type", fileTypes[format])
			require.Contains(t, got, `"objects":2,"created":0,"rejected":2`)
			require.NotContains(t, got, `"ignored"`, "the importer knows the columns of the program")
		})
	}
}

var fileTypes = map[string]string{
	"json": "application/json", "csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// A rejected record of a workbook has its sheet and row.
func TestRowsOfRejectedRecords(t *testing.T) {
	const file = "testdata/cases/E05-error-cells/people.xlsx"
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	p := start(t)
	b := p.operator(t)
	got := p.post(t, string(content), "Accept", "application/problem+json", "Content-Type", fileTypes["xlsx"]).body
	require.Contains(t, got, `{"object_id":1,"line":2,"sheet":"Лист1","login":`)
	_, stdout, _ := command(t, "", "send", "--server", p.url, file)
	require.Contains(t, stdout, `  record 1, sheet "Лист1", row 2 (`)

	address := b.upload(t, "people.xlsx", string(content))
	require.Regexp(t, `^1sheet “Лист1”, row 2`, b.waitFor(t, address, headed(isChecked)).Text(".rejections tbody"))
	b.Get(t, "/?lang=ru")
	require.Regexp(t, `^1лист «Лист1», строка 2`, b.Get(t, address).Text(".rejections tbody"))
}
