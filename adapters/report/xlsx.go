package report

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"rollcall/adapters/internal/disk"
	"rollcall/domain"
	"rollcall/ports"
)

// XLSX writes a report as a workbook with a sheet for each table. A table that is too long for a sheet goes on in a next
// one. Texts are no formulas, whatever they begin with, and one that is too long for a cell is cut.
type XLSX struct {
	Location *time.Location // of dates, which have none of their own; nil for UTC
	Dir      string         // where sheets wait for their turn, empty for the system's temporary folder

	sheetRows int // how many rows a sheet has, zero for Excel's own limit
}

// RejectedXLSX writes the refused objects of one import as a workbook with the columns of RejectedCSV, to be mended and
// sent again. Its cells are texts and stay so when they are edited.
//
// It ranges over the rejections only.
type RejectedXLSX struct {
	Dir string // where sheets wait for their turn, empty for the system's temporary folder

	sheetRows int // see XLSX
}

const (
	// sheetText is how much text a sheet holds, in bytes: escaped, and with what stands around it, it is below 4 GiB.
	// Excel takes a larger part of an archive only if it is announced in front of it, when its size is not known yet.
	sheetText = 512 << 20

	ellipsis = "…"
)

// Write implements ports.ReportWriter.
func (x XLSX) Write(w io.Writer, report ports.Report) error {
	return writeWorkbook(w, x.Dir, x.sheetRows, func(book *workbook) error {
		sheets := book.table(codes)
		err := each("imports", report.Imports, func(i *domain.Import) error {
			// Fractions of a second would be rounded up to one that is not yet over.
			date := local(i.Date, x.Location).Truncate(time.Second)
			return sheets.add(i.ID, i.Status, i.Method, date, i.Description)
		})
		if err == nil {
			err = sheets.end()
		}
		if err != nil {
			return err
		}
		sheets = book.table(badUsers)
		err = each("rejections", report.Rejections, func(r *domain.Rejection) error {
			return sheets.add(r.Import, r.Record, r.Login, r.Description)
		})
		if err != nil {
			return err
		}
		return sheets.end()
	})
}

// Write implements ports.ReportWriter.
func (x RejectedXLSX) Write(w io.Writer, report ports.Report) error {
	return writeWorkbook(w, x.Dir, x.sheetRows, func(book *workbook) error {
		sheets := book.table(rejected)
		var original originalReader
		row := make([]any, 0, len(rejected.columns))
		err := each("rejections", report.Rejections, func(r *domain.Rejection) error {
			row = append(row[:0], r.Record, r.Description)
			person := original.person(r)
			for _, field := range domain.PersonColumns() {
				row = append(row, string(person[field]))
			}
			return sheets.add(row...)
		})
		if err != nil {
			return err
		}
		return sheets.end()
	})
}

// workbook is a workbook being written.
type workbook struct {
	file      *excelize.File
	sheetRows int
	sheets    int

	header int          // the style of the first row
	styles map[kind]int // of columns, where they have one
}

// writeWorkbook writes a workbook, with the tables that fill puts in.
func writeWorkbook(w io.Writer, dir string, sheetRows int, fill func(*workbook) error) (err error) {
	// In a folder that it cannot write to, excelize would use memory instead.
	dir, err = os.MkdirTemp(dir, "xlsx-")
	if err != nil {
		return fmt.Errorf("make folder for sheets: %w", disk.Error(err))
	}
	file := excelize.NewFile(excelize.Options{TmpDir: dir})
	defer func() { err = errors.Join(err, file.Close(), os.RemoveAll(dir)) }()
	if sheetRows == 0 {
		sheetRows = excelize.TotalRows
	}
	book := &workbook{file: file, sheetRows: sheetRows}
	err = book.setUp()
	if err != nil {
		return fmt.Errorf("set up workbook: %w", err)
	}
	err = fill(book)
	if err != nil {
		return err
	}
	// Of its own accord excelize gathers the whole archive in memory, compressed as small as can be.
	file.SetZipWriter(func(io.Writer) excelize.ZipWriter {
		archive := zip.NewWriter(w)
		archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
			return flate.NewWriter(w, flate.BestSpeed)
		})
		return archive
	})
	_, err = file.WriteToBuffer()
	if err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

