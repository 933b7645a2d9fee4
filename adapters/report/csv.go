package report

import (
	"io"
	"iter"
	"strconv"
	"time"

	"rollcall/adapters/internal/csvfield"
	"rollcall/domain"
	"rollcall/ports"
)

// CodesCSV writes the imports of a report as a CSV file, with dates in the form that Excel expects. It does not read the rejections.
type CodesCSV struct {
	Location *time.Location // of dates, nil for UTC
}

// BadUsersCSV writes the rejections of a report as a CSV file. It does not read the imports.
type BadUsersCSV struct{}

// RejectedCSV writes the rejected records of one import as a CSV file, to be corrected and sent again. Beside the number of a
// record, its place in the file and the reason of its rejection it has a column for each field of a person; unknown keys are left out. A number becomes
// its digits, null becomes empty, and any other value that is not a text becomes its JSON. It does not read the imports.
type RejectedCSV struct{}

// CredentialsCSV writes the accounts that an import registered, with logins and passwords, as a CSV file. For a dry run it writes
// the accounts that the import would register, without passwords.
type CredentialsCSV struct {
	Language string // of the reader, empty for English
}

// Write implements ports.ReportWriter.
func (c CodesCSV) Write(w io.Writer, report ports.Report) error {
	return writeCSV(w, report.Language, codesIn(c.Location), "imports", report.Imports)
}

// Write implements ports.ReportWriter.
func (BadUsersCSV) Write(w io.Writer, report ports.Report) error {
	return writeCSV(w, report.Language, badUsers, "rejections", report.Rejections)
}

// Write implements ports.ReportWriter.
func (RejectedCSV) Write(w io.Writer, report ports.Report) error {
	return writeCSV(w, report.Language, rejected, "rejections", rejectedRecords(report.Rejections))
}

// Write implements ports.OutcomeWriter.
func (c CredentialsCSV) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	return writeCSV(w, c.Language, credentials, "outcomes", registered(outcomes))
}

const (
	byteOrderMark = "\ufeff" // without it Excel does not read UTF-8
	endOfLine     = "\r\n"
)

// writeCSV writes a CSV file by RFC 4180, but for the delimiter: the names of the columns, and a row for each value. Every field is
// quoted, as csvfield.Append does it.
func writeCSV[T any](w io.Writer, language string, t table[T], name string, values iter.Seq2[T, error]) error {
	o := newOutput(w)
	delimiter := byte(';')
	if language == "" || language == "en" { // in other languages decimals have a comma, and Excel splits rows at semicolons
		delimiter = ','
	}
	o.buf = append(o.buf, byteOrderMark...)
	for i := range t.columns {
		if i > 0 {
			o.buf = append(o.buf, delimiter)
		}
		o.buf = csvfield.Append(o.buf, t.columns[i].name)
	}
	o.buf = append(o.buf, endOfLine...)
	err := each(name, values, func(row *T) error {
		for i := range t.columns {
			if i > 0 {
				o.buf = append(o.buf, delimiter)
			}
			switch c := &t.columns[i]; {
			case c.number != nil:
				o.buf = append(o.buf, '"')
				if n := c.number(row); n != 0 {
					o.buf = strconv.AppendInt(o.buf, n, 10)
				}
				o.buf = append(o.buf, '"')
			case c.date != nil:
				o.buf = append(o.buf, '"')
				if at := c.date(row); !at.IsZero() {
					const length = len(time.DateTime)
					from := len(o.buf)
					o.buf = at.AppendFormat(o.buf, time.RFC3339)[:from+length] // which takes half of the time of another format
					o.buf[from+len(time.DateOnly)] = ' '
				}
				o.buf = append(o.buf, '"')
			default:
				o.buf = csvfield.Append(o.buf, c.text(row))
			}
		}
		o.buf = append(o.buf, endOfLine...)
		return o.endRow()
	})
	if err != nil {
		return err
	}
	return o.flush()
}
