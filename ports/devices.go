package ports

import "time"

// A Mark says that a browser has been signed in by a user.
type Mark struct {
	User int64
	Made time.Time // to the microsecond, in UTC
}

// Devices marks browsers, so that those in which a user has signed in before are known from others. Every instance of the
// program knows the marks of all.
type Devices interface {
	// Sign returns a text for a mark, a new one each time: 1 to 64 letters, digits, hyphens and underscores.
	Sign(mark Mark) string

	// Verify returns the mark of a text. It returns false for a text that Sign has not returned.
	Verify(text string) (mark Mark, ok bool)
}
