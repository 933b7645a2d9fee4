package acceptance_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// seenFrom reports whether a failed sign-in is counted for an address.
func (p *program) seenFrom(t *testing.T, address string, forwarded ...string) bool {
	t.Helper()
	p.set(t, "delete from limits")
	b := p.browser(t)
	b.Header["X-Forwarded-For"] = forwarded
	require.Equal(t, 401, b.SignIn(t, "nobody", "a guess at it").Status)
	key := sha256.Sum256([]byte("address " + address))
	found := pgtest.Query[struct{ Is bool }](t, p.database, `select true as is from limits where encode(key, 'hex') = '`+hex.EncodeToString(key[:])+`'`)
	return len(found) == 1
}

// transport.TestClientAddressBehindProxies has the other forms of the header.
func TestForwardedAddresses(t *testing.T) {
	t.Setenv("ROLLCALL_TRUSTED_PROXY", "127.0.0.0/8,10.1.0.0/16,2001:db8:ffff::/48,::ffff:192.0.2.77")
	p := start(t)
	for _, c := range []struct {
		want      string
		forwarded []string
	}{
		{"127.0.0.1", nil},
		{"203.0.113.7", []string{"198.51.100.1", "203.0.113.7", "10.1.2.3, 192.0.2.77"}},
		{"2001:db8:1:2::/64", []string{"[2001:db8:1:2::1]:443, 10.1.0.1"}},
		{"127.0.0.1", []string{"203.0.113.7, unknown"}}, // no trusted proxy added the address
	} {
		t.Run(fmt.Sprintf("%.50q", c.forwarded), func(t *testing.T) {
			require.True(t, p.seenFrom(t, c.want, c.forwarded...))
		})
	}
	for _, value := range []string{strings.Repeat("203.0.113.7,", 1000), strings.Repeat("[", 10_000)} {
		got := p.do(t, http.MethodGet, "/login", nil, "X-Forwarded-For", value)
		require.Contains(t, []int{200, 400, 431}, got.status)
	}
	require.NotContains(t, p.logged(), "panic")
}

