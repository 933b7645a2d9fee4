package ports

import (
	"time"

	"rollcall/domain"
)

// Sentences describes violations.
type Sentences interface {
	// Describe returns a sentence of plain language for each violation.
	Describe(violations domain.Violations) string
}

// Words returns the texts of the interface in one language.
type Words interface {
	Sentences

	// Language returns the language's tag: "en", "ru".
	Language() string

	// Text returns the text of a message. Its values come as pairs of name and value. The value of "Count", a number, selects the
	// plural form. For an unknown message Text returns the id itself.
	Text(id string, pairs ...any) string

	// Phrase returns a phrase that another package has written in English, such as the reason of a domain.BrokenFileError, in this
	// language. It reports whether it knows the phrase, and returns any other one as it is.
	Phrase(english string) (text string, isKnown bool)

	// Date formats a day.
	Date(t time.Time) string
}

// Languages returns the words of every language.
type Languages interface {
	// All returns all languages, in the order in which a reader is offered them.
	All() []Words

	// Choose returns the words of the language with a tag. If there is none, it returns the language that is preferred by a
	// list of language ranges with weights (RFC 4647), else English.
	Choose(tag, ranges string) Words
}
