package report

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"rollcall/adapters/internal/disk"
	"rollcall/domain"
	"rollcall/ports"
)

// XLSX writes a report as a workbook with a sheet for each table. A table that is too long for a sheet continues on another one.
// Texts are never formulas, whatever they begin with, and a text that is too long for a cell is cut.
type XLSX struct {
	Location *time.Location // of dates, which have none in a workbook; nil for UTC
	Dir      string         // for temporary files; empty for the system's temporary folder

	sheetRows int // maximum number of rows of a sheet; 0 means Excel's limit
}

// RejectedXLSX writes the rejected records of one import as a workbook with the columns of RejectedCSV, to be corrected and sent
// again. Its cells have the format of text, and keep it when they are edited. It does not read the imports.
type RejectedXLSX struct {
	Dir string // for temporary files; empty for the system's temporary folder

	sheetRows int // see XLSX
}

// CredentialsXLSX writes the outcomes of an import as a workbook: a sheet with the rows of CredentialsCSV, and one with the rejected
// records and their reasons. It reads the outcomes twice.
type CredentialsXLSX struct {
	Sentences ports.Sentences
	Dir       string // for temporary files; empty for the system's temporary folder

	sheetRows int // see XLSX
}

const (
	// sheetText is how many bytes of text a sheet may have. With escapes and tags its part is smaller than 4 GiB. Excel reads a larger
	// part only if its size precedes it in the archive, and the size is not known in time.
	sheetText = 512 << 20

	ellipsis = "…"
)

// Write implements ports.ReportWriter.
func (x XLSX) Write(w io.Writer, report ports.Report) error {
	return writeWorkbook(w, x.Dir, x.sheetRows, func(book *workbook) error {
		err := addTable(book, codesIn(x.Location), "imports", report.Imports)
		if err != nil {
			return err
		}
		return addTable(book, badUsers, "rejections", report.Rejections)
	})
}

// Write implements ports.ReportWriter.
func (x RejectedXLSX) Write(w io.Writer, report ports.Report) error {
	return writeWorkbook(w, x.Dir, x.sheetRows, func(book *workbook) error {
		return addTable(book, rejected, "rejections", rejectedRecords(report.Rejections))
	})
}

// Write implements ports.OutcomeWriter.
func (x CredentialsXLSX) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	return writeWorkbook(w, x.Dir, x.sheetRows, func(book *workbook) error {
		err := addTable(book, credentials, "outcomes", registered(outcomes))
		if err != nil {
			return err
		}
		return addTable(book, rejectionsIn(x.Sentences), "outcomes", notRegistered(outcomes))
	})
}

// A workbook is a workbook that is being written.
type workbook struct {
	file      *excelize.File
	sheetRows int
	sheets    int
	used      map[string]string // range of the cells, by the part of the sheet in the archive

	headerStyle, dateStyle, entryStyle int
}

// writeWorkbook writes a workbook with the tables that fill adds.
func writeWorkbook(w io.Writer, dir string, sheetRows int, fill func(*workbook) error) (err error) {
	// If excelize cannot write to a folder, it uses memory instead.
	dir, err = os.MkdirTemp(dir, "xlsx-")
	if err != nil {
		return fmt.Errorf("make folder for sheets: %w", disk.Error(err))
	}
	file := excelize.NewFile(excelize.Options{TmpDir: dir})
	defer func() { err = errors.Join(err, file.Close(), os.RemoveAll(dir)) }()
	if sheetRows == 0 {
		sheetRows = excelize.TotalRows
	}
	book := &workbook{file: file, sheetRows: sheetRows, used: map[string]string{}}
	err = book.setUp()
	if err != nil {
		return fmt.Errorf("set up workbook: %w", err)
	}
	err = fill(book)
	if err != nil {
		return err
	}
	// By default excelize collects the whole archive in memory, with the strongest compression.
	file.SetZipWriter(func(io.Writer) excelize.ZipWriter {
		archive := zip.NewWriter(w)
		archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
			return flate.NewWriter(w, flate.BestSpeed)
		})
		return &workbookArchive{archive, book.used}
	})
	_, err = file.WriteToBuffer()
	if err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

// A workbookArchive writes the parts of a workbook. A sheet begins with the range of its cells, which excelize does not know until the sheet
// ends: it writes A1, and programs that read a sheet as a stream would see one cell.
type workbookArchive struct {
	*zip.Writer

	used map[string]string // see workbook
}

// Create implements excelize.ZipWriter.
func (a *workbookArchive) Create(name string) (io.Writer, error) {
	part, err := a.Writer.Create(name)
	if used, isSheet := a.used[name]; isSheet && err == nil {
		return &sheetPart{part, used}, nil
	}
	return part, err //nolint:wrapcheck // excelize wraps it
}

