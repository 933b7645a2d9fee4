package report

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"rollcall/adapters/internal/userjson"
	"rollcall/domain"
)

// UsersCSV writes users as a CSV file, which an import can read.
type UsersCSV struct {
	Location *time.Location // of times
}

// UsersXLSX writes users as a workbook with the columns of UsersCSV. Its cells have the format of text, and keep it when they are edited.
type UsersXLSX struct {
	Location *time.Location // of times
	Dir      string         // for temporary files; empty for the system's temporary folder
}

// UsersJSON writes users as an array, with an object on each line. Times are in UTC. An import can read the file.
type UsersJSON struct{}

// Write implements ports.UserWriter.
func (u UsersCSV) Write(w io.Writer, language string, users iter.Seq2[*domain.Person, error]) error {
	return writeCSV(w, language, usersIn(u.Location), "users", users)
}

// Write implements ports.UserWriter.
func (u UsersXLSX) Write(w io.Writer, _ string, users iter.Seq2[*domain.Person, error]) error {
	return writeWorkbook(w, u.Dir, 0, func(book *workbook) error {
		return addTable(book, usersIn(u.Location), "users", users)
	})
}

// Write implements ports.UserWriter.
func (UsersJSON) Write(w io.Writer, _ string, users iter.Seq2[*domain.Person, error]) error {
	o := newOutput(w)
	list := jsonList{output: o}
	list.begin()
	err := each("users", users, func(u **domain.Person) error {
		list.next()
		user, err := json.Marshal(userjson.New(*u))
		if err != nil {
			return fmt.Errorf("encode user: %w", err)
		}
		o.buf = append(o.buf, user...)
		return o.endRow()
	})
	if err != nil {
		return err
	}
	list.end()
	o.buf = append(o.buf, '\n')
	return o.flush()
}

// usersIn returns the table of users with the times of a location.
func usersIn(location *time.Location) table[*domain.Person] {
	type person = *domain.Person
	lastSignIn := func(u *person) (at time.Time) {
		if signIns := (*u).SignIns; len(signIns) > 0 {
			at = signIns[0].Time.In(location)
		}
		return at
	}
	columns := []column[person]{{name: "id", bookWidth: 10, number: func(u *person) int64 { return (*u).ID }}}
	for _, field := range domain.PersonColumns() {
		columns = append(columns, column[person]{
			name: string(field.Name()), bookWidth: widthOf(field), isEntry: true, text: func(u *person) string { return (*u).Text(field) },
		})
	}
	return table[person]{"Users", append(columns, []column[person]{
		{name: "status", bookWidth: 25, text: func(u *person) string { return string((*u).Status) }},
		{name: "registered", bookWidth: 20, date: func(u *person) time.Time { return (*u).Registered.In(location) }},
		{name: "last_sign_in", bookWidth: 20, date: lastSignIn},
		{name: "time_zone", bookWidth: 15, text: func(u *person) string {
			zone := domain.ZoneName((*u).Registered.In(location))
			if at := lastSignIn(u); !at.IsZero() && domain.ZoneName(at) != zone { // one of them is in summer
				zone += ", " + domain.ZoneName(at)
			}
			return zone
		}},
		{name: "import", bookWidth: 10, number: func(u *person) int64 { return (*u).Import }},
	}...)}
}
