package domain

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// FuzzPhone compares the fast path with libphonenumber, which is the authority.
func FuzzPhone(f *testing.F) {
	for _, s := range []string{"9123456789", "+79123456789", "89123456789", "79123456789", "+7 912 345-67-89", "9000000000", "99999999999", "+89123456789", "tel:;phone-context=+7", "8 800 FLOWERS"} {
		f.Add(s, "RU")
		f.Add(s, "DE")
		f.Add(s, "KZ")
	}
	f.Fuzz(func(t *testing.T, s, region string) {
		slow, valid := parsePhone(s, region) // must not panic
		fast, ok := plainPhone(s, region)
		if !ok {
			return
		}
		require.True(t, valid, s)
		require.Equal(t, slow, fast, s)
	})
}

// FuzzPlainPhones generates plain notations, which a fuzzer rarely finds.
func FuzzPlainPhones(f *testing.F) {
	f.Add(uint32(123456789))
	f.Fuzz(func(t *testing.T, n uint32) {
		national := fmt.Sprintf("9%09d", n%1_000_000_000)
		for _, prefix := range []string{"", "7", "8", "+7"} {
			fast, ok := plainPhone(prefix+national, "RU")
			require.True(t, ok)
			slow, valid := parsePhone(prefix+national, "RU")
			require.True(t, valid)
			require.Equal(t, slow, fast)
		}
		_, ok := plainPhone("+7"+national, "US")
		require.True(t, ok)
	})
}

// FuzzLogin compares the fast path with the PRECIS profiles, and proves that a login parses to itself.
func FuzzLogin(f *testing.F) {
	for _, s := range []string{"", "ivan", "Ivan", "ИВАН", "a b", "ＡＢ", "a\u0301", "~", " ", "ß", "İ", "Σ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if isPlain(s) {
			text, key, ok := precisLogin(s)
			slow, err := precis.UsernameCasePreserved.String(s)
			require.Equal(t, err == nil, ok, s)
			if ok {
				require.Equal(t, slow, text)
				slowKey, err := precis.UsernameCaseMapped.String(s)
				require.NoError(t, err)
				require.Equal(t, slowKey, key)
			}
		}
		login, vs := NewLogin(s)
		if vs != nil {
			return
		}
		require.LessOrEqual(t, utf8.RuneCountInString(login.String()), MaxLength)
		require.NotContains(t, login.String(), " ")
		known, vs := ParseLogin(s)
		require.Nil(t, vs)
		require.Equal(t, login, known)
		again, vs := NewLogin(login.String())
		require.Nil(t, vs)
		require.Equal(t, login, again, "a login parses to itself")
	})
}

// FuzzTexts proves that every accepted text is valid UTF-8, in NFC, without control characters and of bounded length.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"Анна", " a ", "a@b.cd", "почта@пример.рф", "\x00", "\xff", "e\u0301", "01.02.2003", "\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var accepted []string
		if name, vs := NewFirstName(s); vs == nil {
			accepted = append(accepted, name.String())
		}
		if email, vs := NewEmail(s); vs == nil {
			accepted = append(accepted, email.String())
			require.Equal(t, 1, strings.Count(email.Key(), "@"))
			again, vs := NewEmail(strings.ToUpper(email.String()))
			if vs == nil && isPlain(s) {
				require.Equal(t, email.Key(), again.Key())
			}
		}
		for _, text := range accepted {
			require.True(t, utf8.ValidString(text))
			require.True(t, norm.NFC.IsNormalString(text))
			require.False(t, strings.ContainsFunc(text, isControl))
			require.Equal(t, trim(text), text)
			require.NotEmpty(t, text)
			require.LessOrEqual(t, utf8.RuneCountInString(text), MaxLength)
		}
		if birthday, vs := NewBirthday(s, 20_000); vs == nil {
			date, given := birthday.Date()
			require.True(t, given)
			require.LessOrEqual(t, date, Date(20_000))
		}
		require.LessOrEqual(t, utf8.RuneCountInString(presentable(strings.ToValidUTF8(s, "?"))), MaxLength+1)
	})
}
