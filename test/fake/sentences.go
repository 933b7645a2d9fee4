package fake

import (
	"fmt"
	"strings"

	"rollcall/domain"
)

// Sentences describes violations by their codes.
type Sentences struct{}

// Describe implements ports.Sentences.
func (Sentences) Describe(violations domain.Violations) string {
	sentences := make([]string, len(violations))
	for i, v := range violations {
		sentences[i] = strings.TrimSpace(fmt.Sprintf("%s %s", v.Field, v.Code)) + "."
	}
	return strings.Join(sentences, " ")
}
