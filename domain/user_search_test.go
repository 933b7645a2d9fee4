package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestKeysOfUsers(t *testing.T) {
	for _, c := range []struct {
		name                 string
		user                 domain.User
		full, first, further string
	}{
		{"Case", domain.User{LastName: "ИВАНОВ", FirstName: "Пётр", Patronymic: "Ильич"}, "иванов петр ильич", "петр иванов", ""},
		{"Yo", domain.User{LastName: "Ёлкина", FirstName: "Алёна"}, "елкина алена", "алена елкина", ""},
		{"DecomposedYo", domain.User{LastName: "Е\u0308лкина", FirstName: "Але\u0308на"}, "елкина алена", "алена елкина", ""},
		{"Blanks", domain.User{LastName: "Ван  Гог", FirstName: "\u00a0Винсент"}, "ван гог винсент", "винсент ван гог", ""},
		{"Wide", domain.User{LastName: "Ｋｉｍ", FirstName: "ﬁ"}, "kim fi", "fi kim", ""},
		{"Sigma", domain.User{LastName: "ΟΔΥΣΣΕΥΣ", FirstName: "Οδυσσεύς"}, "οδυσσευσ οδυσσεύσ", "οδυσσεύσ οδυσσευσ", ""},
		{"SeveralFirstNames", domain.User{LastName: "Ким", FirstName: "Анна Мария", Patronymic: "Ли"}, "ким анна мария ли", "анна мария ким", "анна ким мария"},
		{"ApostropheAndHyphen", domain.User{LastName: "О’Нил", FirstName: "Жан\u2011Поль"}, "о'нил жан-поль", "жан-поль о'нил", ""},
		{"NoProfile", domain.User{}, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.full, domain.NameKey(&c.user))
			require.Equal(t, c.first, domain.FirstNameKey(&c.user))
			require.Equal(t, c.further, domain.FurtherNameKey(&c.user))
		})
	}
	require.Equal(t, domain.GroupKey("7 «б»"), domain.GroupKey(" 7  «Б»"))
	require.Empty(t, domain.GroupKey(""))
}

func TestUserSearch(t *testing.T) {
	for _, c := range []struct {
		name, text, region string
		want               domain.UserSearch
	}{
		{"Blank", " \u200b", "RU", domain.UserSearch{}},
		{"Word", "Иванов", "RU", domain.UserSearch{Name: "иванов", Logins: []string{"иванов"}, Emails: []string{"иванов"}}},
		{"Yo", "Пёт", "RU", domain.UserSearch{Name: "пет", Logins: []string{"пет", "пёт"}, Emails: []string{"пет", "пёт"}}},
		{"Words", "ИВАНОВ  Иван И", "RU", domain.UserSearch{
			Name: "иванов иван и", Pairs: []domain.NamePair{
				{First: "иван", Last: "иванов", Others: []string{"и"}},
				{First: "иванов", Last: "иван", Others: []string{"и"}},
				{First: "иванов", Last: "и", Others: []string{"иван"}},
			}, Logins: []string{"иванов  иван и"}, Emails: []string{"иванов  иван и"},
		}},
		{"TwoWords", "Ким, «А.»", "RU", domain.UserSearch{
			Name: "ким а", Pairs: []domain.NamePair{{First: "а", Last: "ким", Others: []string{}}, {First: "ким", Last: "а", Others: []string{}}},
			Logins: []string{"ким, «а.»"}, Emails: []string{"ким, «а.»"},
		}},
		{"ManyWords", "а б в г д ж з и к", "RU", domain.UserSearch{Name: "а б в г д ж з и к", Logins: []string{"а б в г д ж з и к"}, Emails: []string{"а б в г д ж з и к"}}},
		{"Signs", ".,", "RU", domain.UserSearch{Name: ".,", Logins: []string{".,"}, Emails: []string{".,"}}},
		{"Email", "Anna@Почта.рф", "RU", domain.UserSearch{Name: "anna@почта рф", Pairs: []domain.NamePair{
			{First: "рф", Last: "anna@почта", Others: []string{}}, {First: "anna@почта", Last: "рф", Others: []string{}},
		}, Logins: []string{"anna@почта.рф"}, Emails: []string{"anna@xn--80a1acny.xn--p1ai"}}},
		{"BeginningOfAHost", "Anna@Поч", "RU", domain.UserSearch{Name: "anna@поч", Logins: []string{"anna@поч"}, Emails: []string{"anna@xn--"}}},
		{"Nul", "a\x00", "RU", domain.UserSearch{Name: "a\ufffd", Logins: []string{"a\ufffd"}, Emails: []string{"a\ufffd"}}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, domain.NewUserSearch(c.text, c.region)) })
	}
}

func TestUserSearchByPhone(t *testing.T) {
	for _, c := range []struct {
		name, text, region string
		want               []string
	}{
		{"International", "+7 916", "RU", []string{"7916"}},
		{"InternationalElsewhere", "+7 (916) 100-", "DE", []string{"7916100"}},
		{"Trunk", "8 916", "RU", []string{"7916", "8916"}},
		{"National", "916", "RU", []string{"7916", "916"}},
		{"CountryCode", "7916", "RU", []string{"77916", "7916"}},
		{"CountryCodeRepeated", "777", "RU", []string{"777"}},
		{"Zeros", "0049 30", "RU", []string{"004930", "4930", "7004930"}},
		{"Germany", "030 12", "DE", []string{"03012", "493012"}},
		{"Wide", "９１６", "RU", []string{"7916", "916"}},
		{"NoRegion", "916", "ZZ", []string{"916"}},
		{"TooFewDigits", "79", "RU", nil},
		{"Letters", "916a", "RU", nil},
		{"Date", "12/11/2010", "RU", nil},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, domain.NewUserSearch(c.text, c.region).Phones) })
	}
}
