package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewLogin(t *testing.T) {
	for _, c := range []struct{ s, text, key string }{
		{"ivan", "ivan", "ivan"},
		{"IvanPetrov", "IvanPetrov", "ivanpetrov"},
		{"a", "a", "a"},
		{`!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`", `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`", `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`"},
		{"Иван", "Иван", "иван"},
		{"İvan", "İvan", "i̇van"},
		{"ＩＶＡＮ", "IVAN", "ivan"}, // width mapping
		{"e\u0301a", "éa", "éa"}, // NFC
		{" ivan\u00a0", "ivan", "ivan"},
		{"\u200biv\u00adan\ufe0f", "ivan", "ivan"},
		{"\u202divan\u202c", "ivan", "ivan"},
		{"क्\u200d", "क्\u200d", "क्\u200d"}, // a joiner that RFC 8265 allows
		{"名前", "名前", "名前"},
		{"مستخدم", "مستخدم", "مستخدم"},
		{strings.Repeat("ж", 64), strings.Repeat("ж", 64), strings.Repeat("ж", 64)},
	} {
		t.Run(c.s, func(t *testing.T) {
			login, vs := domain.NewLogin(c.s)
			require.Nil(t, vs)
			require.Equal(t, c.text, login.String())
			require.Equal(t, c.key, login.Key())
		})
	}
}

func TestNewLoginRejects(t *testing.T) {
	for _, c := range []struct {
		s    string
		want domain.Code
	}{
		{"", domain.CodeEmpty},
		{"   ", domain.CodeEmpty},
		{"\u200b", domain.CodeEmpty},
		{"ivan petrov", domain.CodeInvalid},
		{"иван петров", domain.CodeInvalid},
		{"1,23457E+11", domain.CodeInvalid},
		{"♥", domain.CodeInvalid},  // a symbol
		{"ⅳ", domain.CodeInvalid},  // a letter with a compatibility equivalent
		{"aא", domain.CodeInvalid}, // mixed directions
		{"a\x00b", domain.CodeControl},
		{"a\nb", domain.CodeControl},
		{"a\u2028b", domain.CodeControl},
		{"a\xffb", domain.CodeEncoding},
		{strings.Repeat("x", 65), domain.CodeTooLong},
		{strings.Repeat("ж", 65), domain.CodeTooLong},
	} {
		t.Run(c.s, func(t *testing.T) {
			_, vs := domain.NewLogin(c.s)
			require.Equal(t, only(domain.FieldLogin, c.want), vs)
		})
	}
	// all violations are reported
	_, vs := domain.NewLogin("a b" + strings.Repeat("x", 64))
	require.Equal(t, append(only(domain.FieldLogin, domain.CodeInvalid), only(domain.FieldLogin, domain.CodeTooLong)...), vs)
}

// The directionality rule of RFC 8265 applies only to strings with right-to-left characters.
func TestNewLoginAcceptsDigitsAndSigns(t *testing.T) {
	for _, s := range []string{"2ivanov", "2иванов", "_анна", "анна_", "007-бонд", "é."} {
		t.Run(s, func(t *testing.T) {
			login, vs := domain.NewLogin(s)
			require.Nil(t, vs)
			require.Equal(t, s, login.String())
		})
	}
	for _, s := range []string{"123א", "שלוםa"} {
		t.Run(s, func(t *testing.T) {
			_, vs := domain.NewLogin(s)
			require.Equal(t, only(domain.FieldLogin, domain.CodeInvalid), vs)
		})
	}
}

// A login with look-alike letters could be mistaken for that of another user (UTS 39, highly restrictive).
func TestNewLoginRejectsMixedScripts(t *testing.T) {
	for _, s := range []string{
		"ivan-2007", "иван-2007", "ιβάν", "zoë", "e\u0301va", "ёлка\u0306",
		"王偉", "ひらカタ漢字", "taro太郎ひらカタ", "李ㄅㄆli", "kim김金", "ｔａｒｏ太郎", "ラーメン", "יוסי2", "محمد٢",
	} {
		t.Run(s, func(t *testing.T) {
			login, vs := domain.NewLogin(s)
			require.Nil(t, vs)
			known, vs := domain.ParseLogin(s)
			require.Nil(t, vs)
			require.Equal(t, login, known)
		})
	}
	for _, s := range []string{
		"ivаn", "Аnna", "аnna", "βeta", "иванι", "анна@example.com", "ひ김", "ㄅひ", "ивантаро太郎", "ｉvаn", "ᏢＡ",
	} {
		t.Run(s, func(t *testing.T) {
			_, vs := domain.NewLogin(s)
			require.Equal(t, only(domain.FieldLogin, domain.CodeMixedScripts), vs)
			known, vs := domain.ParseLogin(s)
			require.Nil(t, vs, "an existing account may have it")
			require.Equal(t, known.Key(), domain.NewIdentity(s, "RU").Login, "an existing account can sign in with it")
			require.Equal(t, known.Key(), domain.LoginKey(s))
		})
	}
	_, vs := domain.NewLogin(strings.Repeat("а", 64) + "a")
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeMixedScripts}, {Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 64}}, vs)
}

func TestKeysIgnoreCase(t *testing.T) {
	for _, pair := range [][2]string{{"Ivan", "iVAN"}, {"ИВАН", "иван"}, {"ΟΔΥΣΣΕΥΣ", "οδυσσευς"}, {"Ꭰ", "ꭰ"}} {
		var logins [2]domain.Login
		var emails [2]domain.Email
		for i, s := range pair {
			var vs domain.Violations
			logins[i], vs = domain.NewLogin(s)
			require.Nil(t, vs)
			emails[i], vs = domain.NewEmail(s + "@example.com")
			require.Nil(t, vs)
		}
		require.Equal(t, logins[0].Key(), logins[1].Key())
		require.Equal(t, emails[0].Key(), emails[1].Key())
	}
	dotted, _ := domain.NewEmail("İz@example.com")
	plain, _ := domain.NewEmail("iz@example.com")
	require.NotEqual(t, plain.Key(), dotted.Key())
}
