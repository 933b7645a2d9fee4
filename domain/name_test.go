package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewName(t *testing.T) {
	for _, c := range []struct {
		s    string
		want string
	}{
		{"Анна", "Анна"},
		{"  Анна-Мария \t", "Анна-Мария"},
		{"O'Neill, Jr.", "O'Neill, Jr."},
		{"И\u0306ов", "Йов"}, // NFC
		{"王", "王"},
		{"می\u200cخواهم", "می\u200cخواهم"}, // with a joiner of the Persian script
		{"é" + strings.Repeat("a", 49), "é" + strings.Repeat("a", 49)},
		{strings.Repeat("e\u0301", 50), strings.Repeat("é", 50)},
	} {
		t.Run(c.s, func(t *testing.T) {
			name, vs := domain.NewFirstName(c.s)
			require.Nil(t, vs)
			require.Equal(t, c.want, name.String())
		})
	}
}

func TestNewNameRejects(t *testing.T) {
	for _, c := range []struct {
		s    string
		want domain.Code
	}{
		{"", domain.CodeEmpty},
		{" \t\n ", domain.CodeEmpty},
		{"\u00a0\u200b", domain.CodeEmpty},
		{"a\x00", domain.CodeControl},
		{"a\tb", domain.CodeControl},
		{"a\u2028b", domain.CodeControl},
		{"a\u2066b", domain.CodeControl},
		{"\xf0\x9f", domain.CodeEncoding},
		{strings.Repeat("x", 51), domain.CodeTooLong},
		{strings.Repeat("名", 51), domain.CodeTooLong},
	} {
		t.Run(c.s, func(t *testing.T) {
			_, vs := domain.NewPatronymic(c.s)
			require.Equal(t, only(domain.FieldPatronymic, c.want), vs)
		})
	}
	_, vs := domain.NewLastName("\xff\x00" + strings.Repeat("я", 60))
	require.Equal(t, domain.Violations{
		{Field: domain.FieldLastName, Code: domain.CodeEncoding},
		{Field: domain.FieldLastName, Code: domain.CodeControl},
		{Field: domain.FieldLastName, Code: domain.CodeTooLong, Limit: 50},
	}, vs, "all violations are reported")
}
