package xlsx_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/xlsx"
	"rollcall/test/fake"
)

var limits = scan.Limits{Row: 1 << 10, Cell: 1 << 10}

// book returns a workbook with the cells of a sheet.
func book(t *testing.T, cells map[string]any) []byte {
	t.Helper()
	file := excelize.NewFile()
	defer file.Close()
	for cell, value := range cells {
		require.NoError(t, file.SetCellValue("Sheet1", cell, value))
	}
	var b bytes.Buffer
	require.NoError(t, file.Write(&b))
	return b.Bytes()
}

func open(t *testing.T, file io.ReaderAt, size int64) (*xlsx.Book, error) {
	t.Helper()
	spool := (&fake.Spools{}).New()
	t.Cleanup(func() { require.NoError(t, spool.Close()) })
	return xlsx.Open(io.NewSectionReader(file, 0, size), spool, 1<<20, limits)
}

func TestRows(t *testing.T) {
	file := book(t, map[string]any{
		"A1": "text", "C1": 7.5, "D1": true, "A2": time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC), "B4": strings.Repeat("é", 600), "AMK5": "beyond",
	})
	b, err := open(t, bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	var rows [][]scan.Cell
	var lines []int
	for row, err := range b.Rows(b.Sheets()[0]) {
		require.NoError(t, err)
		cells := []scan.Cell{}
		for _, cell := range row.Cells {
			cell.Text = bytes.Clone(cell.Text)
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
		lines = append(lines, row.Line)
	}
	require.Equal(t, [][]scan.Cell{
		{{Text: []byte("text")}, {}, {Text: []byte("7.5"), IsNumber: true}, {Text: []byte("TRUE")}},
		{{Text: []byte("2000-02-29"), Fault: scan.Date}},
		{{}, {Text: []byte(strings.Repeat("é", 512)), Cut: true}},
		{},
	}, rows, "rows without cells are missing in the sheet")
	require.Equal(t, []int{1, 2, 4, 5}, lines, "the last row has a cell to the right of MaxCells, which is no part of a table")
	require.Equal(t, "2000-02-29", string(b.Date([]byte("36585"))))
	require.Equal(t, "-1", string(b.Date([]byte("-1"))))
}

func TestReadingStops(t *testing.T) {
	file := book(t, map[string]any{"A1": 1, "A2": 2, "A3": 3})
	b, err := open(t, bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	seen := 0
	for range b.Rows(b.Sheets()[0]) {
		seen++
		if seen == 2 {
			break
		}
	}
	require.Equal(t, 2, seen)
}

// unreadable is a file whose bytes after a place cannot be read.
type unreadable struct {
	io.ReaderAt

	after int64
}

func (u unreadable) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > u.after {
		return 0, io.ErrClosedPipe
	}
	return u.ReaderAt.ReadAt(p, offset)
}

// An error of the file is not the error of a broken workbook.
func TestErrors(t *testing.T) {
	file := book(t, map[string]any{"A1": 1})
	_, err := open(t, unreadable{bytes.NewReader(file), int64(len(file)) / 2}, int64(len(file)))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	var broken *scan.SyntaxError
	require.NotErrorAs(t, err, &broken)
	_, err = open(t, bytes.NewReader(file[:len(file)/2]), int64(len(file)/2))
	require.ErrorAs(t, err, new(*scan.SyntaxError))
}
