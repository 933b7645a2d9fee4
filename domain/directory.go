package domain

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrSuspended is returned for the correct password of a suspended account.
var ErrSuspended = errors.New("account is suspended")

// KeptSignIns is the number of sign-ins that are kept of each user.
const KeptSignIns = 20

// A SignIn is a successful attempt to sign in.
type SignIn struct {
	Time    time.Time // to the microsecond
	Address string    // of the client's network
	Browser string    // the client's User-Agent, on one line
}

// maxUserAgent is the number of characters that are kept of a User-Agent.
const maxUserAgent = 300

// NewSignIn returns a sign-in.
func NewSignIn(at time.Time, address, userAgent string) SignIn {
	return SignIn{at.UTC().Truncate(time.Microsecond), address, Line(strings.ToValidUTF8(userAgent, ""), maxUserAgent)}
}

// A Status describes a user's account in one word.
type Status string

// The statuses. The first one that applies is a user's status.
const (
	StatusSuspended                Status = "suspended"
	StatusTemporaryPasswordExpired Status = "temporary_password_expired"
	StatusNeverSignedIn            Status = "never_signed_in"
	StatusTemporaryPassword        Status = "temporary_password"
	StatusActive                   Status = "active"
)

// Statuses returns all statuses, in the order of lists.
func Statuses() []Status {
	return []Status{StatusActive, StatusNeverSignedIn, StatusTemporaryPassword, StatusTemporaryPasswordExpired, StatusSuspended}
}

// A Person is a user as operators see the user.
type Person struct {
	User

	Status   Status
	SignIns  []SignIn  // the latest ones, the newest first
	Sessions []Session // those that have not ended, the latest used first
}

// NewPerson returns a user with the latest sign-ins. A user with a chosen password has signed in, even if that was not recorded.
func NewPerson(user *User, signIns []SignIn, now time.Time) Person {
	person := Person{User: *user, Status: StatusActive, SignIns: signIns}
	switch isTemporary := !user.PasswordExpires.IsZero(); {
	case user.IsSuspended():
		person.Status = StatusSuspended
	case isTemporary && !now.Before(user.PasswordExpires):
		person.Status = StatusTemporaryPasswordExpired
	case isTemporary && len(signIns) == 0 && user.PasswordUsedBy == nil:
		person.Status = StatusNeverSignedIn
	case isTemporary:
		person.Status = StatusTemporaryPassword
	}
	return person
}

// IsSuspended reports whether the user cannot sign in.
func (u *User) IsSuspended() bool { return !u.Suspended.IsZero() }

// Text returns the value of a field as in forms and JSON, or an empty text.
func (u *User) Text(f PersonField) string {
	switch f {
	case PersonFirstName:
		return u.FirstName
	case PersonLastName:
		return u.LastName
	case PersonPatronymic:
		return u.Patronymic
	case PersonLogin:
		return u.Login
	case PersonEmail:
		return u.Email
	case PersonPhone:
		if u.Phone != "" {
			return "+" + u.Phone
		}
	case PersonBirthday:
		if u.Birthday != nil {
			return u.Birthday.Time().Format(time.DateOnly)
		}
	case PersonGroup:
		return u.Group
	}
	return ""
}

// IsSame reports whether an account, read twice, has the same data, password, suspension and required change of the password.
func (u *User) IsSame(other *User) bool {
	for f := range PersonField(NumPersonFields) {
		if u.Text(f) != other.Text(f) {
			return false
		}
	}
	return u.Password.Hash == other.Password.Hash && u.Password.Made.Equal(other.Password.Made) &&
		u.Suspended.Equal(other.Suspended) && u.ChangeRequired == other.ChangeRequired
}

// Differences returns the fields in which a registration differs from a user.
func (r *Registration) Differences(user *User) (fields []Field) {
	edited := User{
		FirstName: r.Name.First.String(), LastName: r.Name.Last.String(), Patronymic: r.Name.Patronymic.String(), Login: r.Login.String(),
		Email: r.Email.String(), Phone: r.Phone.String(), Group: r.Group.String(),
	}
	if date, given := r.Birthday.Date(); given {
		edited.Birthday = &date
	}
	for f := range PersonField(NumPersonFields) {
		if edited.Text(f) != user.Text(f) {
			fields = append(fields, f.Name())
		}
	}
	return fields
}

// CheckEdit checks a candidate that replaces a user's data. Unchanged values are never rejected, because an account may be older than a
// rule.
func (r Rules) CheckEdit(user *User, c *Candidate) Record {
	record := r.Check(c)
	var isKept [NumPersonFields]bool
	for f := range isKept {
		isKept[f] = (user.Login != "" || PersonField(f) != PersonLogin) && !c.Given[f].Repeated && c.Given[f].Kind <= KindText && c.Given[f].Text == user.Text(PersonField(f))
		if isKept[f] {
			restore(&record.Registration, PersonField(f), user)
		}
	}
	record.Violations = slices.DeleteFunc(record.Violations, func(v Violation) bool {
		f, _ := ParsePersonField(v.Field)
		if v.Code == CodeIsContact || v.Code == CodeContactRequired {
			return isKept[f] && isKept[PersonEmail] && isKept[PersonPhone]
		}
		return isKept[f]
	})
	if len(record.Violations) == 0 {
		record.Violations = nil
	}
	return record
}

// restore sets a field of reg to the value that a user has.
func restore(reg *Registration, f PersonField, user *User) {
	switch f {
	case PersonFirstName:
		reg.Name.First = RestoreFullName(NameTexts{First: user.FirstName}).First
	case PersonLastName:
		reg.Name.Last = RestoreFullName(NameTexts{Last: user.LastName}).Last
	case PersonPatronymic:
		reg.Name.Patronymic = RestoreFullName(NameTexts{Patronymic: user.Patronymic}).Patronymic
	case PersonLogin:
		reg.Login = RestoreLogin(user.Login)
	case PersonEmail:
		reg.Email = RestoreEmail(user.Email)
	case PersonPhone:
		reg.Phone = Phone{user.Phone}
	case PersonBirthday:
		if user.Birthday != nil {
			reg.Birthday = RestoreBirthday(*user.Birthday)
		}
	case PersonGroup:
		reg.Group = RestoreGroup(user.Group)
	}
}
