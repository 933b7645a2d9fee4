package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestErrorAnswers(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		language string
		title    string
	}{
		{"en", "Page not found"},
		{"ru", "Страница не найдена"},
	} {
		t.Run(c.language, func(t *testing.T) {
			got := s.browser(t, "Accept-Language", c.language).Get(t, "/nowhere")
			require.Equal(t, 404, got.Status)
			require.Equal(t, c.language, got.Find("html").AttrOr("lang", ""))
			require.Equal(t, c.title, got.Text("h1"))
			require.Contains(t, got.Text("main"), got.Header.Get("X-Request-Id"))
		})
	}
	b := s.browser(t)
	for _, path := range []string{"/profile", "/useradd", "/", "/healthz"} {
		got := b.Do(t, http.MethodDelete, path, "")
		require.Equal(t, 405, got.Status, path)
		require.NotEmpty(t, got.Header.Get("Allow"), path)
		require.NotEmpty(t, got.Text("h1"))
	}
	signedIn := s.registered(t)
	require.Equal(t, "anna", signedIn.Get(t, "/nowhere").Text("a.who"), "the user stays signed in")
	problem := s.do(t, http.MethodGet, "/nowhere", "", "Accept", "application/problem+json, text/html")
	require.Equal(t, "application/problem+json", problem.header.Get("Content-Type"))
	require.Contains(t, problem.body, `"code":"not_found"`)
	unsigned := s.do(t, http.MethodGet, "/profile", "", "Accept", "application/problem+json")
	require.Equal(t, 401, unsigned.status)
	require.Contains(t, unsigned.body, `"code":"unauthorized"`)
	require.Equal(t, 401, s.do(t, http.MethodGet, "/profile", "").status)
	for _, path := range []string{`/<script>alert(1)</script>`, `/"onload=x`, "/%00", "/%ff%fe", "/?lang=<b>", "/" + strings.Repeat("a", 2000)} {
		got := b.Get(t, strings.NewReplacer("<", "%3C", ">", "%3E", `"`, "%22").Replace(path))
		require.Contains(t, []int{200, 404}, got.Status)
		require.NotContains(t, got.HTML, "<script>alert")
	}
}

// A method that HTTP does not define is answered like one that a path does not support.
func TestUnknownMethod(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		path, accept, language string
		status                 int
		allow, contains        string
	}{
		{"/useradd", "*/*", "en", 405, "POST", "Method not allowed. See the Allow header."},
		{"/useradd", "application/problem+json", "en", 405, "POST", `"code":"method_not_allowed"`},
		{"/profile", "text/html", "en", 405, "GET, HEAD", "Action not supported"},
		{"/profile", "text/html", "ru", 405, "GET, HEAD", "Действие не поддерживается"},
		{"/healthz", "*/*", "en", 405, "GET, HEAD", "Method not allowed."},
		{"/nowhere", "text/html", "ru", 404, "", "Страница не найдена"},
	} {
		t.Run(c.path+" "+c.accept+" "+c.language, func(t *testing.T) {
			got := s.do(t, "BREW", c.path, "{}", "Accept", c.accept, "Accept-Language", c.language)
			require.Equal(t, c.status, got.status)
			require.Equal(t, c.allow, got.header.Get("Allow"))
			require.Contains(t, got.body, c.contains)
			require.NotEmpty(t, got.header.Get("X-Request-Id"))
		})
	}
}
