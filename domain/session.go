package domain

import "time"

// ListedSessions is the number of a user's sessions that operators see.
const ListedSessions = 20

// A Session is a browser in which a user is signed in.
type Session struct {
	User         int64     // id
	PasswordMade time.Time // when the password was made that the user had at the beginning; a session is over when the user has another one
	Began, Used  time.Time // to the microsecond; Used is the latest known use
	Address      string    // of the client's network, at the latest use
	Browser      string    // the client's User-Agent, on one line
}

// NewSession returns a session of a user that is used from an address by a client with a User-Agent.
func NewSession(user int64, passwordMade, began, used time.Time, address, userAgent string) *Session {
	last := NewSignIn(used, address, userAgent)
	return &Session{user, passwordMade.UTC(), began.UTC().Truncate(time.Microsecond), last.Time, last.Address, last.Browser}
}
