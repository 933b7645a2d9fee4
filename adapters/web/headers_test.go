package web_test

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/views"
)

func TestSecurityHeaders(t *testing.T) {
	s := serve(t)
	b := s.registered(t)
	for _, path := range []string{"/", "/profile", "/account/password", "/nowhere", "/static/style.css"} {
		header := b.Get(t, path).Header
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.NotContains(t, header.Get("Content-Security-Policy"), "unsafe")
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "DENY", header.Get("X-Frame-Options"), path)
		require.Equal(t, "same-origin", header.Get("Referrer-Policy"), path)
		require.NotEmpty(t, header.Get("X-Request-Id"), path)
		require.Empty(t, header.Get("Server"), path)
		if !strings.HasPrefix(path, "/static") {
			require.Equal(t, "no-store", header.Get("Cache-Control"), path)
			require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"), path)
		}
	}
	home := b.Get(t, "/")
	style := home.Find("link[rel=stylesheet]").AttrOr("href", "")
	got := b.Get(t, style)
	require.Equal(t, 200, got.Status)
	require.Contains(t, got.Header.Get("Cache-Control"), "max-age=31536000")
	packed := b.Get(t, style, "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", packed.Header.Get("Vary"))
	require.Less(t, len(packed.HTML), len(got.HTML)/3)
	require.Empty(t, b.Get(t, "/profile", "Accept-Encoding", "gzip").Header.Get("Content-Encoding"), "pages have secrets")
	require.Zero(t, home.Find("[style], style, script:not([src])").Length(), "no inline code")
	for _, path := range []string{"/static/../views.go", "/static/%2e%2e/views.go", "/static/", "/static/nothing.css"} {
		require.Equal(t, 404, b.Get(t, path).Status, path)
	}

	api := s.post(t, person("boris", `"phone":"9000000001"`))
	require.Equal(t, 200, api.status)
	require.Empty(t, api.header.Get("Set-Cookie"), "/useradd sets no cookies")
}

// No answer permits pages of other origins to read it.
func TestNoCORSHeaders(t *testing.T) {
	s := serve(t)
	b := s.registered(t)
	for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
		for _, path := range []string{"/", "/profile", "/useradd", "/useradd/export/json", "/openapi.yaml", "/healthz", "/static/app.js"} {
			for _, origin := range []string{"https://evil.example", "null", s.url} {
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
	s := serve(t)
	for _, path := range []string{
		"/.git/config", "/.git/HEAD", "/static/.git/config", "/.gitignore", "/.env", "/.github/SECURITY.md", "/go.mod", "/static/", "/views/",
		"/static/../openapi.yaml", "/secret.key", "/data/secret.key", "/uploads/", "/debug/pprof/", "/metrics",
	} {
		require.Equal(t, 404, s.do(t, http.MethodGet, path, "").status, path)
	}
	require.Equal(t, 405, s.do(t, http.MethodTrace, "/", "").status)
}

// Clients cannot add lines or attributes to the log.
func TestLogInjection(t *testing.T) {
	s := serve(t)
	paths := []string{"/%0Alevel=ERROR%20forged=1", "/%0D%0Aforged=1", "/%22%20forged=%22", `/"%20forged="`, "/%E2%80%A8forged=1"}
	for _, path := range paths {
		s.do(t, http.MethodGet, path, "", "X-Request-Id", `x" forged=1 "`)
	}
	quoted := regexp.MustCompile(`"(\\.|[^"\\])*"`)
	requests := 0
	for line := range strings.Lines(s.log.String()) {
		require.Regexp(t, `^time=\S+ level=(INFO|WARN) msg=`, line)
		require.NotContains(t, quoted.ReplaceAllString(line, ""), " forged=")
		requests += strings.Count(line, "msg=request ")
	}
	require.Equal(t, len(paths), requests)
}
