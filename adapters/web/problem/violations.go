package problem

import (
	"errors"

	"rollcall/domain"
	"rollcall/ports"
)

// A Violation is a violation as JSON.
type Violation struct {
	Field   domain.Field `json:"field,omitempty"`
	Code    domain.Code  `json:"code"`
	Limit   int          `json:"limit,omitempty"`
	Message string       `json:"message"`
}

// Violations returns violations as JSON.
func Violations(violations domain.Violations, sentences ports.Sentences) []Violation {
	all := make([]Violation, 0, len(violations))
	for _, v := range violations {
		all = append(all, Violation{v.Field, v.Code, v.Limit, sentences.Describe(domain.Violations{v})})
	}
	return all
}

// ViolationsOf returns the violations of an error, nil if it has none.
func ViolationsOf(err error) domain.Violations {
	if it, ok := errors.AsType[*domain.RejectedError](err); ok {
		return it.Violations
	}
	return nil
}
