package domain_test

import (
	"fmt"
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
	for _, c := range []struct {
		password string
		want     []domain.Code
	}{
		{"корабль на рейде", nil},
		{"пароль12", nil},
		{"aaaaaaaq", nil}, // there are no composition rules
		{strings.Repeat("字", 128), nil},
		{"🐈 and 🐕 asleep", nil},
		{"👩\u200d👧 joined", []domain.Code{domain.CodeInvalid}}, // OpaqueString allows joiners in Indic scripts only
		{"", []domain.Code{domain.CodeRequired}},
		{"       ", []domain.Code{domain.CodeTooShort}},
		{"тайна", []domain.Code{domain.CodeTooShort}},
		{strings.Repeat("字", 129), []domain.Code{domain.CodeTooLong}},
		{strings.Repeat("x", 1<<20), []domain.Code{domain.CodeTooLong}},
		{"password", []domain.Code{domain.CodeCommon}},
		{"PassWord1", []domain.Code{domain.CodeCommon}},
		{"123456", []domain.Code{domain.CodeTooShort, domain.CodeCommon}},
		{"xxИВАНОВxx", []domain.Code{domain.CodeHoldsLogin}},
		{"иванов", []domain.Code{domain.CodeTooShort, domain.CodeHoldsLogin}},
		{"null\x00null", []domain.Code{domain.CodeControl}},
		{"back\u202ewards", []domain.Code{domain.CodeControl}},
		{"not \xff UTF-8", []domain.Code{domain.CodeEncoding}},
		{"unassigned \U000e0080", []domain.Code{domain.CodeInvalid}},
	} {
		t.Run(fmt.Sprintf("%.40q", c.password), func(t *testing.T) {
			_, vs := domain.NewPassword(c.password, login)
			var codes []domain.Code
			for _, v := range vs {
				require.Equal(t, domain.FieldPassword, v.Field)
				codes = append(codes, v.Code)
			}
			require.Equal(t, c.want, codes)
		})
	}
}

// ASVS 5.0, 6.2.4, requires the 3,000 most common passwords of sufficient length.
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

func TestPasswordMayContainShortLogin(t *testing.T) {
	login, _ := domain.NewLogin("an")
	_, vs := domain.NewPassword("a mandarin tree", login)
	require.Empty(t, vs)
}

// A password is the same however a keyboard encodes its characters (RFC 8265, 4.2).
func TestPasswordsAreNormalised(t *testing.T) {
	chosen, vs := domain.NewPassword("мой пароль ещё", domain.Login{})
	require.Empty(t, vs)
	for _, entered := range []string{"мой пароль ещё", "мой\u00a0пароль\u3000ещё", "мой пароль еще\u0308"} {
		t.Run(entered, func(t *testing.T) {
			got, ok := domain.EnteredPassword(entered)
			require.True(t, ok)
			require.Equal(t, chosen.Secret(), got.Secret())
			require.Equal(t, entered, got.Entered(), "the first service hashed this")
		})
	}
	other, _ := domain.EnteredPassword("Мой пароль ещё")
	require.NotEqual(t, chosen.Secret(), other.Secret(), "passwords are case-sensitive")
	copied, ok := domain.EnteredPassword("\u202a\u00a0jsrtfw-zg4cf9\u200b-vrxdic-vfwn9c\ufeff\r\n")
	require.True(t, ok)
	require.Equal(t, "jsrtfw-zg4cf9-vrxdic-vfwn9c", copied.Secret(), "marks around a copied password are dropped")
	for _, impossible := range []string{"", "a\x00b", strings.Repeat("x", 129), strings.Repeat(" ", 3000) + "x"} {
		t.Run(impossible, func(t *testing.T) {
			got, ok := domain.EnteredPassword(impossible)
			require.False(t, ok)
			require.Empty(t, got.Secret())
			if len(impossible) <= domain.MaxValue {
				require.Equal(t, impossible, got.Entered())
			}
		})
	}
	require.NotContains(t, chosen.String(), "пароль", "logs do not show it")
}

func TestEntered(t *testing.T) {
	require.Equal(t, domain.Given{}, domain.Entered(" \t"))
	require.Equal(t, domain.Given{Text: " a ", Kind: domain.KindText}, domain.Entered(" a "))
	require.Equal(t, domain.Given{Text: "a\ufffd", Kind: domain.KindText, Malformed: true}, domain.Entered("a\xff"))
	long := domain.Entered(strings.Repeat("ж", domain.MaxValue))
	require.True(t, long.Cut)
	require.False(t, long.Malformed, "the cut does not make the last character malformed")
	require.LessOrEqual(t, len(long.Text), domain.MaxValue)
	odd := domain.Entered("x" + strings.Repeat("ж", domain.MaxValue))
	require.False(t, odd.Malformed)
}
