// Package report writes reports as files. Its memory does not grow with the report.
package report

import (
	"fmt"
	"iter"
	"time"

	"rollcall/domain"
)

// A table is a table of a file, with a row for each value of type T.
type table[T any] struct {
	title   string
	columns []column[T]
}

// A column has the cells of one kind. It has one of the functions number, date and text.
type column[T any] struct {
	name      string
	width     int     // in TXT, in characters; 0 for the last column, whose texts have any length
	bookWidth float64 // in a workbook, in characters

	number func(*T) int64     // 0 for none
	date   func(*T) time.Time // zero for none
	text   func(*T) string

	// isEntry is set for texts that people entered and may edit. In a workbook their cells have the format of text. Other texts have no
	// format, because Excel shows a long text in that format as ####.
	isEntry bool
}

// The tables and columns are those of the database, as in the files of the first service.
// Imports have a column more, for the zone of their dates.
var (
	badUsers = table[domain.Rejection]{"Bad request users", []column[domain.Rejection]{
		{name: "code_id", width: 10, bookWidth: 10, number: func(r *domain.Rejection) int64 { return r.Import }},
		{name: "object_id", width: 10, bookWidth: 12, number: func(r *domain.Rejection) int64 { return int64(r.Record) }},
		{name: "login", width: loginWidth, bookWidth: 25, isEntry: true, text: func(r *domain.Rejection) string { return r.Login }},
		{name: "description", bookWidth: 90, text: func(r *domain.Rejection) string { return r.Description }},
	}}
	rejected = table[rejectedRecord]{"Rejected", append([]column[rejectedRecord]{
		{name: "object", bookWidth: 10, number: func(r *rejectedRecord) int64 { return int64(r.Record) }},
		{name: "line", bookWidth: 10, number: func(r *rejectedRecord) int64 { return int64(r.Line) }},
		{name: "sheet", bookWidth: 15, text: func(r *rejectedRecord) string { return r.Sheet }},
		{name: "reason", bookWidth: 60, text: func(r *rejectedRecord) string { return r.Description }},
	}, people...)}
)

// loginWidth is the width of the column of logins in TXT. A longer login moves the rest of its line.
const loginWidth = 52

// people has a column for each field of a person.
var people = func() (columns []column[rejectedRecord]) {
	for _, field := range domain.PersonColumns() {
		columns = append(columns, column[rejectedRecord]{
			name: string(field.Name()), bookWidth: widthOf(field), isEntry: true,
			text: func(r *rejectedRecord) string { return r.fields[field] },
		})
	}
	return columns
}()

// widthOf returns the width of the column of a field in a workbook.
func widthOf(field domain.PersonField) float64 {
	switch field {
	case domain.PersonEmail:
		return 30
	case domain.PersonBirthday:
		return 15
	}
	return 20
}

// codesIn returns the table of imports with the dates of a location. Nil stands for UTC.
func codesIn(location *time.Location) table[domain.Import] {
	if location == nil {
		location = time.UTC
	}
	return table[domain.Import]{"Response status codes", []column[domain.Import]{
		{name: "id", width: 10, bookWidth: 10, number: func(i *domain.Import) int64 { return i.ID }},
		{name: "code", width: 4, bookWidth: 8, number: func(i *domain.Import) int64 { return int64(i.Status) }},
		{name: "method", width: 6, bookWidth: 10, isEntry: true, text: func(i *domain.Import) string { return i.Method }},
		{name: "date", width: 19, bookWidth: 20, date: func(i *domain.Import) time.Time { return i.Date.In(location) }},
		{name: "time_zone", width: 13, bookWidth: 15, text: func(i *domain.Import) string { return domain.ZoneName(i.Date.In(location)) }},
		{name: "description", bookWidth: 65, text: func(i *domain.Import) string { return i.Description }},
	}}
}

// each calls row with every value of a sequence, up to the first error. The value is valid until row returns.
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
