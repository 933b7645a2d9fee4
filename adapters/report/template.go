package report

import (
	"io"

	"rollcall/ports"
)

// TemplateCSV writes a CSV file to fill in: the names of the columns in a language, and no rows.
type TemplateCSV struct{}

// TemplateXLSX writes a workbook to fill in, with the columns of TemplateCSV. Its cells have the format of text, so that Excel leaves
// phones and dates as they are entered.
type TemplateXLSX struct {
	Dir string // for temporary files; empty for the system's temporary folder
}

// Write writes the file. It returns the error of w, wrapped.
func (TemplateCSV) Write(w io.Writer, words ports.Words) error {
	return writeCSV(w, words.Language(), template(words), "rows", noRows)
}

// Write writes the file. It returns ports.ErrUnavailable if the disk is full, and the error of w, wrapped.
func (x TemplateXLSX) Write(w io.Writer, words ports.Words) error {
	return writeWorkbook(w, x.Dir, 0, func(book *workbook) error {
		return addTable(book, template(words), "rows", noRows)
	})
}

// template returns a table whose columns have the names of the fields in a language, which an import knows.
func template(words ports.Words) table[rejectedRecord] {
	named := make([]column[rejectedRecord], len(people))
	for i, column := range people {
		column.name = words.Text("field." + column.name)
		named[i] = column
	}
	return table[rejectedRecord]{"Rollcall", named}
}

func noRows(func(rejectedRecord, error) bool) {}
