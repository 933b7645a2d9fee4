package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

func TestRegistrationShowsEachErrorAtItsField(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.Transport.Proxies = loopback })
	require.Equal(t, 200, s.post(t, person("taken", `"phone":"9000000001","email":"taken@example.com"`)).status)
	for i, c := range []struct {
		name   string
		fields map[string]string
		errors map[string]string
		first  string // invalid field
	}{
		{
			name: "nothing", fields: map[string]string{}, first: "lname",
			errors: map[string]string{
				"lname": "Last name is required.", "fname": "First name is required.", "patr": "Patronymic is required.",
				"email": "An email or a phone number is required.", "login": "Login is required.", "psw": "Password is required.",
			},
		},
		{
			name: "all wrong", first: "lname",
			fields: map[string]string{
				"lname": strings.Repeat("я", 101), "fname": "a\x01b", "patr": " ", "birthday": "2999-01-01", "email": "nowhere",
				"phone": "12", "login": "two words", "psw": "тайна",
			},
			errors: map[string]string{
				"lname": "Last name is longer than 100 characters.", "fname": "First name has control characters, such as a line break: remove them.", "patr": "Patronymic is required.",
				"birthday": "Birthday is in the future.", "email": "Email is not a valid address: give one address, such as anna@example.com.", "phone": "Phone is not a valid number: give one whole number, without other words.",
				"login": "Login has characters that are not allowed in a login, such as a space, or is a number that a spreadsheet has rounded.",
			},
		},
		{
			name: "taken", first: "email",
			fields: anna("login", "TAKEN", "email", "Taken@Example.com", "phone", "+7 900 000-00-01"),
			errors: map[string]string{
				"login": "Login belongs to another user.", "email": "Email belongs to another user.", "phone": "Phone belongs to another user.",
			},
		},
		{name: "a common password", fields: anna("psw", "PassWord1"), first: "psw"},
		{name: "a password with the login in it", fields: anna("psw", "xxAnNaxx"), first: "psw"},
		{name: "a long password", fields: anna("psw", strings.Repeat("ы", 129)), first: "psw"},
		{name: "no such day", fields: anna("birthday", "31.02.2000"), first: "birthday"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.browser(t, "X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i)).Submit(t, "/register", c.fields)
			require.Equal(t, 422, got.Status)
			for field, message := range c.errors {
				require.Equal(t, message, got.Text("#"+field+"-error"), field)
			}
			if c.errors == nil {
				require.NotEmpty(t, got.Text("#"+c.first+"-error"))
				require.Equal(t, 1, got.Find(".field [aria-invalid]").Length())
			}
			require.Equal(t, "Error: Register — Rollcall", got.Text("title"))
			summary := got.Find("main [role=alert][tabindex='-1'][autofocus] a")
			require.Equal(t, "#"+c.first, summary.First().AttrOr("href", ""))
			require.Equal(t, got.Find(".field [aria-invalid]").Length(), summary.Length(), "the summary has a link to each invalid field")
			summary.Each(func(_ int, link *goquery.Selection) {
				require.Equal(t, got.Text(link.AttrOr("href", "")+"-error"), link.Text())
			})
			for field, value := range c.fields {
				if field != "psw" && value != " " && value != "a\x01b" {
					require.Equal(t, value, got.Find("#"+field).AttrOr("value", ""), "the form keeps its values")
				}
			}
			if c.fields["psw"] != "" {
				require.NotContains(t, got.HTML, c.fields["psw"])
			}
			require.Empty(t, got.Find("#psw").AttrOr("value", ""))
		})
	}
	require.Len(t, s.store.Accounts(), 1)
}

// The forms of a person ask for a patronymic as the rules do, and only operators read of the flag that makes it optional.
func TestFormsAskForAPatronymicAsTheRulesDo(t *testing.T) {
	for _, optional := range []bool{false, true} {
		t.Run(fmt.Sprintf("optional %t", optional), func(t *testing.T) {
			s := serve(t, func(use *settings) { use.web.PatronymicOptional = optional })
			operator := s.operator(t)
			s.imported(t)
			forms := map[string]*visitor.Page{"register": s.browser(t).Get(t, "/register"), "edit": operator.Get(t, "/users/2/edit")}
			for name, form := range forms {
				require.Equal(t, !optional, form.Find("#patr").Is("[required]"), name)
				require.True(t, form.Find("#lname").Is("[required]"), name)
			}
		})
	}
	s := serve(t)
	operator := s.operator(t)
	s.imported(t)
	for _, language := range []string{"en", "ru"} {
		for _, patronymic := range []string{"", "-"} {
			visitor := s.browser(t, "Accept-Language", language).Submit(t, "/register", anna("login", "bob", "patr", patronymic))
			require.NotEmpty(t, visitor.Text("#patr-error"))
			require.NotContains(t, visitor.HTML, "--patronymic")
		}
	}
	edited := operator.Submit(t, "/users/2/edit", anna("login", "boris", "patr", ""))
	require.Contains(t, edited.Text("#patr-error"), "--patronymic optional")
}

