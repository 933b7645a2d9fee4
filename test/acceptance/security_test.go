package acceptance_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// These tests cover requirements of OWASP ASVS that no other test covers. .github/SECURITY.md names the test of each requirement.

// User input is data in the database, on pages and in addresses.
func TestUserInputIsData(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	const script, statement = `<script>alert(1)</script>"'&`, `'); drop table profiles; --`
	require.Equal(t, 303, b.Submit(t, "/register", with(anna(), "lname", statement, "fname", script)).Status)
	profile := b.Get(t, "/profile")
	require.Contains(t, profile.Text("dl.data"), script)
	require.Contains(t, profile.Text("dl.data"), statement)
	require.NotContains(t, profile.HTML, "<script>alert")
	require.Equal(t, 1, p.count(t, "profiles"))

	require.Equal(t, 400, p.post(t, `{"login":"' or true --"}`).status)
	for _, c := range []struct {
		login string
		found int
	}{
		{"' or true --", 1},
		{"' or true", 0},
		{`"><script>alert(1)</script>&status=500`, 0},
	} {
		t.Run(c.login, func(t *testing.T) {
			got := b.Get(t, "/profile?"+url.Values{"login": {c.login}}.Encode())
			require.Equal(t, c.login, got.Find("[name=login]").AttrOr("value", ""))
			require.Equal(t, c.found, strings.Count(got.Text("#report"), "Bad request!"))
			require.NotContains(t, got.HTML, "<script>alert")
			require.Zero(t, got.Find(`#report a[href*="&status=500"]`).Length(), "the login stays one parameter")
		})
	}
}

func TestNoDefaultAccounts(t *testing.T) {
	p := start(t)
	require.Zero(t, p.count(t, "users"))
	require.Zero(t, p.count(t, "roles"))
	require.Zero(t, p.count(t, "access_tokens"))
	for _, name := range []string{"admin", "root", "operator", "rollcall", "postgres"} {
		require.Equal(t, 401, p.browser(t).SignIn(t, name, name).Status, name)
	}
}

func TestSigningInAgainEndsTheSession(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	before := b.Cookie("session")
	form := url.Values{"login": {"Anna"}, "psw": {goodPassword}}
	got := b.Do(t, http.MethodPost, "/login", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, 303, got.Status)
	require.True(t, b.IsSignedIn(t))
	require.NotEqual(t, before, b.Cookie("session"))
	require.Equal(t, 401, p.do(t, http.MethodGet, "/profile", nil, "Cookie", "session="+before).status)
	require.Equal(t, 1, p.count(t, "sessions"))
}

// No answer has a password hash or a session ID.
func TestAnswersHaveNoHashes(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	status, _, stderr := p.user(t, "grant", "anna", "operator")
	require.Zero(t, status, stderr)
	lines := p.post(t, mixed, "Accept", mediaLines)
	require.Equal(t, 200, lines.status)
	answers := []string{lines.body, b.Get(t, "/profile").HTML, b.Get(t, "/useradd/imports/1").HTML}
	for _, file := range []string{"txt", "csv?table=codes", "csv?table=bad_users", "json", "rejected.json?import=1", "rejected.csv?import=1"} {
		got := b.download(t, "/useradd/export/"+file)
		require.Equal(t, 200, got.status, file)
		answers = append(answers, got.body)
	}
	for _, answer := range answers {
		for _, secret := range []string{"$argon2id$", "$sha256$", "password_hash", b.Cookie("session")} {
			require.NotContains(t, answer, secret)
		}
	}
}
