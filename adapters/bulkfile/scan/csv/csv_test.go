package csv_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/csv"
)

var wide = scan.Limits{Row: 1 << 10, Cell: 1 << 10}

// rows returns the texts of all rows; a broken row ends in "!".
func rows(t require.TestingT, r io.Reader, limits scan.Limits) (all [][]string) {
	width := 0
	for row, err := range csv.Rows(r, ',', limits, &width) {
		require.NoError(t, err)
		if width == 0 {
			width = len(row.Cells)
		}
		all = append(all, texts(row))
	}
	return all
}

func texts(row scan.Row) []string {
	all := []string{}
	for _, cell := range row.Cells {
		all = append(all, string(cell.Text))
	}
	if row.Broken {
		all = append(all, "!")
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
		"quote without its end": {"a\n\"b\nc", [][]string{{"a"}, {"b", "!"}, {"c"}}},
		"quote at the end":      {"a,b\nc,\"d,e", [][]string{{"a", "b"}, {"c", "d", "e", "!"}}},
		"one quote":             {"a,b,c\nd,\"e,f\ng,h,i\nj,k,l\nm,n,o\n", [][]string{{"a", "b", "c"}, {"d", "e", "f", "!"}, {"g", "h", "i"}, {"j", "k", "l"}, {"m", "n", "o"}}},
		"quotes far apart":      {"a,b,c\nd,\"e,f\ng,h,i\nj,k\",l\n", [][]string{{"a", "b", "c"}, {"d", "e", "f", "!"}, {"g", "h", "i"}, {"j", "k\"", "l"}}},
		"quotes of two lines":   {"a,b,c\nd,e,\"f\n\"g,h,i\n", [][]string{{"a", "b", "c"}, {"d", "e", "f", "!"}, {"g", "h", "i", "!"}}},
		"quotes of one line":    {"a,b,c,d\ne,\"f,g\",h\n", [][]string{{"a", "b", "c", "d"}, {"e", "f,g", "h", "!"}}},
		"a quote, then a text":  {"a,b\n\"c,d\ne,\"f\ng\"\nh,\"i\"\n", [][]string{{"a", "b"}, {"c", "d", "!"}, {"e", "f\ng"}, {"h", "i"}}},
		"delimiters in a text":  {"a,b,c\nd,\"e,f\n\n, g\",h\r\ni,\"j, k\"\n", [][]string{{"a", "b", "c"}, {"d", "e,f\n\n, g", "h"}, {"i", "j, k"}}},
		"blanks around quotes":  {" \"a\" ,\t\"b\"\t, c ,\" d \"\n", [][]string{{"a", "b", " c ", " d "}}},
		"texts of spreadsheets": {"=\"007\",=\"a,\"\"b\",=1\n", [][]string{{"007", "a,\"b", "=1"}}},
		"too many cells":        {strings.Repeat(",", scan.MaxCells) + "b\na\n", [][]string{append(make([]string, scan.MaxCells), "!"), {"a"}}},
		"too many blank cells":  {strings.Repeat(", ", 16*scan.MaxCells) + "\n", [][]string{append([]string{""}, slices.Repeat([]string{" "}, scan.MaxCells-1)...)}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, rows(t, strings.NewReader(c.file), wide))
			require.Equal(t, c.want, rows(t, iotest.OneByteReader(strings.NewReader(c.file)), wide))
		})
	}
}

// A row whose first line is followed by more than the scanner reads ahead is broken, and each line has a row.
func TestLongSpan(t *testing.T) {
	lines := strings.Repeat("x\n", 100_000)
	got := rows(t, strings.NewReader("a,b\nc,\""+lines+"\"\n"), wide)
	require.Len(t, got, 100_002)
	require.Equal(t, []string{"c", "x", "!"}, got[1])
	got = rows(t, strings.NewReader("a,b\nc,\""+lines[:64<<10]+"\"\nd,e\n"), scan.Limits{Row: 1 << 20})
	require.Equal(t, [][]string{{"a", "b"}, {"c", lines[:64<<10]}, {"d", "e"}}, got)
	got = rows(t, strings.NewReader("a,b\n\"c,d\n"+strings.Repeat("e,f\n", 100_000)), wide)
	require.Len(t, got, 100_002)
	require.Equal(t, []string{"c", "d", "!"}, got[1])
}

