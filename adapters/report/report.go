// Package report writes reports as files. What it holds in memory does not grow with the report.
package report

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"time"

	"rollcall/domain"
)

// table is how a table of a file looks.
type table struct {
	title   string
	columns []column
}

type column struct {
	name  string
	kind  kind
	width float64 // in a workbook, in characters
}

// kind is what a column holds.
type kind int

const (
	words  kind = iota // text, in a workbook of no format: Excel has trouble with long texts that have the format of texts
	entry              // text that somebody entered, and may edit
	number             // of an import or object
	date
)

// The tables and columns are those of the database, as the first service's files had them.
var (
	codes = table{"Response status codes", []column{
		{"id", number, 10},
		{"code", number, 8},
		{"method", entry, 10},
		{"date", date, 20},
		{"description", words, 65},
	}}
	badUsers = table{"Bad request users", []column{
		{"code_id", number, 10},
		{"object_id", number, 12},
		{"login", entry, 25},
		{"description", words, 90},
	}}
	rejected = table{"Rejected", append([]column{
		{"object", number, 10},
		{"reason", words, 60},
	}, people...)}
)

// people has a column for each field of a person.
var people = columnsOf(domain.PersonColumns())

// columnsOf returns columns for fields of a person, named as in JSON.
func columnsOf(fields [domain.NumPersonFields]domain.PersonField) []column {
	widths := map[domain.PersonField]float64{domain.PersonEmail: 30, domain.PersonBirthday: 15}
	columns := make([]column, len(fields))
	for i, field := range fields {
		columns[i] = column{string(field.Name()), entry, cmp.Or(widths[field], 20)}
	}
	return columns
}

// local is a date in the time zone of a writer, which is UTC by default.
func local(date time.Time, location *time.Location) time.Time {
	if location == nil {
		location = time.UTC
	}
	return date.In(location)
}

// each calls row with every value of a sequence, up to the first error. What row gets is valid until it returns.
func each[T any](name string, values iter.Seq2[T, error], row func(*T) error) error {
	var current T
	for value, err := range values {
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		current = value
		err = row(&current)
		if err != nil {
			return err
		}
	}
	return nil
}

// outputSize is how much an output gathers.
const outputSize = 64 << 10

// output gathers what is written, so that rows are put together in one piece of memory.
type output struct {
	w   io.Writer
	buf []byte
}

func newOutput(w io.Writer) *output {
	return &output{w: w, buf: make([]byte, 0, outputSize+outputSize/4)}
}

// rowEnds writes what was gathered if it is enough.
func (o *output) rowEnds() error {
	if len(o.buf) < outputSize {
		return nil
	}
	return o.flush()
}

// flush writes what was gathered.
func (o *output) flush() error {
	n, err := o.w.Write(o.buf)
	if err == nil && n < len(o.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	o.buf = o.buf[:0]
	return nil
}
