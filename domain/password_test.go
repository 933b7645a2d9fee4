package domain_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewPassword(t *testing.T) {
	login, vs := domain.NewLogin("Иванов")
	require.Empty(t, vs)
	for password, want := range map[string][]domain.Code{
		"корабль на рейде":         nil,
		"пароль12":                 nil,
		"aaaaaaaq":                 nil, // no rules of composition
		strings.Repeat("字", 128):   nil,
		"🐈 and 🐕 asleep":           nil,
		"👩\u200d👧 joined":          {domain.CodeInvalid}, // OpaqueString knows joiners in Indic scripts only
		"":                         {domain.CodeRequired},
		"       ":                  {domain.CodeTooShort},
		"тайна":                    {domain.CodeTooShort},
		strings.Repeat("字", 129):   {domain.CodeTooLong},
		strings.Repeat("x", 1<<20): {domain.CodeTooLong},
		"password":                 {domain.CodeCommon},
		"PassWord1":                {domain.CodeCommon},
		"123456":                   {domain.CodeTooShort, domain.CodeCommon},
		"xxИВАНОВxx":               {domain.CodeHoldsLogin},
		"иванов":                   {domain.CodeTooShort, domain.CodeHoldsLogin},
		"null\x00null":             {domain.CodeControl},
		"back\u202ewards":          {domain.CodeControl},
		"not \xff UTF-8":           {domain.CodeEncoding},
		"unassigned \U000e0080":    {domain.CodeInvalid},
	} {
		_, vs := domain.NewPassword(password, login)
		var codes []domain.Code
		for _, v := range vs {
			require.Equal(t, domain.FieldPassword, v.Field)
			codes = append(codes, v.Code)
		}
		require.Equal(t, want, codes, "%.40q", password)
	}
}

// ASVS 5.0, 6.2.4, asks for the 3,000 most common of those that are long enough.
func TestCommonPasswordsAreRejected(t *testing.T) {
	list, err := os.ReadFile("common_passwords.txt")
	require.NoError(t, err)
	fit := 0
	for password := range strings.Lines(string(list)) {
		password = strings.TrimSuffix(password, "\n")
		if utf8.RuneCountInString(password) < domain.MinPassword {
			continue
		}
		fit++
		for _, spelling := range []string{password, strings.ToUpper(password)} {
			_, vs := domain.NewPassword(spelling, domain.Login{})
			require.Equal(t, domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeCommon}}, vs, spelling)
		}
	}
	require.GreaterOrEqual(t, fit, 3000)
}

func TestShortLoginsMayStandInPasswords(t *testing.T) {
	login, _ := domain.NewLogin("an")
	_, vs := domain.NewPassword("a mandarin tree", login)
	require.Empty(t, vs)
}

// One password, however a keyboard makes its characters (RFC 8265, 4.2).
func TestPasswordsAreNormalised(t *testing.T) {
	chosen, vs := domain.NewPassword("мой пароль ещё", domain.Login{})
	require.Empty(t, vs)
	for _, entered := range []string{"мой пароль ещё", "мой\u00a0пароль\u3000ещё", "мой пароль еще\u0308"} {
		got, ok := domain.EnteredPassword(entered)
		require.True(t, ok)
		require.Equal(t, chosen, got, "%q", entered)
	}
	other, _ := domain.EnteredPassword("Мой пароль ещё")
	require.NotEqual(t, chosen, other, "case counts")
	for _, nobodys := range []string{"", "a\x00b", strings.Repeat("x", 129)} {
		_, ok := domain.EnteredPassword(nobodys)
		require.False(t, ok)
	}
	require.NotContains(t, chosen.String(), "пароль", "no log has it")
}

func TestEntered(t *testing.T) {
	require.Equal(t, domain.Given{}, domain.Entered(" \t"))
	require.Equal(t, domain.Given{Text: " a ", Kind: domain.KindText}, domain.Entered(" a "))
	require.Equal(t, domain.Given{Text: "a\ufffd", Kind: domain.KindText, Malformed: true}, domain.Entered("a\xff"))
	long := domain.Entered(strings.Repeat("ж", domain.MaxValue))
	require.True(t, long.Cut)
	require.False(t, long.Malformed, "a character that is cut in two is not malformed")
	require.LessOrEqual(t, len(long.Text), domain.MaxValue)
	odd := domain.Entered("x" + strings.Repeat("ж", domain.MaxValue))
	require.False(t, odd.Malformed)
}
