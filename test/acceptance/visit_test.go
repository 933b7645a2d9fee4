package acceptance_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// A browser requests pages. It does not follow redirects.
type browser struct {
	p      *program
	client http.Client
	header http.Header // sent with each request
}

func (p *program) browser(t *testing.T, headers ...string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	b := &browser{p: p, header: http.Header{"Accept": {"text/html,*/*;q=0.8"}, "Accept-Language": {"en"}}}
	b.client = http.Client{Transport: p.transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for i := 0; i < len(headers); i += 2 {
		b.header.Set(headers[i], headers[i+1])
	}
	return b
}

// A page is an answer to a browser.
type page struct {
	*goquery.Document

	status  int
	header  http.Header
	cookies []*http.Cookie
	html    string
}

func (b *browser) do(t *testing.T, method, path, body string, headers ...string) *page {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, b.p.url+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header = b.header.Clone()
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	if request.Header.Get("Sec-Fetch-Site") == "" && request.Header.Get("Origin") == "" {
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	response, err := b.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	document, err := goquery.NewDocumentFromReader(response.Body)
	require.NoError(t, err)
	html, err := document.Html()
	require.NoError(t, err)
	for _, secret := range []string{"goroutine", "SQLSTATE", " from users", "insert into", ".go:", "runtime error"} {
		require.NotContains(t, html, secret, "%s %s", method, path)
	}
	require.NotRegexp(t, messageID, document.Text(), "%s %s shows a message's id", method, path)
	return &page{document, response.StatusCode, response.Header, response.Cookies(), html}
}

// messageID matches the IDs of messages in the catalogs, which pages must not show.
var messageID = regexp.MustCompile(`\b(alert|error|field|hint|home|label|layout|login|nav|notice|password|profile|register|title|upload|import|violation)\.[a-z]+[a-z_.]*\b`)

func (b *browser) get(t *testing.T, path string, headers ...string) *page {
	t.Helper()
	return b.do(t, http.MethodGet, path, "", headers...)
}

// submit requests a page, fills in its form and sends it.
func (b *browser) submit(t *testing.T, path string, fields map[string]string, headers ...string) *page {
	t.Helper()
	return b.send(t, path, b.get(t, path), fields, headers...)
}

// send fills in and sends the form of a page that was requested before.
func (b *browser) send(t *testing.T, path string, got *page, fields map[string]string, headers ...string) *page {
	t.Helper()
	require.NotZero(t, got.Find(`form[action="`+path+`"]`).Length(), "%s has no form for %s", got.html, path)
	form := url.Values{}
	got.Find(`form[action="` + path + `"] input[type=hidden]`).Each(func(_ int, hidden *goquery.Selection) {
		form.Set(hidden.AttrOr("name", ""), hidden.AttrOr("value", ""))
	})
	for name, value := range fields {
		form.Set(name, value)
	}
	return b.do(t, http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// text returns the text that a selector finds, in one line.
func (p *page) text(selector string) string {
	return strings.Join(strings.Fields(p.Find(selector).Text()), " ")
}

func (p *page) location() string { return p.header.Get("Location") }

const goodPassword = "корабль на рейде"

func anna() map[string]string {
	return map[string]string{
		"lname": "Ким", "fname": "Анна", "patr": "Петровна", "birthday": "1990-02-28", "email": "Anna@example.com",
		"phone": "8 (912) 345-67-89", "login": "Anna", "psw": goodPassword,
	}
}

func with(fields map[string]string, pairs ...string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	return fields
}

// registered registers Anna, and returns her browser.
func (p *program) registered(t *testing.T) *browser {
	t.Helper()
	b := p.browser(t)
	got := b.submit(t, "/register", anna())
	require.Equal(t, 303, got.status, got.text("main"))
	return b
}

// operator registers Anna as an operator, and returns her browser.
func (p *program) operator(t *testing.T) *browser {
	t.Helper()
	b := p.registered(t)
	p.grant(t, "anna")
	return b
}

// grant gives a user the operator role.
func (p *program) grant(t *testing.T, login string) {
	t.Helper()
	p.set(t, "insert into roles select id, 'operator' from users where login_key = '"+login+"'")
}

func (b *browser) signIn(t *testing.T, login, password string, headers ...string) *page {
	t.Helper()
	return b.submit(t, "/login", map[string]string{"login": login, "psw": password}, headers...)
}

func (b *browser) signOut(t *testing.T) {
	t.Helper()
	require.Equal(t, 303, b.send(t, "/logout", b.get(t, "/logout"), nil).status)
}

// signInFirst signs in with a temporary password and changes it.
func (b *browser) signInFirst(t *testing.T, login, temporary string) {
	t.Helper()
	got := b.signIn(t, login, temporary)
	require.Equal(t, 303, got.status, got.text("main"))
	require.Equal(t, "/account/password", got.location())
	got = b.submit(t, "/account/password", map[string]string{"old": temporary, "psw": goodPassword})
	require.Equal(t, 303, got.status, got.text("main"))
}

// isSignedIn reports whether the browser gets the profile.
func (b *browser) isSignedIn(t *testing.T) bool {
	t.Helper()
	got := b.get(t, "/profile")
	if got.status == 303 {
		require.Equal(t, "/login?next=%2Fprofile", got.location())
		return false
	}
	require.Equal(t, 200, got.status)
	return true
}

func (b *browser) cookie(name string) string {
	at, _ := url.Parse(b.p.url)
	for _, cookie := range b.client.Jar.Cookies(at) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// set executes a statement in the database.
func (p *program) set(t *testing.T, statement string) {
	t.Helper()
	pgtest.Query[struct{ N int }](t, p.database, "with done as ("+statement+" returning 1) select count(*)::int as n from done")
}
