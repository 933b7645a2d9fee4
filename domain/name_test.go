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
		{"Ольга 2-я", "Ольга 2-я"},
		{"Сєров", "Сєров"},
		{"Рі", "Рі"},
		{"ÑÃÐ", "ÑÃÐ"},
		{"Åse", "Åse"},
		{"می\u200cخواهم", "می\u200cخواهم"}, // with a joiner of the Persian script
		{"葛\U000e0100城", "葛\U000e0100城"},   // with a variant of an ideograph
		{"Оль\u00adга\u200b", "Ольга"},
		{"\u202eОльга\u2066\u2069\u200f", "Ольга"},
		{"Ol\u200dga\ufe0f", "Olga"},
		{"И\u0306\u200dов", "Йов"},
		{"é" + strings.Repeat("a", 99), "é" + strings.Repeat("a", 99)},
		{strings.Repeat("e\u0301", 100), strings.Repeat("é", 100)},
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
		{"\u3164", domain.CodeEmpty},
		{"\u2800 \u115f", domain.CodeEmpty},
		{"\uffa0\u00ad", domain.CodeEmpty},
		{"\u200d\u180e\ufe0f\u034f\u17b4", domain.CodeEmpty},
		{"\xf0\x9f", domain.CodeEncoding},
		{"JosÃ©", domain.CodeEncoding}, // UTF-8 that was read as Windows-1252
		{"Ð\u009eÐ»ÑŒÐ³Ð°", domain.CodeControl},
		{"Ð¡Ð½ÐµÐ³Ð¾Ð²", domain.CodeEncoding},
		{"РћР»СЊРіР°", domain.CodeEncoding}, // as Windows-1251
		{"Âåòðîâà", domain.CodeEncoding},    // Windows-1251 that was read as Windows-1252
		{"MĂĽller", domain.CodeEncoding},    // as Windows-1250
		{"Ren‚", domain.CodeEncoding},       // IBM850 that was read as Windows-1252
		{"┬хЄЁютр", domain.CodeEncoding},    // Windows-1251 that was read as IBM866
		{"Вет?ова", domain.CodeEncoding},
		{"Ren+AOk-", domain.CodeEncoding},
		{"%D0%92%D0%B5", domain.CodeEncoding},
		{`\u0412\u0435`, domain.CodeEncoding},
		{"=?utf-8?B?0JLQtdGC?=", domain.CodeEncoding},
		{"vetrova@example.org", domain.CodeInvalid},
		{"01.02.1985", domain.CodeInvalid},
		{"+7 916 300-01-01", domain.CodeInvalid},
		{"🙂", domain.CodeInvalid},
		{"# Ольга", domain.CodeInvalid},
		{strings.Repeat("x", 101), domain.CodeTooLong},
		{strings.Repeat("名", 101), domain.CodeTooLong},
	} {
		t.Run(c.s, func(t *testing.T) {
			_, vs := domain.NewPatronymic(c.s)
			require.Equal(t, only(domain.FieldPatronymic, c.want), vs)
		})
	}
	_, vs := domain.NewLastName("\xff\x00" + strings.Repeat("я", 110))
	require.Equal(t, domain.Violations{
		{Field: domain.FieldLastName, Code: domain.CodeEncoding},
		{Field: domain.FieldLastName, Code: domain.CodeControl},
		{Field: domain.FieldLastName, Code: domain.CodeTooLong, Limit: 100},
	}, vs, "all violations are reported")
}
