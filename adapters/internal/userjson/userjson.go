// Package userjson defines the JSON of a user in answers and files.
package userjson

import (
	"time"

	"rollcall/domain"
)

// A User is a user as JSON.
type User struct {
	ID         int64         `json:"id"`
	Login      string        `json:"login"`
	LastName   string        `json:"last_name"`
	FirstName  string        `json:"first_name"`
	Patronymic string        `json:"patronymic"`
	Email      *string       `json:"email"`
	Phone      *string       `json:"phone"`    // E.164, with a plus
	Birthday   *string       `json:"birthday"` // ISO 8601
	Group      *string       `json:"group"`
	Status     domain.Status `json:"status"`
	Registered time.Time     `json:"registered"`
	LastSignIn *time.Time    `json:"last_sign_in"`
	Import     *int64        `json:"import"`
}

// New returns a person as JSON.
func New(person *domain.Person) User {
	optional := func(f domain.PersonField) *string {
		if text := person.Text(f); text != "" {
			return &text
		}
		return nil
	}
	user := User{
		ID: person.ID, Login: person.Login, LastName: person.LastName, FirstName: person.FirstName, Patronymic: person.Patronymic,
		Email: optional(domain.PersonEmail), Phone: optional(domain.PersonPhone), Birthday: optional(domain.PersonBirthday),
		Group: optional(domain.PersonGroup), Status: person.Status, Registered: person.Registered,
	}
	if len(person.SignIns) > 0 {
		user.LastSignIn = &person.SignIns[0].Time
	}
	if person.Import != 0 {
		user.Import = &person.Import
	}
	return user
}