// Stray quotes in a table break no line but their own, and every line is in exactly one row.
func TestStrayQuotes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const columns = 4
		var lines []string // rows, of which some have several lines
		for n := range rapid.IntRange(2, 12).Draw(t, "rows") {
			cells := []string{}
			for column := range columns {
				cell := fmt.Sprintf("r%dc%d", n, column)
				switch rapid.IntRange(0, 8).Draw(t, "kind") {
				case 0:
					cell = `"` + cell + `"`
				case 1:
					cell = `"` + cell + `, and ""so"" on"`
				case 2:
					cell = `"` + cell + "\nmore\n" + `and more"`
				}
				cells = append(cells, cell)
			}
			lines = append(lines, strings.Join(cells, ","))
		}
		lines[0] = "a,b,c,d"
		want := rows(t, strings.NewReader(strings.Join(lines, "\n")), wide)
		require.Len(t, want, len(lines))
		strays := map[int]bool{}
		for range rapid.IntRange(0, 3).Draw(t, "strays") {
			n := rapid.IntRange(1, len(lines)-1).Draw(t, "row")
			if strays[n] {
				continue
			}
			strays[n] = true
			at := rapid.IntRange(0, len(lines[n])).Draw(t, "place")
			lines[n] = lines[n][:at] + `"` + lines[n][at:]
		}
		file := strings.Join(lines, "\n")
		next, got, width := 1, map[int][]string{}, columns
		for row, err := range csv.Rows(strings.NewReader(file), ',', wide, &width) {
			require.NoError(t, err)
			require.GreaterOrEqual(t, row.Line, next)
			next = row.Line + 1
			got[row.Line] = texts(row)
		}
		line := 1
		for n, row := range lines {
			if !strays[n] {
				require.Equal(t, want[n], got[line], "line %d of\n%s", line, file)
			}
			line += 1 + strings.Count(row, "\n")
		}
	})
}

// A cell is cut if it exceeds both limits, before a character that would be divided.
func TestLimits(t *testing.T) {
	limits := scan.Limits{Row: 6, Cell: 3}
	require.Equal(t, [][]string{{"abcdef"}, {"abcd", "efg", "hij"}, {"éé", "é"}}, rows(t, strings.NewReader("abcdefg\nabcd,efgh,hij\néé,éé\n"), limits))
	cut, malformed := []bool{}, []bool{}
	for row := range csv.Rows(strings.NewReader("abcdef,gh,ijkl,\xff\n"), ',', limits, new(int)) {
		for _, cell := range row.Cells {
			cut, malformed = append(cut, cell.Cut), append(malformed, cell.Malformed)
		}
	}
	require.Equal(t, []bool{false, false, true, false}, cut)
	require.Equal(t, []bool{false, false, false, true}, malformed)
}

func TestReadingStops(t *testing.T) {
	for range csv.Rows(iotest.ErrReader(io.ErrClosedPipe), ',', wide, new(int)) {
		break
	}
	seen := 0
	for row := range csv.Rows(strings.NewReader("a\nb\nc\n"), ',', wide, new(int)) {
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
			for _, err := range csv.Rows(io.MultiReader(strings.NewReader(file), iotest.ErrReader(io.ErrClosedPipe)), ',', wide, new(int)) {
				last = err
			}
			require.ErrorIs(t, last, io.ErrClosedPipe)
		})
	}
}

// FuzzRows proves that every line is in exactly one row: the text of a row is that of the lines from its own up to that of the next row.
func FuzzRows(f *testing.F) {
	f.Add("a,b\r\n\"c\nd\",\"e\r\r\nf,=\"0\"\n\n\"g\"h", uint8(2))
	f.Add("a,\"b\nc,d\"\ne,\"f,g\n\"\n\"", uint8(3))
	lineBreaks := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	withoutSyntax := strings.NewReplacer(`"`, "", ",", "", "=", "", " ", "", "\t", "", "\r", "", "\n", "")
	f.Fuzz(func(t *testing.T, file string, columns uint8) {
		if !utf8.ValidString(file) || len(file) >= wide.Cell { // cells are cut
			return
		}
		lines := strings.Split(strings.TrimSuffix(lineBreaks.Replace(file), "\n"), "\n")
		begins, contents, width := []int{}, []string{}, int(columns)
		for row, err := range csv.Rows(strings.NewReader(file), ',', wide, &width) {
			require.NoError(t, err)
			row.Broken = false
			begins, contents = append(begins, row.Line), append(contents, strings.Join(texts(row), ""))
		}
		if file == "" {
			require.Empty(t, begins)
			return
		}
		require.Equal(t, 1, begins[0])
		for i, content := range contents {
			end := len(lines) + 1
			if i+1 < len(begins) {
				end = begins[i+1]
			}
			require.Less(t, begins[i], end)
			want := strings.Join(lines[begins[i]-1:end-1], "")
			require.Equal(t, withoutSyntax.Replace(want), withoutSyntax.Replace(content), "lines %d to %d", begins[i], end-1)
		}
	})
}
