package report

import (
	"io"
	"strconv"
	"time"

	"rollcall/adapters/internal/csvfield"
	"rollcall/domain"
	"rollcall/ports"
)

// Table names a table of a report, for formats whose files have only one.
type Table int

// The tables of a report.
const (
	Codes    Table = iota // what imports were answered with
	BadUsers              // the objects that they refused
)

// CSV writes one table of a report as a CSV file, with dates as Excel expects them. Of the report it reads what the table
// needs.
type CSV struct {
	Table    Table
	Location *time.Location // of dates, nil for UTC
}

// Write implements ports.ReportWriter.
func (c CSV) Write(w io.Writer, report ports.Report) error {
	if c.Table == BadUsers {
		return writeCSV(w, report.Language, badUsers, func(o *csvOutput) error {
			return each("rejections", report.Rejections, func(r *domain.Rejection) error {
				o.number(r.Import)
				o.number(int64(r.Record))
				addText(o, r.Login)
				addText(o, r.Description)
				return o.rowEnds()
			})
		})
	}
	return writeCSV(w, report.Language, codes, func(o *csvOutput) error {
		return each("imports", report.Imports, func(i *domain.Import) error {
			o.number(i.ID)
			o.number(int64(i.Status))
			addText(o, i.Method)
			o.date(local(i.Date, c.Location))
			addText(o, i.Description)
			return o.rowEnds()
		})
	})
}

const (
	byteOrderMark = "\ufeff" // without it Excel does not read UTF-8
	endOfLine     = "\r\n"
)

// csvOutput writes a CSV file by RFC 4180, except for the delimiter. Every field is quoted, as csvfield.Append does.
type csvOutput struct {
	*output

	delimiter byte
	inRow     bool
}

// writeCSV writes a file for readers of a language: the names of a table's columns, and the rows that fill adds.
func writeCSV(w io.Writer, language string, looks table, fill func(*csvOutput) error) error {
	o := &csvOutput{output: newOutput(w), delimiter: ';'}
	if language == "" || language == "en" { // elsewhere a comma stands in decimals, and Excel splits at semicolons
		o.delimiter = ','
	}
	o.buf = append(o.buf, byteOrderMark...)
	for _, column := range looks.columns {
		addText(o, column.name)
	}
	err := o.rowEnds()
	if err == nil {
		err = fill(o)
	}
	if err != nil {
		return err
	}
	return o.flush()
}

func addText[T string | []byte](o *csvOutput, text T) {
	o.next()
	o.buf = csvfield.Append(o.buf, text)
}

func (o *csvOutput) number(n int64) {
	o.next()
	o.buf = append(strconv.AppendInt(append(o.buf, '"'), n, 10), '"')
}

func (o *csvOutput) date(date time.Time) {
	o.next()
	o.buf = append(date.AppendFormat(append(o.buf, '"'), time.DateTime), '"')
}

// next goes on to the next field of the row.
func (o *csvOutput) next() {
	if o.inRow {
		o.buf = append(o.buf, o.delimiter)
	}
	o.inRow = true
}

func (o *csvOutput) rowEnds() error {
	o.buf = append(o.buf, endOfLine...)
	o.inRow = false
	return o.output.rowEnds()
}
