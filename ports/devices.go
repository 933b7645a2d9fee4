package ports

import "time"

// A Mark records that a user has signed in with a browser.
type Mark struct {
	User int64
	Made time.Time // to the microsecond, in UTC
}

// DeviceSigner signs the marks that browsers store, so that a browser in which a user has signed in before can be recognised. Every
// instance of the program recognises the marks of all.
type DeviceSigner interface {
	// Sign returns a text for a mark, a new one each time: 1 to 64 letters, digits, hyphens and underscores.
	Sign(mark Mark) string

	// Verify returns the mark of a text. It returns false for a text that Sign has not returned.
	Verify(text string) (mark Mark, ok bool)
}
