package ports

import "rollcall/domain"

// Sentences has words for violations.
type Sentences interface {
	// Describe says every violation in a sentence of plain English.
	Describe(violations domain.Violations) string
}
