package report

import (
	"io"

	"rollcall/ports"
)

// TemplateCSV writes a file to start from: the names of the columns in a language, and nobody below them.
type TemplateCSV struct{}

// TemplateXLSX writes a workbook to start from, with the columns of TemplateCSV. Excel takes what is entered for text: it
// leaves phones and dates as they are.
type TemplateXLSX struct {
	Dir string // where sheets wait for their turn, empty for the system's temporary folder
}

// Write writes the file. It returns the error of w, wrapped.
func (TemplateCSV) Write(w io.Writer, words ports.Words) error {
	return writeCSV(w, words.Language(), template(words), func(*csvOutput) error { return nil })
}

// Write writes the file. It returns ports.ErrUnavailable when there is no room, and the error of w, wrapped.
func (x TemplateXLSX) Write(w io.Writer, words ports.Words) error {
	return writeWorkbook(w, x.Dir, 0, func(book *workbook) error {
		return book.table(template(words)).end()
	})
}

// template has the names that forms and violations have for fields: an import knows them.
func template(words ports.Words) table {
	named := make([]column, len(people))
	for i, column := range people {
		column.name = words.Text("field." + column.name)
		named[i] = column
	}
	return table{"Rollcall", named}
}
