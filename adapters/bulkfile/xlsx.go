package bulkfile

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"rollcall/domain"
)

const (
	// maxWorkbook bounds a workbook as it came, in bytes: excelize holds it in memory.
	maxWorkbook = 128 << 20

	// maxInflated bounds what is in it, and inMemory each part of it that is not put into a file.
	maxInflated = 4 << 30
	inMemory    = 4 << 20
)

// workbook yields the objects of the first sheet that is shown.
func (s Files) workbook(file *io.SectionReader) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		err := s.sheet(file, func(r rows) error { return decodeTable(r, yield) })
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// sheet calls read with the rows of the first sheet that is shown.
func (s Files) sheet(file *io.SectionReader, read func(rows) error) (err error) {
	if file.Size() > maxWorkbook {
		return &domain.BrokenFileError{Reason: fmt.Sprintf("the workbook is larger than %d MiB; save the sheet as CSV", maxWorkbook>>20)}
	}
	r, err := s.openSheet(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return read(r)
}

// openSheet opens a workbook. What excelize cannot read is broken, also where it panics.
func (s Files) openSheet(file *io.SectionReader) (r *sheetRows, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = broken(p)
		}
	}()
	watched := &watchedReader{Reader: whole(file)}
	book, err := excelize.OpenReader(watched, excelize.Options{
		UnzipSizeLimit: maxInflated, UnzipXMLSizeLimit: inMemory, TmpDir: s.Dir, RawCellValue: true,
	})
	if watched.err != nil {
		return nil, fmt.Errorf("read file: %w", watched.err)
	}
	if err != nil {
		return nil, broken(err)
	}
	r = &sheetRows{book: book}
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		r.from1904 = *props.Date1904
	}
	for _, name := range book.GetSheetList() {
		if shown, err := book.GetSheetVisible(name); err != nil || !shown {
			continue
		}
		r.rows, err = book.Rows(name)
		if err != nil {
			return nil, errors.Join(broken(err), r.close())
		}
		return r, nil
	}
	return nil, errors.Join(broken("no sheet is shown"), r.close())
}

func broken(why any) error {
	return &domain.BrokenFileError{Reason: fmt.Sprintf("the workbook cannot be read (%v)", why)}
}

// watchedReader keeps an error of its reader, to tell it from one of what was read.
type watchedReader struct {
	io.Reader

	err error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// sheetRows are the rows of a sheet.
type sheetRows struct {
	book     *excelize.File
	rows     *excelize.Rows
	from1904 bool // dates are counted from 1904, as Excel for Mac once did
	row      []cell
}

func (r *sheetRows) current() ([]cell, bool) { return r.row, false }

// next implements rows.
func (r *sheetRows) next() (more bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			more, err = false, broken(p)
		}
	}()
	if !r.rows.Next() {
		if err := r.rows.Error(); err != nil {
			return false, broken(err)
		}
		return false, nil
	}
	texts, err := r.rows.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return false, broken(err)
	}
	r.row = r.row[:0]
	for _, text := range texts {
		r.row = append(r.row, cell{text: []byte(strings.ToValidUTF8(text, "\ufffd"))})
	}
	return true, nil
}

func (r *sheetRows) close() error {
	err := r.book.Close()
	if r.rows != nil {
		err = errors.Join(err, r.rows.Close())
	}
	if err != nil {
		return fmt.Errorf("close workbook: %w", err)
	}
	return nil
}

// convert makes a date of the number that Excel has for it, and a phone of the number that Excel has made of it.
func (r *sheetRows) convert(field int, text []byte) []byte {
	if field != birthday && field != phone {
		return text
	}
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return text
	}
	if field == birthday {
		date, err := excelize.ExcelDateToTime(number, r.from1904)
		if err != nil {
			return text
		}
		return date.AppendFormat(nil, time.DateOnly)
	}
	const exact = 1 << 53
	if text[0] == '+' || text[0] == '0' || number != math.Trunc(number) || math.Abs(number) > exact {
		return text
	}
	return strconv.AppendFloat(nil, number, 'f', -1, 64)
}
