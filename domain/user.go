package domain

import "time"

// A User is a stored account with its profile.
type User struct {
	ID                              int64
	Login                           string
	FirstName, LastName, Patronymic string
	Email                           string // empty for none
	Phone                           string // digits of E.164; empty for none
	Birthday                        *Date  // nil for none
	Group                           string // empty for none
	Registered                      time.Time
	Password                        StoredPassword
	Roles                           []Role    // sorted; nil for none
	PasswordExpires                 time.Time // of a temporary password; zero for a chosen one

	// MustChangePassword is set for a user who must change a temporary password before anything else.
	MustChangePassword bool

	// PasswordUsedBy is a hash of the identifier of the browser in which a temporary password was first used. Nil for none.
	PasswordUsedBy []byte
}

// A StoredPassword is the stored form of a password.
type StoredPassword struct {
	Hash string
	Made time.Time // to the microsecond; sessions that began with an earlier password are over
}
