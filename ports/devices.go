package ports

// Devices marks browsers, so that those in which a user has signed in before are known from others. Every instance of the
// program knows the marks of all.
type Devices interface {
	// Mark returns a new mark of a browser in which a user has signed in: 1 to 64 letters, digits, hyphens and underscores.
	Mark(user int64) string

	// Owner returns the user that a mark is of. It returns false for a text that Mark has not returned.
	Owner(mark string) (user int64, ok bool)
}
