package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

// TestEveryFieldOfAPersonIsChecked fails if a field has a constant, but no definition.
func TestEveryFieldOfAPersonIsChecked(t *testing.T) {
	rules, person := domain.Rules{Region: "RU", Today: today}, valid()
	complete := rules.Check(&person)
	require.Empty(t, complete.Violations)
	columns := domain.PersonColumns()
	for f := range domain.PersonField(domain.NumPersonFields) {
		t.Run(string(f.Name()), func(t *testing.T) {
			require.NotEmpty(t, f.Name())
			parsed, known := domain.ParsePersonField(f.Name())
			require.True(t, known)
			require.Equal(t, f, parsed)
			require.Contains(t, columns, f)
			require.Contains(t, domain.Fields(), f.Name())

			c := valid()
			require.Equal(t, domain.KindText, c.Given[f].Kind, "the test has no value for the field")
			c.Given[f] = domain.Given{Kind: domain.KindOther}
			record := rules.Check(&c)
			require.Contains(t, record.Violations, domain.Violation{Field: f.Name(), Code: domain.CodeType})
			require.NotEqual(t, complete.Registration, record.Registration, "the registration does not have the field")
			c.Given[f] = domain.Given{}
			var missing domain.Violations
			if f.IsRequired() {
				missing = domain.Violations{{Field: f.Name(), Code: domain.CodeRequired}}
			}
			require.Equal(t, missing, rules.Check(&c).Violations)
		})
	}
	_, known := domain.ParsePersonField("Login")
	require.False(t, known, "names are case-sensitive")
}
