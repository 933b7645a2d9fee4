package report_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/report"
	"rollcall/domain"
)

// cells returns the cells of a workbook as text: place, type and value of each.
func cells(t *testing.T, file []byte) []byte {
	t.Helper()
	types := map[excelize.CellType]string{
		excelize.CellTypeUnset: "number", excelize.CellTypeInlineString: "text", excelize.CellTypeFormula: "formula",
	}
	book, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	defer book.Close()
	var shown bytes.Buffer
	for _, sheet := range book.GetSheetList() {
		fmt.Fprintf(&shown, "%s\n", sheet)
		rows, err := book.GetRows(sheet)
		require.NoError(t, err)
		for i, row := range rows {
			for j, value := range row {
				if value == "" {
					continue
				}
				cell, err := excelize.CoordinatesToCellName(j+1, i+1)
				require.NoError(t, err)
				kind, err := book.GetCellType(sheet, cell)
				require.NoError(t, err)
				fmt.Fprintf(&shown, "  %-4s %-6s %q\n", cell, types[kind], value)
			}
		}
	}
	return shown.Bytes()
}

// workbooks returns a workbook of each kind.
func workbooks(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, f := range formats(t) {
		if strings.HasSuffix(f.name, ".xlsx") {
			all[f.name] = write(t, f.writer, of(t, imports(), rejections()))
		}
	}
	words := languages(t)["en"]
	var template, credentials bytes.Buffer
	require.NoError(t, report.TemplateXLSX{Dir: t.TempDir()}.Write(&template, words))
	require.NoError(t, report.CredentialsXLSX{Sentences: words, Dir: t.TempDir()}.Write(&credentials, sequence(outcomes())))
	all["template"], all["credentials"] = template.Bytes(), credentials.Bytes()
	return all
}

// openpyxl reads the same cells from a stream of a workbook as excelize, which writes it.
func TestXLSXByOpenpyxl(t *testing.T) {
	for name, file := range workbooks(t) {
		t.Run(name, func(t *testing.T) { require.Equal(t, string(cells(t, file)), openpyxl(t, file)) })
	}
}

// xlsx2csv, which reads a workbook as a stream, too, finds all rows and columns.
func TestXLSXByXlsx2csv(t *testing.T) {
	for name, file := range workbooks(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "book.xlsx")
			require.NoError(t, os.WriteFile(path, file, 0o600))
			book, err := excelize.OpenReader(bytes.NewReader(file))
			require.NoError(t, err)
			defer book.Close()
			for i, sheet := range book.GetSheetList() {
				want, err := book.GetRows(sheet)
				require.NoError(t, err)
				out, err := exec.CommandContext(t.Context(), "xlsx2csv", "--sheet", strconv.Itoa(i+1), path).Output()
				require.NoError(t, err, `xlsx2csv is missing; install it: eval "$(.ci/install xlsx2csv)"`)
				got, err := csv.NewReader(bytes.NewReader(out)).ReadAll() // all rows have the same number of fields
				require.NoError(t, err)
				require.Len(t, got, len(want))
				require.Equal(t, want[0], got[0])
				for j := range want {
					if len(want[j]) > 0 {
						require.Equal(t, want[j][0], got[j][0])
					}
				}
			}
		})
	}
}

// openpyxl returns the cells of a workbook, as cells does, by openpyxl.
func openpyxl(t *testing.T, file []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "book.xlsx")
	require.NoError(t, os.WriteFile(name, file, 0o600))
	var out []byte
	var err error
	for _, python := range []string{"python3", "/usr/bin/python3"} { // the first may be an environment of the user, without the module
		out, err = exec.CommandContext(t.Context(), python, "testdata/cells.py", name).Output()
		if err == nil {
			break
		}
	}
	require.NoError(t, err, `openpyxl is missing; install it: eval "$(.ci/install openpyxl)"`)
	var shown strings.Builder
	for line := range strings.Lines(string(out)) {
		var read struct {
			Sheet, Cell, Kind, Value, Dimension string
			Frozen, Filter                      *string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &read))
		if read.Sheet != "" {
			fmt.Fprintf(&shown, "%s\n", read.Sheet)
			require.NotNil(t, read.Frozen)
			require.Equal(t, "A2", *read.Frozen)
			require.NotNil(t, read.Filter)
			require.Equal(t, strings.ReplaceAll(*read.Filter, "$", ""), read.Dimension, "of the sheet as a stream")
			continue
		}
		fmt.Fprintf(&shown, "  %-4s %-6s %q\n", read.Cell, read.Kind, read.Value)
	}
	return shown.String()
}

