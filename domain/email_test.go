package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewEmail(t *testing.T) {
	for _, c := range []struct {
		s   string
		key string
	}{
		{"ivan@example.com", "ivan@example.com"},
		{" Ivan.Petrov@Example.COM ", "ivan.petrov@example.com"},
		{"a+b_c-d!#$%&'*/=?^`{|}~@a.bc", "a+b_c-d!#$%&'*/=?^`{|}~@a.bc"},
		{"1@2.example", "1@2.example"},
		{"почта@пример.рф", "почта@xn--e1afmkfd.xn--p1ai"},
		{"ПОЧТА@ПРИМЕР.РФ", "почта@xn--e1afmkfd.xn--p1ai"},
		{"x@xn--e1afmkfd.xn--p1ai", "x@xn--e1afmkfd.xn--p1ai"},
		{"x@a-b.example", "x@a-b.example"},
		{"анна@example.com", "анна@example.com"},
		{"anna@почта.example", "anna@xn--80a1acny.example"},
	} {
		t.Run(c.s, func(t *testing.T) {
			email, vs := domain.NewEmail(c.s)
			require.Nil(t, vs)
			require.Equal(t, c.key, email.Key())
			require.Equal(t, strings.TrimSpace(c.s), email.String())
		})
	}
}

func TestNewEmailRejects(t *testing.T) {
	for _, s := range []string{
		"ivan", "@", "ivan@", "@example.com", "ivan@localhost", "a@b@example.com", "a..b@example.com", ".a@example.com", "a.@example.com",
		"a b@example.com", `"a b"@example.com`, "a@exam ple.com", "a@-example.com", "a@example-.com", "a@example..com", "a@.com",
		"a@example.com.", "a@example.123", "a@[127.0.0.1]", "a@exa_mple.com", "Ivan <a@example.com>", "a,b@example.com", "a@example,com",
		"♥@example.com", "a@♥..com", "a(c)@example.com",
	} {
		t.Run(s, func(t *testing.T) {
			_, vs := domain.NewEmail(s)
			require.Equal(t, only(domain.FieldEmail, domain.CodeInvalid), vs)
		})
	}
	for _, c := range []struct {
		s    string
		want domain.Code
	}{
		{"", domain.CodeEmpty},
		{"a\x00@example.com", domain.CodeControl},
		{"a\xff@example.com", domain.CodeEncoding},
		{strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 63)+".", 2) + strings.Repeat("c", 62), domain.CodeTooLong},
	} {
		t.Run(c.s, func(t *testing.T) {
			_, vs := domain.NewEmail(c.s)
			require.Equal(t, only(domain.FieldEmail, c.want), vs)
		})
	}
	_, vs := domain.NewEmail(strings.Repeat("a", 255))
	require.Equal(t, append(only(domain.FieldEmail, domain.CodeInvalid), only(domain.FieldEmail, domain.CodeTooLong)...), vs, "all violations are reported")
	email, vs := domain.NewEmail("\ufeffq@exa\u00admple.org\u200b")
	require.Nil(t, vs)
	require.Equal(t, "q@example.org", email.String(), "invisible characters are dropped")
	for _, s := range []string{"сardin@example.org", "a@еxample.org", "иван.petrov@example.org"} {
		_, vs = domain.NewEmail(s)
		require.Equal(t, only(domain.FieldEmail, domain.CodeMixedScripts), vs, s)
		known, vs := domain.ParseEmail(s)
		require.Nil(t, vs, "an existing account may have it")
		require.Equal(t, known.Key(), domain.NewIdentity(s, "RU").Email, "an existing account can sign in with it")
	}
	_, vs = domain.NewEmail(strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 63)+".", 2) + strings.Repeat("c", 61))
	require.Nil(t, vs, "254 characters are allowed")
}
