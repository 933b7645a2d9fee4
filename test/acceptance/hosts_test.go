package acceptance_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

// withHost sends a request with a Host header, or by HTTP/1.0 without one, and returns the status.
func (p *program) withHost(t *testing.T, path, host string) (status string) {
	t.Helper()
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"
	if host == "" {
		request = "GET " + path + " HTTP/1.0\r\n\r\n"
	}
	answer := visitor.SendRaw(t, p.url, request)
	require.Regexp(t, `^HTTP/1.[01] \d{3} `, answer)
	return answer[len("HTTP/1.1 "):][:3]
}

// With DNS rebinding, a page of another site can send requests under its own name to this machine's addresses.
func TestHostNames(t *testing.T) {
	loopback := []string{
		"localhost", "localhost:5000", "LOCALHOST:5000", "localhost.", "app.localhost:80", "127.0.0.1", "127.0.0.1:5000", "127.1.2.3", "[::1]", "[::1]:5000",
		"[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]:1",
	}
	public := []string{"people.example", "people.example:8443", "PEOPLE.example.", "xn--e1afmkfd.xn--p1ai", "192.0.2.7:80", "[2001:db8::1]", "[2001:DB8:0::1]:443", "web_1:5000"}
	others := []string{
		"", "evil.example", "localhost.evil.example", "evil-localhost", "people.example.evil.example", "127.0.0.1.evil.example", "0.0.0.0:5000", "128.0.0.1",
		"127.1", "2130706433", "0x7f000001", "[::]", "[::2]", "192.0.2.8", "people", "example", "a", strings.Repeat("x", 1000), "<script>",
	}
	named := []string{"--host", "people.example", "--host", "Пример.рф,192.0.2.7,[2001:db8::1]", "--host", "Web_1"}
	for _, c := range []struct {
		name       string
		flags      []string
		takes, not [][]string
		warns      int
	}{
		{"on loopback", nil, [][]string{loopback}, [][]string{public, others}, 0},
		{"on loopback with names", named, [][]string{loopback, public}, [][]string{others}, 0},
		{"on all addresses", []string{"--listen", "0.0.0.0:0"}, [][]string{loopback, public, others[:4]}, nil, 1},
		{"on all addresses with names", append([]string{"--listen", "0.0.0.0:0"}, named...), [][]string{public}, [][]string{loopback, others}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, c.flags...)
			p.url = strings.Replace(p.url, "[::]", "127.0.0.1", 1)
			require.Equal(t, c.warns, strings.Count(p.logged(), "set --host to its names"))
			for i, hosts := range append(c.takes, c.not...) {
				for _, host := range hosts {
					want := "200"
					if i >= len(c.takes) {
						want = "421"
					}
					require.Equal(t, want, p.withHost(t, "/login", host), "%.50s", host)
				}
			}
			for _, probe := range []string{"/healthz", "/readyz"} {
				require.Equal(t, "200", p.withHost(t, probe, "10.1.2.3:5000"), "load balancers probe an instance by its address")
				require.Equal(t, "200", p.withHost(t, probe, ""))
			}
		})
	}
}

func TestSetupLinkHasAnAllowedHostName(t *testing.T) {
	p := start(t, "--listen", "0.0.0.0:0", "--host", "people.example", "--host", "other.example")
	require.Regexp(t, `url="http://people\.example:\d+/setup\?code=`, p.logged())
}

func TestUnknownHostIsExplained(t *testing.T) {
	p := start(t)
	const says = "The server does not answer to this host name. The administrator can add it with --host NAME."
	for range 3 {
		got := visitor.SendRaw(t, p.url, "GET / HTTP/1.1\r\nHost: people.example\r\nConnection: close\r\n\r\n")
		require.Contains(t, got, "HTTP/1.1 421 Misdirected Request\r\n")
		require.Contains(t, got, says)
	}
	got := visitor.SendRaw(t, p.url, "GET / HTTP/1.1\r\nHost: people.example\r\nAccept: text/html\r\nAccept-Language: ru\r\nConnection: close\r\n\r\n")
	require.Contains(t, got, "--host ИМЯ")
	require.Equal(t, 1, strings.Count(p.logged(), `level=WARN msg="request for an unknown host name rejected; if the name is this server's, set --host" host=people.example`))
	require.Equal(t, 1, strings.Count(p.logged(), "level=WARN"), "one warning for many requests")

	p = start(t)
	p.withHost(t, "/", strings.Repeat("x", 3000))
	require.Contains(t, p.logged(), "host=(invalid)")
}

// The host name that counts is the one forwarded by a trusted proxy.
func TestForwardedHostNames(t *testing.T) {
	for _, c := range []struct {
		flags     []string
		forwarded string
		status    int
	}{
		{[]string{"--trusted-proxy", "127.0.0.1", "--host", "people.example"}, "people.example", 200},
		{[]string{"--trusted-proxy", "127.0.0.1", "--host", "people.example"}, "people.example:8443, inner", 200},
		{[]string{"--trusted-proxy", "127.0.0.1", "--host", "people.example"}, "evil.example", 421},
		{[]string{"--trusted-proxy", "127.0.0.1"}, "people.example", 421},
		{[]string{"--host", "people.example"}, "evil.example", 200}, // an untrusted header is ignored
	} {
		t.Run(strings.Join(append(c.flags, c.forwarded), " "), func(t *testing.T) {
			require.Equal(t, c.status, start(t, c.flags...).do(t, http.MethodGet, "/login", nil, "X-Forwarded-Host", c.forwarded).status)
		})
	}
}

func TestInvalidHostNames(t *testing.T) {
	for _, value := range []string{"https://people.example", "people.example:8443", "people.example/x", "two names", "*.example", "[::1]:5000", strings.Repeat("x", 300)} {
		status, _, stderr := command(t, "", "serve", "--host", value)
		require.NotZero(t, status, "%q", value)
		require.Contains(t, stderr, "expected a name such as people.example", "%q", value)
	}
	t.Setenv("ROLLCALL_HOST", "people.example,192.0.2.7")
	p := start(t)
	require.Equal(t, "200", p.withHost(t, "/login", "192.0.2.7"))
	require.Equal(t, "421", p.withHost(t, "/login", "192.0.2.8"))
}