// A part is a part of a workbook, with the elements that tests read.
type part struct {
	Sheets []struct {
		Name string `xml:"name,attr"`
	} `xml:"sheets>sheet"`
	Filters []string `xml:"definedNames>definedName"`
	Panes   []struct {
		State  string `xml:"state,attr"`
		YSplit string `xml:"ySplit,attr"`
	} `xml:"sheetViews>sheetView>pane"`
	Columns []struct {
		Width float64 `xml:"width,attr"`
	} `xml:"cols>col"`
	Rows []struct {
		Cells []struct {
			Place   string  `xml:"r,attr"`
			Type    string  `xml:"t,attr"`
			Style   int     `xml:"s,attr"`
			Value   string  `xml:"v"`
			Text    string  `xml:"is>t"`
			Formula *string `xml:"f"`
		} `xml:"c"`
	} `xml:"sheetData>row"`
	Dimension struct {
		Range string `xml:"ref,attr"`
	} `xml:"dimension"`
	AutoFilter struct {
		Range string `xml:"ref,attr"`
	} `xml:"autoFilter"`
	Formats []struct {
		ID   int    `xml:"numFmtId,attr"`
		Code string `xml:"formatCode,attr"`
	} `xml:"numFmts>numFmt"`
	Fonts []struct {
		Bold *struct{} `xml:"b"`
	} `xml:"fonts>font"`
	Styles []struct {
		Format int `xml:"numFmtId,attr"`
		Font   int `xml:"fontId,attr"`
	} `xml:"cellXfs>xf"`
}

// parts reads a workbook strictly, and without excelize.
func parts(t *testing.T, file []byte) map[string]part {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	all := map[string]part{}
	for _, f := range archive.File {
		r, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		decoder := xml.NewDecoder(bytes.NewReader(text))
		for err == nil {
			_, err = decoder.Token()
		}
		require.ErrorIs(t, err, io.EOF, f.Name)
		var p part
		require.NoError(t, xml.Unmarshal(text, &p), f.Name)
		require.NotContains(t, all, f.Name)
		all[f.Name] = p
	}
	return all
}