func TestSignInDoesNotRevealLogins(t *testing.T) {
	s := serve(t)
	s.registered(t)
	wrong := s.browser(t).SignIn(t, "Anna", "not her password")
	unknown := s.browser(t).SignIn(t, "Hanna", "not her password")
	require.Equal(t, 401, wrong.Status)
	require.Equal(t, 401, unknown.Status)
	require.Equal(t, wrong.Text("main"), unknown.Text("main"))
	require.NotEmpty(t, wrong.Text("[role=alert][autofocus] a[href='#login']"))
	require.Equal(t, "Error: Sign in — Rollcall", wrong.Text("title"))
	require.Equal(t, "Anna", wrong.Find("#login").AttrOr("value", ""))
	require.NotContains(t, wrong.HTML, "not her password")
}

func TestNextStaysOnThisSite(t *testing.T) {
	s := serve(t)
	s.registered(t)
	for _, c := range []struct {
		next string
		want string
	}{
		{"/account/password", "/account/password"},
		{"/profile?page=2&x=%D1%8F", "/profile?page=2&x=%D1%8F"},
		{"https://evil.example/", "/profile"},
		{"//evil.example", "/profile"},
		{"/\\evil.example", "/profile"},
		{"/\t/evil.example", "/profile"},
		{"/%0d%0aSet-Cookie:a=b", "/%0d%0aSet-Cookie:a=b"},
		{"/\r\nSet-Cookie: a=b", "/profile"},
		{"javascript:alert(1)", "/profile"},
		{"\\\\evil.example", "/profile"},
		{"profile", "/profile"},
		{"http:evil.example", "/profile"},
		{"/profile\x00", "/profile"},
		{"///evil.example/..", "/profile"},
		{"https:/evil.example", "/profile"},
		{"/@evil.example", "/@evil.example"},
		{"//user@evil.example/login", "/profile"},
	} {
		t.Run(c.next, func(t *testing.T) {
			b := s.browser(t)
			got := b.Submit(t, "/login", map[string]string{"login": "anna", "psw": goodPassword, "next": c.next})
			require.Equal(t, 303, got.Status)
			require.Equal(t, c.want, got.Location())
			require.Empty(t, got.Header.Get("a"))
		})
	}
	b := s.browser(t)
	got := b.Get(t, "/account/password")
	require.Equal(t, 303, got.Status)
	login := b.Get(t, got.Location())
	require.NotEmpty(t, login.Text("[role=status]"))
	back := b.Send(t, "/login", login, map[string]string{"login": "anna", "psw": goodPassword})
	require.Equal(t, "/account/password", back.Location())

	b = s.browser(t)
	login = b.Get(t, "/login?next="+url.QueryEscape("/useradd/export/csv?status=200"))
	register := b.Get(t, login.Find("main a[href^='/register']").AttrOr("href", ""))
	back = b.Send(t, "/register", register, anna("login", "boris", "email", "", "phone", "9000000001"))
	require.Equal(t, "/profile?status=200", back.Location(), "a visitor without an account, too")
}

// Password fields permit password managers, paste and long passwords.
func TestPasswordFields(t *testing.T) {
	s := serve(t)
	stranger, signedIn := s.browser(t), s.registered(t)
	for _, c := range []struct {
		path    string
		browser *visitor.Browser
		want    map[string]string
	}{
		{"/login", stranger, map[string]string{"psw": "current-password"}},
		{"/register", stranger, map[string]string{"psw": "new-password"}},
		{"/account/password", signedIn, map[string]string{"old": "current-password", "psw": "new-password"}},
	} {
		t.Run(c.path, func(t *testing.T) {
			form := c.browser.Get(t, c.path).Find("main form:has(input[type=password])")
			require.Equal(t, 1, form.Length())
			require.Equal(t, "post", form.AttrOr("method", ""), "passwords are not in the address")
			require.NotContains(t, form.AttrOr("action", ""), ":", "passwords go to this server")
			got := map[string]string{}
			form.Find("input[type=password]").Each(func(_ int, field *goquery.Selection) {
				got[field.AttrOr("name", "")] = field.AttrOr("autocomplete", "")
				for _, attribute := range []string{"maxlength", "pattern", "readonly", "onpaste", "oncopy", "value"} {
					_, has := field.Attr(attribute)
					require.False(t, has, attribute)
				}
			})
			require.Equal(t, c.want, got)
		})
	}
}
