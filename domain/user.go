package domain

import "time"

// User is an account with its profile, as it is kept.
type User struct {
	ID                              int64
	Login                           string
	FirstName, LastName, Patronymic string
	Email                           string // empty for none
	Phone                           string // digits of E.164; empty for none
	Birthday                        *Date  // nil for none
	Registered                      time.Time
	Password                        StoredPassword
	Roles                           []Role    // sorted; nil for none
	PasswordExpires                 time.Time // of a temporary password, once it is known; zero for a chosen one

	// MustChangePassword is set for a user who has a temporary password and may do nothing before there is another one.
	MustChangePassword bool

	// PasswordUsedBy tells in which browser a temporary password was first used: a hash of what the browser is known by. Nil
	// for none.
	PasswordUsedBy []byte
}

// StoredPassword is what is kept of a password.
type StoredPassword struct {
	Hash string
	Made time.Time // in microseconds; sessions that began with an earlier one are over
}
