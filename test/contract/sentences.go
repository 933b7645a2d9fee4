package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Sentences proves a ports.Sentences.
func Sentences(t *testing.T, sentences ports.Sentences) {
	var all domain.Violations
	seen := map[string]bool{}
	for _, field := range domain.Fields() {
		for _, code := range domain.Codes() {
			v := domain.Violation{Field: field, Code: code, Limit: domain.MaxName}
			if code == domain.CodeNotObject {
				v.Field = domain.FieldRecord
			}
			sentence := sentences.Describe(domain.Violations{v})
			require.NotEmpty(t, sentence, "%s %s", field, code)
			require.True(t, strings.HasSuffix(sentence, "."), sentence)
			if !seen[sentence] {
				all = append(all, v)
			}
			seen[sentence] = true
		}
	}
	together := sentences.Describe(all)
	for sentence := range seen {
		require.Contains(t, together, sentence)
	}
}
