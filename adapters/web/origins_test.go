package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A browser sends requests for pages of any site. The server rejects those of other sites, for every value of --useradd-access.
func TestCrossSiteRequestsAreRejected(t *testing.T) {
	s := serve(t)
	body := person("anna", `"phone":"9000000001"`)
	for _, c := range []struct {
		name    string
		headers []string
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}},
		{"another site with this origin", []string{"Sec-Fetch-Site", "cross-site", "Origin", s.url}},
		{"a sibling site", []string{"Sec-Fetch-Site", "same-site"}},
		{"an unknown value", []string{"Sec-Fetch-Site", "x"}},
		{"an old browser", []string{"Origin", "https://evil.example"}},
		{"an old browser on another port", []string{"Origin", "http://127.0.0.1:1"}},
		{"an old browser with another name", []string{"Origin", strings.Replace(s.url, "127.0.0.1", "localhost", 1)}},
		{"a sandbox or a local file", []string{"Origin", "null"}},
		{"an invalid origin", []string{"Origin", "http://[::1"}},
		{"a form sent as text", []string{"Origin", "https://evil.example", "Content-Type", "text/plain"}},
		{"a form with a file", []string{"Origin", "https://evil.example", "Content-Type", "multipart/form-data; boundary=x"}},
		{"a scheme alone", []string{"Origin", "evil:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				for _, path := range []string{"/useradd", "/register", "/login", "/logout", "/account/password", "/useradd/upload", "/useradd/uploads/x/start", "/", "/nowhere"} {
					got := s.do(t, method, path, body, append(c.headers, "Accept", "application/problem+json")...)
					require.Equal(t, 403, got.status, "%s %s", method, path)
					require.Contains(t, got.body, `"code":"cross_site"`, "%s %s", method, path)
				}
			}
			require.NotEqual(t, 403, s.do(t, http.MethodGet, "/login", "", c.headers...).status, "links from other sites work")
		})
	}
	require.Empty(t, s.store.Accounts())
	require.Empty(t, s.store.Recorded(), "rejected requests are not stored")

	for _, c := range []struct {
		name    string
		headers []string
	}{
		{"a program", nil},
		{"a page of the server", []string{"Sec-Fetch-Site", "same-origin", "Origin", s.url}},
		{"a page in an old browser", []string{"Origin", s.url}},
		{"an address typed by the user", []string{"Sec-Fetch-Site", "none"}},
		{"a page behind a proxy", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://people.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, 400, s.post(t, "{}", c.headers...).status)
		})
	}
}
