package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

// checkWith returns the record of a valid person, but with a text in a field.
func checkWith(rules domain.Rules, f domain.PersonField, s string) domain.Record {
	person := valid()
	person.Given[f] = text(s)
	return rules.Check(&person)
}

func TestPlaceholders(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today}
	for _, s := range []string{
		"-", "--", "—", "(нет)", "(не указано)", "Err:510", "(n/a)", ".", "...", "?", "*", "\u200b-\u00a0", "_", "нет", "НЕТ", " Нет ", "н/д", "не указано", "null", "NULL", "<null>", `\N`, "nan", "NaN",
		"n/a", "N/A", "#N/A", "#Н/Д", "#REF!", "#ССЫЛКА!", "#NAME?", "#ДЕЛ/0!", "None", "undefined", "unknown", "Без отчества", "б/о", "НЕ ИМЕЕТ", "Прочерк", `-"-`, "-//-", ". .", "  .  .  ", "0", "0/0/00", "00.00.0000", "0000-00-00 00:00:00",
	} {
		t.Run(s, func(t *testing.T) {
			for f := range domain.PersonField(domain.NumPersonFields) {
				record := checkWith(rules, f, s)
				if rules.Requires(f) {
					require.Equal(t, only(f.Name(), domain.CodePlaceholder), record.Violations)
					continue
				}
				require.Empty(t, record.Violations, "there is no %s", f.Name())
			}
			record := checkWith(domain.Rules{Region: "RU", Today: today, PatronymicOptional: true}, domain.PersonPatronymic, s)
			require.Empty(t, record.Violations)
			require.Empty(t, record.Registration.Name.Patronymic.String())
		})
	}
	person := valid()
	person.Given[domain.PersonEmail], person.Given[domain.PersonPhone] = text("-"), domain.Given{Text: "0", Kind: domain.KindNumber}
	require.Equal(t, only(domain.FieldEmail, domain.CodeContactRequired), rules.Check(&person).Violations)
}

func TestPlaceholdersAreNotNames(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today}
	for _, s := range []string{"Null", "Nan", "Na", "O", "Но", "Нетай", "Noneман", "Безотчества", "王", "N.", "O'Neill"} {
		t.Run(s, func(t *testing.T) {
			for _, f := range []domain.PersonField{domain.PersonFirstName, domain.PersonLastName} {
				require.Empty(t, checkWith(rules, f, s).Violations)
			}
		})
	}
	for _, login := range []string{"007", "00", "n", "null1", "-anna", "0-0-1", "nun"} {
		t.Run(login, func(t *testing.T) {
			require.Empty(t, checkWith(rules, domain.PersonLogin, login).Violations)
		})
	}
	require.Equal(t, "null", domain.NewIdentity("null", "RU").Login, "an existing account can sign in")
}

func TestOptionalPatronymic(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today, PatronymicOptional: true}
	for _, s := range []string{"", " ", "\u3164", "-"} {
		t.Run(s, func(t *testing.T) {
			record := checkWith(rules, domain.PersonPatronymic, s)
			require.Empty(t, record.Violations)
			require.Empty(t, record.Registration.Name.Patronymic.String())
		})
	}
	person := valid()
	person.Given[domain.PersonPatronymic] = domain.Given{}
	require.Empty(t, rules.Check(&person).Violations)
	person.Given[domain.PersonFirstName] = text("Anna Maria")
	require.Empty(t, rules.Check(&person).Violations)
	person.Given[domain.PersonFirstName] = text("Анна Петровна")
	require.Equal(t, only(domain.FieldFirstName, domain.CodeFullName), rules.Check(&person).Violations)
	person.Given[domain.PersonPatronymic] = text("Петровна")
	require.Empty(t, rules.Check(&person).Violations)
	person.Given[domain.PersonFirstName], person.Given[domain.PersonPatronymic] = text("Анна"), domain.Given{}
	require.Equal(t, only(domain.FieldPatronymic, domain.CodeControl), checkWith(rules, domain.PersonPatronymic, "a\x00").Violations)
	require.False(t, rules.Requires(domain.PersonPatronymic))
	require.True(t, rules.Requires(domain.PersonLastName))
}
