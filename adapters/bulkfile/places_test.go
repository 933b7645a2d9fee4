package bulkfile_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"

	"rollcall/domain"
	"rollcall/ports"
)

// Each record of a table or of NDJSON has the line of the file or the row of the sheet where it begins. An element of a JSON array has none.
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
		{"one object", "\n{}", []int{0}},
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
		})
		got, err := candidatesOf(file, ports.FileHint{})
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Equal(t, domain.Place{Sheet: "5А", Line: 4}, got[0].Place)
		require.Equal(t, domain.Place{Sheet: "5А", Line: 6}, got[1].Place)
	})
}
