package acceptance_test

import (
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"

	"rollcall/views"
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

// Password fields permit password managers, paste and long passwords.
func TestPasswordFields(t *testing.T) {
	p := start(t)
	visitor, signedIn := p.browser(t), p.registered(t)
	for _, c := range []struct {
		path    string
		browser *browser
		want    map[string]string
	}{
		{"/login", visitor, map[string]string{"psw": "current-password"}},
		{"/register", visitor, map[string]string{"psw": "new-password"}},
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

// No answer permits pages of other origins to read it.
func TestNoCORSHeaders(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
		for _, path := range []string{"/", "/profile", "/useradd", "/useradd/export/json", "/openapi.yaml", "/healthz", "/static/app.js"} {
			for _, origin := range []string{"https://evil.example", "null", p.url} {
				got := b.Do(t, method, path, "", "Origin", origin, "Access-Control-Request-Method", "POST")
				for name := range got.Header {
					require.False(t, strings.HasPrefix(name, "Access-Control-"), "%s %s: %s", method, path, name)
				}
			}
		}
	}
}

func TestRepositoryIsNotServed(t *testing.T) {
	require.NoError(t, fs.WalkDir(views.Files, ".", func(name string, _ fs.DirEntry, err error) error {
		require.False(t, name != "." && strings.HasPrefix(name, "."), name)
		return err
	}))
	p := start(t)
	for _, path := range []string{
		"/.git/config", "/.git/HEAD", "/static/.git/config", "/.gitignore", "/.env", "/.github/SECURITY.md", "/go.mod", "/static/", "/views/",
		"/static/../openapi.yaml", "/secret.key", "/data/secret.key", "/uploads/", "/debug/pprof/", "/metrics",
	} {
		require.Equal(t, 404, p.do(t, http.MethodGet, path, nil).status, path)
	}
	require.Equal(t, 405, p.do(t, http.MethodTrace, "/", nil).status)
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

// Clients cannot add lines or attributes to the log.
func TestLogInjection(t *testing.T) {
	p := start(t)
	paths := []string{"/%0Alevel=ERROR%20forged=1", "/%0D%0Aforged=1", "/%22%20forged=%22", `/"%20forged="`, "/%E2%80%A8forged=1"}
	for _, path := range paths {
		p.do(t, http.MethodGet, path, nil, "X-Request-Id", `x" forged=1 "`)
	}
	quoted := regexp.MustCompile(`"(\\.|[^"\\])*"`)
	requests := 0
	for line := range strings.Lines(p.logged()) {
		require.Regexp(t, `^time=\S+ level=(INFO|WARN) msg=`, line)
		require.NotContains(t, quoted.ReplaceAllString(line, ""), " forged=")
		requests += strings.Count(line, "msg=request ")
	}
	require.Equal(t, len(paths), requests)
}