func TestUntrustedForwardedHeadersAreIgnored(t *testing.T) {
	for _, flags := range [][]string{nil, {"--trusted-proxy", "192.0.2.1", "--trusted-proxy", "2001:db8::/32"}} {
		p := start(t, flags...)
		require.True(t, p.seenFrom(t, "127.0.0.1", "203.0.113.7"))
		got := p.do(t, http.MethodGet, "/login", nil, "Accept", "text/html", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example")
		require.Empty(t, got.header.Get("Strict-Transport-Security"))
		require.NotContains(t, got.header.Get("Set-Cookie"), "ecure")
		profile := p.registered(t).Get(t, "/profile", "X-Forwarded-Host", "evil.example")
		require.Contains(t, profile.Text("#report"), p.url)
		require.NotContains(t, profile.HTML, "evil.example")
	}
}

// A proxy that is not a --trusted-proxy is logged once, with what its clients can do, on any listen address.
func TestUntrustedProxiesAreLogged(t *testing.T) {
	const proxy, posts, sees = "X-Forwarded headers of an untrusted peer", "POST /useradd is open to anyone", "anyone who registers may see reports"
	for _, c := range []struct {
		flags, headers     []string
		proxy, posts, sees int
	}{
		{nil, nil, 0, 0, 0},
		{nil, []string{"X-Forwarded-For", "203.0.113.7"}, 1, 1, 1},
		{nil, []string{"X-Forwarded-Proto", "https"}, 1, 1, 1},
		{nil, []string{"X-Forwarded-Host", "people.example"}, 1, 1, 1},
		{[]string{"--trusted-proxy", "192.0.2.1"}, []string{"X-Forwarded-For", "203.0.113.7"}, 1, 1, 1},
		{[]string{"--trusted-proxy", "127.0.0.1"}, []string{"X-Forwarded-For", "203.0.113.7"}, 0, 0, 0},
		{[]string{"--useradd-access", "token", "--reports-access", "operators"}, []string{"X-Forwarded-For", "203.0.113.7"}, 1, 0, 0},
		{[]string{"--listen", "0.0.0.0:0"}, []string{"X-Forwarded-For", "203.0.113.7"}, 1, 1, 1},
	} {
		t.Run(strings.Join(append(c.flags, c.headers...), " "), func(t *testing.T) {
			p := start(t, c.flags...)
			for range 3 {
				p.do(t, http.MethodGet, "/healthz", nil, c.headers...)
				p.do(t, http.MethodGet, "/login", nil, c.headers...)
			}
			log := p.logged()
			count := []int{strings.Count(log, proxy), strings.Count(log, posts), strings.Count(log, sees)}
			require.Equal(t, []int{c.proxy, c.posts, c.sees}, count, log)
			if c.proxy > 0 {
				require.Regexp(t, `level=WARN msg="[^"]+all its clients count as one address and cookies lack the Secure attribute" peer=(127.0.0.1|::1)\b`, log)
				require.NotContains(t, log, "203.0.113.7")
			}
		})
	}
}

func TestForwardedSchemeAndHost(t *testing.T) {
	p := start(t, "--trusted-proxy", "127.0.0.1", "--host", "people.example", "--host", "2001:db8::1")
	own, err := url.Parse(p.url)
	require.NoError(t, err)
	for _, c := range []struct {
		headers      []string
		scheme, host string
	}{
		{nil, "http", own.Host},
		{[]string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "people.example"}, "https", "people.example"},
		{[]string{"X-Forwarded-Proto", "HTTPS, http", "X-Forwarded-Host", "people.example:8443, inner"}, "https", "people.example:8443"},
		{[]string{"X-Forwarded-Proto", "http", "X-Forwarded-Host", "[2001:db8::1]:80"}, "http", "[2001:db8::1]:80"},
		{[]string{"X-Forwarded-Proto", "javascript", "X-Forwarded-Host", "a/b"}, "http", own.Host},
		{[]string{"X-Forwarded-Proto", "", "X-Forwarded-Host", ""}, "http", own.Host},
		{[]string{"X-Forwarded-Proto", ", https", "X-Forwarded-Host", "user@evil.example"}, "http", own.Host},
		{[]string{"X-Forwarded-Proto", "\xff", "X-Forwarded-Host", `"><script>`}, "http", own.Host},
		{[]string{"X-Forwarded-Proto", strings.Repeat("https", 300), "X-Forwarded-Host", strings.Repeat("a", 300)}, "http", own.Host},
		{[]string{"X-Forwarded-Ssl", "on", "X-Forwarded-Protocol", "https", "X-Url-Scheme", "https"}, "http", own.Host},
	} {
		t.Run(strings.Join(c.headers, " "), func(t *testing.T) {
			b := p.browser(t, c.headers...)
			b.Client.Jar = nil // a jar does not send Secure cookies without TLS
			form := b.Get(t, "/login")
			require.Equal(t, c.scheme == "https", form.Header.Get("Strict-Transport-Security") != "")
			require.Len(t, form.Cookies, 1)
			require.Equal(t, c.scheme == "https", form.Cookies[0].Secure)
			p.set(t, "delete from users")
			form = b.Get(t, "/register")
			got := b.Send(t, "/register", form, anna())
			require.Equal(t, 303, got.Status)
			session := sessionCookie(got)
			require.NotNil(t, session)
			require.Equal(t, c.scheme == "https", session.Secure)
			profile := b.Get(t, "/profile", "Cookie", session.Name+"="+session.Value)
			require.Contains(t, profile.Text("#report"), "--server "+c.scheme+"://"+c.host+" ")
		})
	}
}

func TestInvalidNetworks(t *testing.T) {
	for _, value := range []string{"proxy.example", "10.0.0.0/33", "1.2.3", "10.0.0.1:80"} {
		status, _, stderr := command(t, "", "serve", "--trusted-proxy", value)
		require.NotZero(t, status, value)
		require.Contains(t, stderr, "--trusted-proxy", value)
	}
}