func TestXLSXByEncodingXML(t *testing.T) {
	all := parts(t, write(t, report.XLSX{Location: moscow, Dir: t.TempDir()}.WithSheetRows(20), of(t, imports(), rejections())))
	require.Contains(t, all, "[Content_Types].xml")

	book := all["xl/workbook.xml"]
	require.Len(t, book.Sheets, 3)
	require.Equal(t, "Response status codes", book.Sheets[0].Name)
	require.Equal(t, "Bad request users", book.Sheets[1].Name)
	require.Equal(t, "Bad request users 2", book.Sheets[2].Name)
	require.Equal(t, []string{"'Response status codes'!$A$1:$F$4", "'Bad request users'!$A$1:$D$20", "'Bad request users 2'!$A$1:$D$16"}, book.Filters)

	codes := all["xl/worksheets/sheet1.xml"]
	require.Equal(t, "$A$1:$F$4", codes.AutoFilter.Range)
	require.Len(t, codes.Columns, 6)
	require.Len(t, codes.Panes, 1)
	require.Equal(t, "frozen", codes.Panes[0].State)
	require.Equal(t, "1", codes.Panes[0].YSplit)

	styles := all["xl/styles.xml"]
	for _, cell := range codes.Rows[0].Cells {
		require.NotNil(t, styles.Fonts[styles.Styles[cell.Style].Font].Bold)
	}
	require.Len(t, codes.Rows, 4)
	row := codes.Rows[1].Cells
	require.Len(t, row, 6)
	for i, kind := range []string{"", "", "inlineStr", "", "inlineStr", "inlineStr"} {
		require.Equal(t, kind, row[i].Type)
	}
	require.Equal(t, "7", row[0].Value)
	require.Equal(t, "46086.041655092595", row[3].Value) // 2026-03-05 00:59:59
	format := ""
	for _, f := range styles.Formats {
		if f.ID == styles.Styles[row[3].Style].Format {
			format = f.Code
		}
	}
	require.Equal(t, "yyyy-mm-dd hh:mm:ss", format)

	for name, p := range all {
		for _, row := range p.Rows {
			for _, cell := range row.Cells {
				require.Nil(t, cell.Formula, name)
				require.Equal(t, cell.Text != "", cell.Type == "inlineStr", name)
			}
		}
	}
	require.Equal(t, "=1+1", codes.Rows[3].Cells[2].Text)
	logins := map[string]bool{}
	for _, sheet := range []string{"sheet2", "sheet3"} {
		for _, row := range all["xl/worksheets/"+sheet+".xml"].Rows[1:] {
			logins[row.Cells[2].Text] = true
		}
	}
	for _, login := range []string{"=1+1", "+7", "-1", "@x", "\t=1", "\r=1", "名字"} {
		require.Contains(t, logins, login)
	}
}

func TestXLSXLongTexts(t *testing.T) {
	const most = 32_767
	for _, text := range []string{
		strings.Repeat("a", most), strings.Repeat("a", 40_000), strings.Repeat("й", most), strings.Repeat("й", 40_000),
		strings.Repeat("🙂", most/2) + "a", strings.Repeat("🙂", most/2+1), "a" + strings.Repeat("🙂", 40_000), strings.Repeat("\xff", 40_000),
	} {
		all := parts(t, write(t, report.XLSX{Dir: t.TempDir()}, of(t, nil, []domain.Rejection{{Import: 1, Record: 1, Login: "x", Description: text}})))
		got := all["xl/worksheets/sheet2.xml"].Rows[1].Cells[3].Text
		text = strings.Join(strings.Split(strings.ReplaceAll(text, "\xff", "\ufffd"), ""), "")
		if len(utf16.Encode([]rune(text))) <= most {
			require.Equal(t, text, got, "the text fits into a cell")
			continue
		}
		cut, isCut := strings.CutSuffix(got, "…")
		require.True(t, isCut)
		require.True(t, strings.HasPrefix(text, cut))
		units := len(utf16.Encode([]rune(got)))
		require.LessOrEqual(t, units, most)
		require.GreaterOrEqual(t, units, most-1)
	}
}

func TestXLSXFolderIsMissing(t *testing.T) {
	err := report.XLSX{Dir: filepath.Join(t.TempDir(), "missing")}.Write(io.Discard, of(t, imports(), nil))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Temporary files are removed when the workbook is complete, and after an error.
func TestXLSXRemovesTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	errBroken := errors.New("connection lost")
	long := domain.Rejection{Login: "x", Description: strings.Repeat("a", 30_000)}
	for _, last := range []error{nil, errBroken} {
		r := of(t, nil, nil)
		r.Rejections = func(yield func(domain.Rejection, error) bool) {
			for range 600 { // 18 MB
				if !yield(long, nil) {
					return
				}
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
			require.NotEmpty(t, files)
			if last != nil {
				yield(long, last)
			}
		}
		var file bytes.Buffer
		require.ErrorIs(t, report.XLSX{Dir: dir}.Write(&file, r), last)
		if last == nil {
			archive, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
			require.NoError(t, err)
			sheet, err := fs.ReadFile(archive, "xl/worksheets/sheet2.xml")
			require.NoError(t, err)
			require.True(t, bytes.Contains(sheet, []byte(`<dimension ref="A1:D601"`)))
		}
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	}
}
