// Package visitor is a browser without scripts for tests: it keeps cookies, fills in forms, and reads pages by selector. It also compresses
// the files that tests send.
package visitor

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"
)

// A Browser sends the requests of one browser to a server. It follows no redirect.
type Browser struct {
	Client http.Client
	Header http.Header // of every request

	server string // URL
}

// New returns a browser that sends these headers with every request, besides those that browsers send.
func New(t *testing.T, server string, headers ...string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	b := &Browser{server: server, Header: http.Header{"Accept": {"text/html,*/*;q=0.8"}, "Accept-Language": {"en"}}}
	b.Client = http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	setAll(b.Header, headers)
	return b
}

func setAll(header http.Header, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		header.Set(pairs[i], pairs[i+1])
	}
}

// Clone returns a browser that has the same cookies now.
func (b *Browser) Clone(t *testing.T) *Browser {
	t.Helper()
	clone := New(t, b.server)
	clone.Header = b.Header.Clone()
	at, err := url.Parse(b.server)
	require.NoError(t, err)
	clone.Client.Jar.SetCookies(at, b.Client.Jar.Cookies(at))
	return clone
}

// A Page is an answer to a browser.
type Page struct {
	*goquery.Document

	Status  int
	Header  http.Header
	Cookies []*http.Cookie // that the answer sets
	HTML    string
}

// messageID matches the ids that catalogs give to messages. No page may show one.
var messageID = regexp.MustCompile(`\b(alert|error|field|hint|home|label|layout|login|nav|notice|password|profile|register|title|upload|import|violation|user|status|bulk|users)\.[a-z]+[a-z_.]*\b`)

// Do sends a request as a page of the server does, unless the headers say where the request comes from. It fails the test if the answer
// discloses how the server works.
func (b *Browser) Do(t *testing.T, method, path, body string, headers ...string) *Page {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, b.server+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header = b.Header.Clone()
	setAll(request.Header, headers)
	if request.Header.Get("Sec-Fetch-Site") == "" && request.Header.Get("Origin") == "" {
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	response, err := b.Client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	document, err := goquery.NewDocumentFromReader(strings.NewReader(string(text)))
	require.NoError(t, err)
	for _, secret := range []string{"goroutine", "SQLSTATE", " from users", "insert into", ".go:", "runtime error"} {
		require.NotContains(t, string(text), secret, "%s %s", method, path)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		require.NotRegexp(t, messageID, document.Text(), "%s %s shows the id of a message", method, path)
	}
	return &Page{document, response.StatusCode, response.Header, response.Cookies(), string(text)}
}

// Get opens a page.
func (b *Browser) Get(t *testing.T, path string, headers ...string) *Page {
	t.Helper()
	return b.Do(t, http.MethodGet, path, "", headers...)
}

// Submit opens a page, and sends its form.
func (b *Browser) Submit(t *testing.T, path string, fields map[string]string, headers ...string) *Page {
	t.Helper()
	return b.Send(t, path, b.Get(t, path), fields, headers...)
}

// Send sends a form of a page.
func (b *Browser) Send(t *testing.T, path string, page *Page, fields map[string]string, headers ...string) *Page {
	t.Helper()
	require.NotZero(t, page.Find(`form[action="`+path+`"]`).Length(), "%s has no form for %s", page.HTML, path)
	form := url.Values{}
	page.Find(`form[action="` + path + `"]`).Find("input[type=hidden], input[readonly]").Each(func(_ int, hidden *goquery.Selection) {
		form.Set(hidden.AttrOr("name", ""), hidden.AttrOr("value", ""))
	})
	for name, value := range fields {
		form.Set(name, value)
	}
	return b.Do(t, http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// SignIn signs in by the form.
func (b *Browser) SignIn(t *testing.T, login, password string, headers ...string) *Page {
	t.Helper()
	return b.Submit(t, "/login", map[string]string{"login": login, "psw": password}, headers...)
}

// SignOut signs out by the form.
func (b *Browser) SignOut(t *testing.T) {
	t.Helper()
	require.Equal(t, http.StatusSeeOther, b.Submit(t, "/logout", nil).Status)
}

// IsSignedIn reports whether the browser may open the profile.
func (b *Browser) IsSignedIn(t *testing.T) bool {
	t.Helper()
	got := b.Get(t, "/profile")
	if got.Status == http.StatusSeeOther {
		require.Equal(t, "/login?next=%2Fprofile", got.Location())
		return false
	}
	require.Equal(t, http.StatusOK, got.Status)
	return true
}

// Cookie returns the value of a cookie that the browser has, empty for none.
func (b *Browser) Cookie(name string) string {
	at, _ := url.Parse(b.server)
	for _, cookie := range b.Client.Jar.Cookies(at) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// Text returns the text of what a selector finds, on one line.
func (p *Page) Text(selector string) string {
	return strings.Join(strings.Fields(p.Find(selector).Text()), " ")
}

// Location returns the address that the answer redirects to.
func (p *Page) Location() string { return p.Header.Get("Location") }
