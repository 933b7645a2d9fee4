package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web/api"
)

// forms are the paths that take a form.
var forms = []string{
	"/register", "/login", "/logout", "/account/password", "/setup", "/useradd/upload", "/useradd/uploads/x/start", "/useradd/uploads/x/cancel",
}

// A form is taken from a page of this server, and from a client without cookies.
func TestForgedFormsAreRejected(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	cookie := "session=" + b.Cookie("session")
	for _, c := range []struct {
		name    string
		headers []string
	}{
		{"cross-site", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}},
		{"cross-site without a cookie", []string{"Sec-Fetch-Site", "cross-site"}},
		{"cross-site with the origin of this server", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", s.url}},
		{"same site and another origin", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site"}},
		{"unknown value of Sec-Fetch-Site", []string{"Cookie", cookie, "Sec-Fetch-Site", "x"}},
		{"old browser, another origin", []string{"Cookie", cookie, "Origin", "http://evil.example"}},
		{"old browser, another origin, without a cookie", []string{"Origin", "http://evil.example"}},
		{"old browser, another port", []string{"Cookie", cookie, "Origin", "http://127.0.0.1:1"}},
		{"old browser, opaque origin", []string{"Cookie", cookie, "Origin", "null"}},
		{"old browser, invalid origin", []string{"Cookie", cookie, "Origin", "http://[::1"}},
		{"neither header, with a session", []string{"Cookie", cookie}},
		{"neither header, with another cookie", []string{"Cookie", "lang=en"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range forms {
				headers := append([]string{"Accept", "application/problem+json", "Content-Type", mediaForm}, c.headers...)
				got := s.do(t, http.MethodPost, path, "login=anna&psw=x", headers...)
				require.Equal(t, http.StatusForbidden, got.status, path)
				require.Contains(t, got.body, `"code":"cross_site"`, path)
			}
		})
	}
	require.True(t, b.IsSignedIn(t))
	require.Len(t, s.store.Accounts(), 1)
	page := b.Do(t, http.MethodPost, "/logout", "", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, page.Status)
	require.Equal(t, "The request didn't come from this site", page.Text("h1"))
	require.Contains(t, s.log.String(), "event=form outcome=forged code=cross_site")
}

func TestFormsOfThisServerAreTaken(t *testing.T) {
	for _, c := range []struct {
		name        string
		withSession bool
		headers     func(url string) []string
	}{
		{"page of this server", true, func(url string) []string { return []string{"Sec-Fetch-Site", "same-origin", "Origin", url} }},
		{"page of this server behind a proxy", true, func(string) []string {
			return []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://people.example"}
		}},
		{"user's own navigation", true, func(string) []string { return []string{"Sec-Fetch-Site", "none"} }},
		{"old browser", true, func(url string) []string { return []string{"Origin", url} }},
		{"program without cookies", false, func(string) []string { return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t)
			b := s.registered(t)
			headers := append([]string{"Content-Type", mediaForm}, c.headers(s.url)...)
			if c.withSession {
				headers = append(headers, "Cookie", "session="+b.Cookie("session"))
			}
			got := s.do(t, http.MethodPost, "/logout", "", headers...)
			require.Equal(t, http.StatusSeeOther, got.status, got.body)
			require.Equal(t, c.withSession, !b.IsSignedIn(t))
			got = s.do(t, http.MethodPost, "/login", url.Values{"login": {"anna"}, "psw": {goodPassword}}.Encode(), headers...)
			require.Equal(t, http.StatusSeeOther, got.status, got.body)
			require.Contains(t, strings.Join(got.header["Set-Cookie"], " "), "session=")
		})
	}
}

// A program registers and signs in with one request each.
func TestRegistrationAndSignInWithoutCookies(t *testing.T) {
	s := serve(t)
	form := url.Values{}
	for name, value := range anna() {
		form.Set(name, value)
	}
	registered := s.do(t, http.MethodPost, "/register", form.Encode(), "Content-Type", mediaForm)
	require.Equal(t, http.StatusSeeOther, registered.status, registered.body)
	require.Len(t, s.store.Accounts(), 1)
	signedIn := s.do(t, http.MethodPost, "/login", form.Encode(), "Content-Type", mediaForm)
	require.Equal(t, http.StatusSeeOther, signedIn.status, signedIn.body)
	require.Equal(t, "/profile", signedIn.header.Get("Location"))
}

// A page's script posts to /useradd by the same rule, where sessions are admitted.
func TestUseraddOfPages(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.Useradd.Access = api.AccessSession })
	b := s.registered(t)
	cookie := "session=" + b.Cookie("session")
	for _, c := range []struct {
		name    string
		status  int
		headers []string
	}{
		{"visitor", http.StatusUnauthorized, nil},
		{"unknown session", http.StatusUnauthorized, []string{"Cookie", "session=AAAAAAAAAAAAAAAAAAAAAAAAAA", "Sec-Fetch-Site", "same-origin"}},
		{"session and neither header", http.StatusForbidden, []string{"Cookie", cookie}},
		{"page of another site", http.StatusForbidden, []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}},
		{"page of another site in an old browser", http.StatusForbidden, []string{"Cookie", cookie, "Origin", "https://evil.example"}},
		{"page of this server", http.StatusOK, []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}},
		{"page of this server in an old browser", http.StatusOK, []string{"Cookie", cookie, "Origin", s.url}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.post(t, person(strings.ReplaceAll(c.name, " ", "."), `"email":"`+strings.ReplaceAll(c.name, " ", ".")+`@example.com"`), c.headers...)
			require.Equal(t, c.status, got.status, got.body)
			require.Equal(t, c.status == http.StatusUnauthorized, got.header.Get("WWW-Authenticate") != "")
		})
	}
}

// A program may send cookies that a load balancer gave it, where no session is needed.
func TestUseraddTakesCookiesOfPrograms(t *testing.T) {
	s := serve(t)
	got := s.post(t, person("anna", `"phone":"9000000001"`), "Cookie", "route=a")
	require.Equal(t, http.StatusOK, got.status, got.body)
}

func TestFormsMustBeForms(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		name, media, body string
		status            int
	}{
		{"JSON", "application/json", `{"login":"a"}`, http.StatusUnsupportedMediaType},
		{"multipart", "multipart/form-data; boundary=x", "--x--", http.StatusUnsupportedMediaType},
		{"no media type", "", "login=a", http.StatusUnsupportedMediaType},
		{"large", mediaForm, "login=" + strings.Repeat("a", 16<<10), http.StatusRequestEntityTooLarge},
		{"broken", mediaForm, "login=%zz", http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.browser(t).Do(t, http.MethodPost, "/login", c.body, "Content-Type", c.media)
			require.Equal(t, c.status, got.Status)
			require.NotEmpty(t, got.Text("h1"))
		})
	}
}

// Behind a trusted proxy, an Origin is compared with the host that the proxy forwards.
func TestOriginBehindProxy(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.Transport.Proxies = loopback })
	got := s.do(t, http.MethodPost, "/login", "login=a&psw=b", "Content-Type", mediaForm, "X-Forwarded-Host", "people.example", "Origin", "https://people.example", "Cookie", "lang=en")
	require.Equal(t, http.StatusUnauthorized, got.status, got.body)
	got = s.do(t, http.MethodPost, "/login", "login=a&psw=b", "Content-Type", mediaForm, "X-Forwarded-Host", "people.example", "Origin", s.url, "Cookie", "lang=en")
	require.Equal(t, http.StatusForbidden, got.status, got.body)
}
