package csv_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/csv"
)

var wide = scan.Limits{Row: 1 << 10, Cell: 1 << 10}

// rows returns the texts of all rows; a broken row ends in "!".
func rows(t *testing.T, r io.Reader, limits scan.Limits) (all [][]string) {
	t.Helper()
	for row, err := range csv.Rows(r, ',', limits) {
		require.NoError(t, err)
		texts := []string{}
		for _, cell := range row.Cells {
			texts = append(texts, string(cell.Text))
		}
		if row.Broken {
			texts = append(texts, "!")
		}
		all = append(all, texts)
	}
	return all
}

func TestRows(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want [][]string
	}{
		"empty file":            {"", nil},
		"line breaks":           {"a\nb\rc\r\nd", [][]string{{"a"}, {"b"}, {"c"}, {"d"}}},
		"blank lines":           {"\n\na\n", [][]string{{""}, {""}, {"a"}}},
		"empty cells":           {",a,\n", [][]string{{"", "a", ""}}},
		"quotes":                {"\"a,b\",\"c\nd\"\"e\"\n", [][]string{{"a,b", "c\nd\"e"}}},
		"quote in a text":       {"a\"b,c\n", [][]string{{"a\"b", "c"}}},
		"text after a quote":    {"\"a\"b,c\nd\n", [][]string{{"ab", "c", "!"}, {"d"}}},
		"quote without its end": {"a\n\"b\nc", [][]string{{"a"}, {"b\nc", "!"}}},
		"too many cells":        {strings.Repeat(",", scan.MaxCells) + "\na\n", [][]string{append(make([]string, scan.MaxCells), "!"), {"a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, rows(t, strings.NewReader(c.file), wide))
			require.Equal(t, c.want, rows(t, iotest.OneByteReader(strings.NewReader(c.file)), wide))
		})
	}
}

// A cell is cut if it exceeds both limits, before a character that would be divided.
func TestLimits(t *testing.T) {
	limits := scan.Limits{Row: 6, Cell: 3}
	require.Equal(t, [][]string{{"abcdef"}, {"abcd", "efg", "hij"}, {"éé", "é"}}, rows(t, strings.NewReader("abcdefg\nabcd,efgh,hij\néé,éé\n"), limits))
	cut, malformed := []bool{}, []bool{}
	for row := range csv.Rows(strings.NewReader("abcdef,gh,ijkl,\xff\n"), ',', limits) {
		for _, cell := range row.Cells {
			cut, malformed = append(cut, cell.Cut), append(malformed, cell.Malformed)
		}
	}
	require.Equal(t, []bool{false, false, true, false}, cut)
	require.Equal(t, []bool{false, false, false, true}, malformed)
}

func TestReadingStops(t *testing.T) {
	for range csv.Rows(iotest.ErrReader(io.ErrClosedPipe), ',', wide) {
		break
	}
	seen := 0
	for row := range csv.Rows(strings.NewReader("a\nb\nc\n"), ',', wide) {
		seen++
		require.Len(t, row.Cells, 1)
		if seen == 2 {
			break
		}
	}
	require.Equal(t, 2, seen)
}

func TestErrorOfReader(t *testing.T) {
	for _, file := range []string{"", "a", "a\n", "\"a", "a,"} {
		t.Run(file, func(t *testing.T) {
			var last error
			for _, err := range csv.Rows(io.MultiReader(strings.NewReader(file), iotest.ErrReader(io.ErrClosedPipe)), ',', wide) {
				last = err
			}
			require.ErrorIs(t, last, io.ErrClosedPipe)
		})
	}
}
