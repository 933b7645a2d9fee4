package acceptance_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A browser sends requests for pages of any site. The server rejects those of other sites, for every value of --useradd-access.
func TestCrossSiteRequestsAreRejected(t *testing.T) {
	p := start(t)
	body := person("anna", `"phone":"9000000001"`)
	for _, c := range []struct {
		name    string
		headers []string
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}},
		{"another site with this origin", []string{"Sec-Fetch-Site", "cross-site", "Origin", p.url}},
		{"a sibling site", []string{"Sec-Fetch-Site", "same-site"}},
		{"an unknown value", []string{"Sec-Fetch-Site", "x"}},
		{"an old browser", []string{"Origin", "https://evil.example"}},
		{"an old browser on another port", []string{"Origin", "http://127.0.0.1:1"}},
		{"an old browser with another name", []string{"Origin", strings.Replace(p.url, "127.0.0.1", "localhost", 1)}},
		{"a sandbox or a local file", []string{"Origin", "null"}},
		{"an invalid origin", []string{"Origin", "http://[::1"}},
		{"a form sent as text", []string{"Origin", "https://evil.example", "Content-Type", "text/plain"}},
		{"a form with a file", []string{"Origin", "https://evil.example", "Content-Type", "multipart/form-data; boundary=x"}},
		{"a scheme alone", []string{"Origin", "evil:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				for _, path := range []string{"/useradd", "/register", "/login", "/logout", "/account/password", "/useradd/upload", "/useradd/uploads/x/start", "/", "/nowhere"} {
					got := p.do(t, method, path, strings.NewReader(body), append(c.headers, "Accept", "application/problem+json")...)
					require.Equal(t, 403, got.status, "%s %s", method, path)
					require.Contains(t, got.body, `"code":"cross_site"`, "%s %s", method, path)
				}
			}
			require.NotEqual(t, 403, p.do(t, http.MethodGet, "/login", nil, c.headers...).status, "links from other sites work")
		})
	}
	require.Zero(t, p.count(t, "users"))
	require.Zero(t, p.count(t, "codes"), "rejected requests are not stored")

	for _, c := range []struct {
		name    string
		headers []string
	}{
		{"a program", nil},
		{"a page of the server", []string{"Sec-Fetch-Site", "same-origin", "Origin", p.url}},
		{"a page in an old browser", []string{"Origin", p.url}},
		{"an address typed by the user", []string{"Sec-Fetch-Site", "none"}},
		{"a page behind a proxy", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://people.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, 400, p.post(t, "{}", c.headers...).status)
		})
	}
}

// The server does not receive the body of a rejected request, and never reads it as the next request.
func TestRejectionComesBeforeTheBody(t *testing.T) {
	p := start(t)
	for _, header := range []string{"Host: localhost\r\nOrigin: https://evil.example", "Host: evil.example"} {
		for _, length := range []string{"Content-Length: 1000000000", "Transfer-Encoding: chunked"} {
			conn := begin(t, p, fmt.Sprintf("POST /useradd HTTP/1.1\r\n%s\r\n%s\r\n\r\n1", header, length))
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err, header)
			defer answer.Body.Close()
			require.Contains(t, []int{403, 421}, answer.StatusCode, header)
			require.True(t, answer.Close, header)
		}
	}
	got := p.post(t, strings.Repeat(" ", 20<<20), "Origin", "https://evil.example")
	require.Equal(t, 403, got.status, "a client that sends its whole body can read the answer")
	require.NotEmpty(t, got.body)
	require.Zero(t, p.count(t, "codes"))
}
