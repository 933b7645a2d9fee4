package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

func sessionCookie(got *visitor.Page) *http.Cookie {
	for _, cookie := range got.Cookies {
		if strings.HasSuffix(cookie.Name, "session") {
			return cookie
		}
	}
	return nil
}

func TestSessionCookie(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.Transport.Proxies = loopback })
	plain := sessionCookie(s.browser(t).Submit(t, "/register", anna()))
	require.NotNil(t, plain)
	require.Equal(t, "session", plain.Name)
	require.True(t, plain.HttpOnly)
	require.False(t, plain.Secure)
	require.Equal(t, http.SameSiteLaxMode, plain.SameSite)
	require.Equal(t, "/", plain.Path)
	require.Empty(t, plain.Domain)
	require.GreaterOrEqual(t, len(plain.Value), 26, "128 random bits")

	got := s.do(t, http.MethodGet, "/login", "", "Accept", "text/html", "X-Forwarded-Proto", "https")
	require.Contains(t, got.header.Get("Set-Cookie"), "__Host-form=")
	require.Contains(t, strings.ToLower(got.header.Get("Set-Cookie")), "; secure")
	require.Contains(t, got.header.Get("Strict-Transport-Security"), "max-age=31536000")
	require.Empty(t, s.do(t, http.MethodGet, "/login", "", "Accept", "text/html").header.Get("Strict-Transport-Security"))

	direct := serve(t)
	got = direct.do(t, http.MethodGet, "/login", "", "Accept", "text/html", "X-Forwarded-Proto", "https")
	require.NotContains(t, got.header.Get("Set-Cookie"), "__Host-", "headers of untrusted proxies are ignored")
}

// Visitors without an account store no session.
func TestVisitorsStoreNothing(t *testing.T) {
	s := serve(t)
	b := s.browser(t)
	for _, path := range []string{"/", "/login", "/register", "/nowhere"} {
		b.Get(t, path)
	}
	b.SignIn(t, "Anna", "a guess at it")
	require.Empty(t, s.sessions.Keys())
}
