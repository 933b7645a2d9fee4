package bulkfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/xlsx"
	"rollcall/domain"
	"rollcall/ports"
)

// A workbook is a workbook of which some sheets are read.
type workbook struct {
	*xlsx.Book

	chosen []xlsx.Sheet // sheets to read, in order
	isSaid bool         // the sender has chosen them
}

// withWorkbook calls read with a workbook, and closes it.
func (f Files) withWorkbook(file *io.SectionReader, hint ports.FileHint, read func(*workbook) error) error {
	spool := f.Spools.New()
	defer spool.Close()
	book, err := xlsx.Open(file, spool, f.MaxInflated, rowLimits)
	if other, ok := errors.AsType[*xlsx.OtherArchiveError](err); ok {
		return archiveError(other.Parts)
	}
	if err != nil {
		return brokenFile(err, 0)
	}
	w := &workbook{Book: book, isSaid: hint.Sheets != nil}
	if w.isSaid {
		err = w.chooseByName(hint.Sheets)
	} else {
		err = w.chooseFirst()
	}
	if err != nil {
		return err
	}
	return read(w)
}

// guides are the names of sheets that explain a template, by their letters. They describe the columns in a table of their own.
var guides = map[string]bool{
	lettersOf("instruction"): true, lettersOf("instructions"): true, lettersOf("readme"): true, lettersOf("help"): true,
	lettersOf("инструкция"): true, lettersOf("справка"): true, lettersOf("как заполнять"): true, lettersOf("інструкція"): true,
}

// chooseFirst chooses the first visible sheet with rows below a header row that is not named as an example or guide. If there is none, it chooses the
// first with a header row, or the first one.
func (w *workbook) chooseFirst() error {
	sheets := slices.DeleteFunc(slices.Clone(w.Sheets()), func(s xlsx.Sheet) bool { return s.Hidden })
	best := -1
	for i, sheet := range sheets {
		rows, hasHeader, err := countRows(w.Rows(sheet), 1)
		if err != nil {
			return brokenFile(err, 0)
		}
		if name := lettersOf(sheet.Name); exampleWords[name] || guides[name] {
			rows = 0
		}
		if rows > 0 || hasHeader && best < 0 {
			best = i
		}
		if rows > 0 {
			break
		}
	}
	w.chosen = []xlsx.Sheet{sheets[max(best, 0)]}
	return nil
}

// sheetKeys are the keys by which names of sheets are compared, one after another: the name, the name in any case without blanks around it,
// and the name as it looks. "5А" may have the Latin letter in the file, and the Cyrillic one in the request.
var sheetKeys = []func(string) string{
	strings.Clone,
	func(name string) string { return strings.ToLower(norm.NFC.String(strings.TrimSpace(name))) },
	func(name string) string {
		return strings.Map(func(r rune) rune {
			if latin, ok := lookAlikes[unicode.ToLower(r)]; ok && unicode.IsUpper(r) {
				return unicode.ToUpper(latin)
			}
			return r
		}, name)
	},
}

// chooseByName chooses the sheets with the names, hidden ones too.
func (w *workbook) chooseByName(names []string) error {
	found := make([]map[string][]xlsx.Sheet, len(sheetKeys))
	for i, key := range sheetKeys {
		found[i] = map[string][]xlsx.Sheet{}
		for _, sheet := range w.Sheets() {
			name := key(ports.SheetName(sheet.Name))
			found[i][name] = append(found[i][name], sheet)
		}
	}
	for _, name := range names {
		var sheets []xlsx.Sheet
		for i := 0; i < len(found) && len(sheets) == 0; i++ {
			sheets = found[i][sheetKeys[i](name)]
		}
		if len(sheets) != 1 {
			return w.unknownSheet(name)
		}
		if !slices.Contains(w.chosen, sheets[0]) {
			w.chosen = append(w.chosen, sheets[0])
		}
	}
	return nil
}

// unknownSheet returns the error of a name that no sheet has, or several have.
func (w *workbook) unknownSheet(name string) error {
	err := &domain.UnknownSheetError{Name: name}
	for _, sheet := range w.Sheets() {
		if !sheet.Hidden && len(err.Sheets) < ports.MaxSheets {
			err.Sheets = append(err.Sheets, ports.SheetName(sheet.Name))
		}
	}
	return err
}

// table returns the table of a sheet.
func (w *workbook) table(sheet xlsx.Sheet) table {
	return table{rows: w.Rows(sheet), splits: true, sheet: ports.SheetName(sheet.Name), date: w.Date}
}

// candidates yields the candidates of the chosen sheets, and adds to notes what it ignores, and the sheets.
func (w *workbook) candidates(notes *ports.FileNotes, yield func(*domain.Candidate, error) bool) error {
	number := 0
	rows := map[xlsx.Sheet]int{}
	for _, sheet := range w.chosen {
		before := number
		more, err := w.table(sheet).candidates(notes, &number, yield)
		if err != nil {
			return w.inSheet(sheet, err)
		}
		if !more {
			return nil
		}
		rows[sheet] = number - before
	}
	if number == 0 {
		return errNoRows
	}
	for _, sheet := range w.Sheets() {
		n, isRead := rows[sheet]
		hasHeader := false
		if !isRead && !sheet.Hidden {
			n, hasHeader, _ = countRows(w.Rows(sheet), math.MaxInt) // a broken sheet that is not read does no harm
		}
		if isRead || hasHeader {
			notes.AddSheet(sheet.Name, n, isRead)
		}
	}
	return nil
}

// inSheet returns an error with the name of the chosen sheet in which the file is broken.
func (w *workbook) inSheet(sheet xlsx.Sheet, err error) error {
	if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok && w.isSaid {
		return &domain.BrokenFileError{Reason: fmt.Sprintf("sheet %q: %s", ports.SheetName(sheet.Name), broken.Reason)}
	}
	return err
}

// layOut adds the columns of the first chosen sheet to a layout, and its first rows.
func (w *workbook) layOut(layout *ports.FileLayout) error {
	return w.inSheet(w.chosen[0], w.table(w.chosen[0]).layOut(layout, false))
}

// countRows returns the number of rows below the header row of a table, up to a limit, and whether there is a header row. It returns the
// error of the rows.
func countRows(rows scan.Rows, limit int) (n int, hasHeader bool, err error) {
	watched := func(yield func(scan.Row, error) bool) {
		for row, broken := range rows {
			if err = broken; !yield(row, err) {
				return
			}
		}
	}
	_ = table{rows: watched, splits: true}.each(new(ports.FileNotes), func([]column) bool { // of a table without a header row
		hasHeader = true
		return true
	}, func(scan.Row) bool {
		n++
		return n < limit
	})
	return n, hasHeader, err
}
