package postgres

import (
	"fmt"
	"strings"

	"rollcall/domain"
)

// An accountColumn is a column of users or profiles that is filled from an account and read into a user. COPY, the inserts of small imports,
// those of registrations and the query of a user follow from the lists below: a new column needs an entry here and a migration.
type accountColumn struct {
	name     string
	nullable bool // an empty text is stored as null
	text     func(*domain.Account) string
	date     func(*domain.Account) (date domain.Date, given bool) // instead of text
	user     func(*domain.User) any                               // pointer to the value of a user; nil for a column that is not read
}

var (
	userColumns = []accountColumn{
		{
			name: "login", text: func(a *domain.Account) string { return a.Registration.Login.String() },
			user: func(u *domain.User) any { return &u.Login },
		},
		{name: "login_key", text: loginKeyOf},
		{
			name: "password_hash", text: func(a *domain.Account) string { return a.PasswordHash },
			user: func(u *domain.User) any { return &u.Password.Hash },
		},
		{
			name: "email", nullable: true, text: func(a *domain.Account) string { return a.Registration.Email.String() },
			user: func(u *domain.User) any { return &u.Email },
		},
		{name: "email_key", nullable: true, text: func(a *domain.Account) string { return a.Registration.Email.Key() }},
		{
			name: "phone", nullable: true, text: func(a *domain.Account) string { return a.Registration.Phone.String() },
			user: func(u *domain.User) any { return &u.Phone },
		},
	}
	profileColumns = []accountColumn{
		{
			name: "fname", text: func(a *domain.Account) string { return a.Registration.Name.First.String() },
			user: func(u *domain.User) any { return &u.FirstName },
		},
		{
			name: "lname", text: func(a *domain.Account) string { return a.Registration.Name.Last.String() },
			user: func(u *domain.User) any { return &u.LastName },
		},
		{
			name: "patr", text: func(a *domain.Account) string { return a.Registration.Name.Patronymic.String() },
			user: func(u *domain.User) any { return &u.Patronymic },
		},
		{
			name: "birthday", date: func(a *domain.Account) (domain.Date, bool) { return a.Registration.Birthday.Date() },
			user: func(u *domain.User) any { return &u.Birthday },
		},
		{
			name: "group_name", nullable: true, text: func(a *domain.Account) string { return a.Registration.Group.String() },
			user: func(u *domain.User) any { return &u.Group },
		},
	}

	// ofUser finds the user of a profile. It is not a column.
	ofUser = accountColumn{name: "login_key", text: loginKeyOf}
)

func loginKeyOf(a *domain.Account) string { return a.Registration.Login.Key() }

// The statements that insert accounts given as arrays, one for each column. The last parameter of users is their import, 0 for none, and
// null for the import of the transaction.
var (
	insertUsers = fmt.Sprintf("insert into users (%s, code_id) select %s, "+importID+" from %s",
		columnNames(userColumns), columnValues(userColumns), len(userColumns)+1, columnArrays(userColumns))
	insertProfiles = fmt.Sprintf("insert into profiles (%s, user_id) select %s, (select id from users where users.login_key = a.login_key) from %s",
		columnNames(profileColumns), columnValues(profileColumns), columnArrays(profileArrays))

	profileArrays = append([]accountColumn{ofUser}, profileColumns...)
)

func columnNames(columns []accountColumn) string {
	return joinColumns(columns, func(_ int, c *accountColumn) string { return c.name })
}

// columnValues returns the expressions of the columns' values, which are the elements of columnArrays. A date is an element that counts
// days from 1970-01-01.
func columnValues(columns []accountColumn) string {
	return joinColumns(columns, func(_ int, c *accountColumn) string {
		switch {
		case c.date != nil:
			return "date '1970-01-01' + " + c.name
		case c.nullable:
			return "nullif(" + c.name + ", '')"
		}
		return c.name
	})
}

// columnArrays returns the table expression that makes rows of arrays.
func columnArrays(columns []accountColumn) string {
	parameters := joinColumns(columns, func(i int, c *accountColumn) string {
		if c.date != nil {
			return fmt.Sprintf("$%d::int[]", i+1)
		}
		return fmt.Sprintf("$%d::text[]", i+1)
	})
	return fmt.Sprintf("unnest(%s) a (%s)", parameters, columnNames(columns))
}

func joinColumns(columns []accountColumn, text func(int, *accountColumn) string) string {
	all := make([]string, len(columns))
	for i := range columns {
		all[i] = text(i, &columns[i])
	}
	return strings.Join(all, ", ")
}

// columnReads returns the expressions that read columns of a table into a user. A date is read as days since 1970-01-01. There may be no
// row of the table.
func columnReads(table string, columns []accountColumn) string {
	var all []string
	for _, c := range columns {
		switch {
		case c.user == nil:
		case c.date != nil:
			all = append(all, fmt.Sprintf("%s.%s - date '1970-01-01'", table, c.name))
		default:
			all = append(all, fmt.Sprintf("coalesce(%s.%s, '')", table, c.name))
		}
	}
	return strings.Join(all, ", ")
}

// columnTargets returns pointers to the values of a user that columnReads reads.
func columnTargets(columns []accountColumn, user *domain.User) (targets []any) {
	for i := range columns {
		if columns[i].user != nil {
			targets = append(targets, columns[i].user(user))
		}
	}
	return targets
}

// arrayArgs returns the columns of accounts as arguments for columnArrays.
func arrayArgs(columns []accountColumn, accounts []domain.Account) []any {
	args := make([]any, len(columns))
	for i := range columns {
		c := &columns[i]
		if c.date != nil {
			dates := make([]*domain.Date, len(accounts))
			for n := range accounts {
				if date, given := c.date(&accounts[n]); given {
					dates[n] = &date
				}
			}
			args[i] = dates
			continue
		}
		texts := make([]string, len(accounts))
		for n := range accounts {
			texts[n] = c.text(&accounts[n])
		}
		args[i] = texts
	}
	return args
}
