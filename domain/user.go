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
	Import                          int64     // that registered the user; 0 for none, or if it is unknown
	Self                            bool      // the user registered with a browser
	Suspended                       time.Time // since when the user cannot sign in; zero for a user who can
	Password                        StoredPassword
	Roles                           []Role    // sorted; nil for none
	PasswordExpires                 time.Time // of a temporary password; zero for a chosen one

	// ChangeRequired is set if an operator requires the user to choose a new password at the next sign-in.
	ChangeRequired bool

	// MustChangePassword is set for a user who must change a temporary password before anything else, or a chosen one because an
	// operator requires it.
	MustChangePassword bool

	// PasswordUsedBy is a hash of the identifier of the browser in which a temporary password was first used. Nil for none.
	PasswordUsedBy []byte
}

// A StoredPassword is the stored form of a password.
type StoredPassword struct {
	Hash string
	Made time.Time // to the microsecond; sessions that began with an earlier password are over
}