// A sheetPart writes the part of a sheet.
type sheetPart struct {
	io.Writer

	used string // range of the cells; empty once it is written
}

// Write replaces the range in the head of the part, which is the first that excelize writes.
func (s *sheetPart) Write(p []byte) (int, error) {
	if s.used == "" {
		return s.Writer.Write(p) //nolint:wrapcheck // as a writer does
	}
	const before, after = `<dimension ref="`, `"></dimension>`
	head, rest, found := bytes.Cut(p, []byte(before+"A1"+after))
	if !found {
		return 0, errors.New("sheet begins without its dimension")
	}
	_, err := s.Writer.Write(slices.Concat(head, []byte(before+s.used+after), rest))
	s.used = ""
	return len(p), err //nolint:wrapcheck // as a writer does
}

// setUp sets the properties and styles of the workbook.
func (b *workbook) setUp() error {
	err := b.file.SetDocProps(&excelize.DocProperties{Creator: "Rollcall"})
	if err != nil {
		return err
	}
	dateFormat, textFormat := "yyyy-mm-dd hh:mm:ss", "@"
	for _, it := range []struct {
		id    *int
		style excelize.Style
	}{
		{&b.headerStyle, excelize.Style{Font: &excelize.Font{Bold: true}}},
		{&b.dateStyle, excelize.Style{CustomNumFmt: &dateFormat}},
		{&b.entryStyle, excelize.Style{CustomNumFmt: &textFormat}},
	} {
		*it.id, err = b.file.NewStyle(&it.style)
		if err != nil {
			return err
		}
	}
	return nil
}

// addTable adds a table with a row for each value, on as many sheets as it needs.
func addTable[T any](book *workbook, t table[T], name string, values iter.Seq2[T, error]) error {
	s := &sheets{book: book, title: t.title, cells: make([]any, len(t.columns))}
	for _, c := range t.columns {
		it := sheetColumn{name: c.name, width: c.bookWidth}
		switch {
		case c.date != nil:
			it.style = book.dateStyle
		case c.isEntry:
			it.style = book.entryStyle
		}
		s.columns = append(s.columns, it)
	}
	err := each(name, values, func(row *T) error {
		err := s.ready()
		if err != nil {
			return err
		}
		for i := range t.columns {
			switch c := &t.columns[i]; {
			case c.number != nil:
				s.cells[i] = nil
				if n := c.number(row); n != 0 {
					s.cells[i] = n
				}
			case c.date != nil:
				s.cells[i] = nil
				if at := c.date(row); !at.IsZero() {
					// Excel would round fractions of a second up to a second that is not over yet.
					s.cells[i] = at.Truncate(time.Second)
				}
			default:
				s.setText(i, c.text(row))
			}
		}
		return s.addRow()
	})
	if err != nil {
		return err
	}
	return s.end()
}

// sheets are the sheets of a table.
type sheets struct {
	book    *workbook
	title   string
	columns []sheetColumn

	number int // of the sheet that is written, 0 before the first
	name   string
	stream *excelize.StreamWriter
	rows   int   // of the sheet
	size   int   // of the texts on the sheet, in bytes
	cells  []any // of the row
}

type sheetColumn struct {
	name  string
	width float64
	style int
}

// ready begins a sheet if there is none with room for another row.
func (s *sheets) ready() error {
	if s.stream == nil || s.rows >= s.book.sheetRows || s.size >= sheetText {
		return s.next()
	}
	return nil
}

// setText sets a cell of the row to a text.
func (s *sheets) setText(column int, text string) {
	if text == "" {
		s.cells[column] = nil
		return
	}
	s.cells[column] = cut(text)
	s.size += min(len(text), 4*excelize.TotalCellChars)
}

// addRow writes the cells as a row.
func (s *sheets) addRow(options ...excelize.RowOpts) error {
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
	return s.addRow(excelize.RowOpts{StyleID: s.book.headerStyle})
}

// begin creates the sheet. Everything but the rows and the filter must precede the rows.
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
		err = s.stream.SetColStyle(i+1, i+1, column.style)
		if err != nil {
			return err
		}
	}
	return nil
}

// end ends the sheet.
func (s *sheets) end() error {
	if s.stream == nil { // the table has no rows
		err := s.next()
		if err != nil {
			return err
		}
	}
	last, err := excelize.CoordinatesToCellName(len(s.columns), s.rows)
	if err == nil {
		s.book.used[fmt.Sprintf("xl/worksheets/sheet%d.xml", s.book.sheets)] = "A1:" + last
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

// cut cuts a text to the length of a cell. Excel counts in UTF-16.
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