func (b *workbook) setUp() error {
	err := b.file.SetDocProps(&excelize.DocProperties{Creator: "Rollcall"})
	if err != nil {
		return err
	}
	b.header, err = b.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	b.styles = map[kind]int{}
	for kind, format := range map[kind]string{date: "yyyy-mm-dd hh:mm:ss", entry: "@"} {
		b.styles[kind], err = b.file.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *workbook) table(looks table) *sheets {
	return &sheets{book: b, table: looks, cells: make([]any, len(looks.columns))}
}

// sheets is a table in a workbook, on as many sheets as it needs.
type sheets struct {
	table

	book   *workbook
	number int // of the sheet that is being written, 0 before the first
	name   string
	stream *excelize.StreamWriter
	rows   int   // on the sheet
	size   int   // of the texts on it, in bytes
	cells  []any // of the row
}

// add writes a row.
func (s *sheets) add(row ...any) error {
	if s.stream == nil || s.rows >= s.book.sheetRows || s.size >= sheetText {
		err := s.next()
		if err != nil {
			return err
		}
	}
	for i, value := range row {
		text, isText := value.(string)
		switch {
		case !isText:
			s.cells[i] = value
		case text == "":
			s.cells[i] = nil
		default:
			s.cells[i] = cut(text)
			s.size += min(len(text), 4*excelize.TotalCellChars)
		}
	}
	return s.set()
}

// set writes the cells.
func (s *sheets) set(options ...excelize.RowOpts) error {
	s.rows++
	err := s.stream.SetRow("A"+strconv.Itoa(s.rows), s.cells, options...)
	if err != nil {
		return fmt.Errorf("write row %d of %q: %w", s.rows, s.name, disk.Error(err))
	}
	return nil
}

// next ends the sheet and begins the next.
func (s *sheets) next() error {
	if s.stream != nil {
		err := s.end()
		if err != nil {
			return err
		}
	}
	s.number++
	s.rows, s.size = 0, 0
	s.name = s.title
	if s.number > 1 {
		s.name = fmt.Sprintf("%s %d", s.title, s.number)
	}
	err := s.begin()
	if err != nil {
		return fmt.Errorf("begin sheet %q: %w", s.name, err)
	}
	for i, column := range s.columns {
		s.cells[i] = column.name
	}
	return s.set(excelize.RowOpts{StyleID: s.book.header})
}

// begin makes the sheet. Everything but the rows and the filter must stand in front of the rows.
func (s *sheets) begin() error {
	file := s.book.file
	var err error
	if s.book.sheets == 0 {
		err = file.SetSheetName(file.GetSheetName(0), s.name)
	} else {
		_, err = file.NewSheet(s.name)
	}
	if err != nil {
		return err
	}
	s.book.sheets++
	s.stream, err = file.NewStreamWriter(s.name)
	if err != nil {
		return err
	}
	err = s.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	if err != nil {
		return err
	}
	for i, column := range s.columns {
		err = s.stream.SetColWidth(i+1, i+1, column.width)
		if err != nil {
			return err
		}
		err = s.stream.SetColStyle(i+1, i+1, s.book.styles[column.kind])
		if err != nil {
			return err
		}
	}
	return nil
}

// end ends the sheet.
func (s *sheets) end() error {
	if s.stream == nil { // there were no rows
		err := s.next()
		if err != nil {
			return err
		}
	}
	last, err := excelize.CoordinatesToCellName(len(s.columns), s.rows)
	if err == nil {
		err = s.book.file.AutoFilter(s.name, "A1:"+last, nil)
	}
	if err == nil {
		err = s.stream.Flush()
	}
	if err != nil {
		return fmt.Errorf("end sheet %q: %w", s.name, disk.Error(err))
	}
	return nil
}

// cut cuts a text to what a cell holds. Excel counts in UTF-16.
func cut(text string) string {
	if len(text) <= excelize.TotalCellChars {
		return text
	}
	units, end := 0, 0
	for i, r := range text {
		if units < excelize.TotalCellChars {
			end = i
		}
		units += utf16.RuneLen(r)
		if units > excelize.TotalCellChars {
			return text[:end] + ellipsis
		}
	}
	return text
}
