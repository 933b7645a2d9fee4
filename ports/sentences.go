package ports

import (
	"time"

	"rollcall/domain"
)

// Sentences has words for violations.
type Sentences interface {
	// Describe says every violation in a sentence of plain language.
	Describe(violations domain.Violations) string
}

// Words has the texts of the interface in one language.
type Words interface {
	Sentences

	// Language is its tag: "en", "ru".
	Language() string

	// Text returns the text of a message. What it speaks of comes in pairs of name and value; the value of "Count", a
	// number, decides on the form of words. It returns the id itself for a message that is not there.
	Text(id string, pairs ...any) string

	// Date writes a day as the language does.
	Date(t time.Time) string
}

// Languages has the words of every language.
type Languages interface {
	// All returns them in the order in which a reader is offered them.
	All() []Words

	// Choose returns the words of the language that a reader chose, by its tag, else of the one that an Accept-Language
	// header prefers, else English ones.
	Choose(chosen, acceptLanguage string) Words
}
