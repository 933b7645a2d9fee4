package transport_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"rollcall/adapters/web/transport"
)

// request returns a request of a peer on this machine, with a line of X-Forwarded-For for each text.
func request(t *testing.T, forwarded ...string) *fiber.Ctx {
	t.Helper()
	var r fasthttp.Request
	for _, line := range forwarded {
		r.Header.Add("X-Forwarded-For", line)
	}
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&r, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, nil)
	app := fiber.New()
	c := app.AcquireCtx(ctx)
	t.Cleanup(func() { app.ReleaseCtx(c) })
	return c
}

func networks(t *testing.T, all ...string) (proxies transport.Proxies) {
	t.Helper()
	for _, text := range all {
		network, err := netip.ParsePrefix(text)
		require.NoError(t, err)
		proxies = append(proxies, network)
	}
	return proxies
}

func TestClientAddressBehindProxies(t *testing.T) {
	proxies := networks(t, "127.0.0.0/8", "10.1.0.0/16", "2001:db8:ffff::/48", "192.0.2.77/32")
	for _, c := range []struct {
		want      string
		forwarded []string
	}{
		{"127.0.0.1", nil},
		{"203.0.113.7", []string{"203.0.113.7"}},
		{"203.0.113.7", []string{"198.51.100.1, 203.0.113.7"}},
		{"203.0.113.7", []string{"198.51.100.1,203.0.113.7 , 10.1.2.3,127.0.0.9"}},
		{"203.0.113.7", []string{"198.51.100.1", "203.0.113.7", "10.1.2.3, 192.0.2.77"}},
		{"203.0.113.7", []string{"203.0.113.7, 2001:db8:ffff::1, [2001:db8:ffff::1], [2001:db8:ffff::2]:443"}},
		{"203.0.113.7", []string{"203.0.113.7:51234"}},
		{"203.0.113.7", []string{"::ffff:203.0.113.7"}},
		{"203.0.113.7", []string{"[::ffff:203.0.113.7]:1"}},
		{"2001:db8:1:2::/64", []string{"2001:db8:1:2:3:4:5:6"}},
		{"2001:db8:1:2::/64", []string{"[2001:DB8:1:2::1]"}},
		{"2001:db8:1:2::/64", []string{"[2001:db8:1:2::1]:443, 10.1.0.1"}},
		{"fe80::/64", []string{"fe80::1%eth0"}},
		{"10.1.0.1", []string{"10.1.0.1"}}, // a request of the proxy itself
		{"127.0.0.1", []string{""}},
		{"127.0.0.1", []string{"unknown"}},
		{"127.0.0.1", []string{"203.0.113.7, unknown"}}, // no trusted proxy added the address
		{"10.1.0.1", []string{"203.0.113.7,, 10.1.0.1"}},
		{"127.0.0.1", []string{"203.0.113.7;10.1.0.1"}},
		{"127.0.0.1", []string{"[203.0.113.7", "["}},
		{"127.0.0.1", []string{"203.0.113.7:port"}},
		{"127.0.0.1", []string{"1.2.3"}},
		{"127.0.0.1", []string{"\xff\xfe"}},
		{"203.0.113.7", []string{strings.Repeat("x,", 900) + "203.0.113.7"}},
		{"127.0.0.1", []string{strings.Repeat(",", 1900)}},
		{"203.0.113.7", []string{strings.Repeat("203.0.113.7,", 1000) + "203.0.113.7"}},
		{"127.0.0.1", []string{strings.Repeat("[", 10_000)}},
	} {
		t.Run(fmt.Sprintf("%.50q", c.forwarded), func(t *testing.T) {
			require.Equal(t, c.want, proxies.ClientAddress(request(t, c.forwarded...)))
		})
	}
}

func TestUntrustedPeersForwardNothing(t *testing.T) {
	for _, proxies := range []transport.Proxies{nil, networks(t, "192.0.2.1/32", "2001:db8::/32")} {
		t.Run(fmt.Sprint(proxies), func(t *testing.T) {
			require.Equal(t, "127.0.0.1", proxies.ClientAddress(request(t, "203.0.113.7")))
		})
	}
}

func TestClientNetwork(t *testing.T) {
	proxies := networks(t, "127.0.0.0/8")
	require.Equal(t, "2001:db8:1::/48", proxies.ClientNetwork(request(t, "2001:db8:1:2:3:4:5:6"), 48).String())
	require.Equal(t, "203.0.113.7/32", proxies.ClientNetwork(request(t, "203.0.113.7"), 48).String())
}

func TestCheckForwardedKeepsValidHeaders(t *testing.T) {
	for _, c := range []struct {
		name         string
		proto, host  []string
		scheme, want string
	}{
		{"valid", []string{"https"}, []string{"people.example"}, "https", "people.example"},
		{"upper case and port", []string{"HTTPS"}, []string{"people.example:8443"}, "https", "people.example:8443"},
		{"several values", []string{"https, http"}, []string{"people.example, inner"}, "https", "people.example"},
		{"several lines", []string{"http", "https"}, []string{"a", "b"}, "http", "a"},
		{"IPv6", []string{"http"}, []string{"[2001:db8::1]:80"}, "http", "[2001:db8::1]:80"},
		{"invalid", []string{"javascript"}, []string{"a/b"}, "", ""},
		{"empty first value", []string{", https"}, []string{""}, "", ""},
		{"user information", []string{"ftp"}, []string{"user@evil.example"}, "", ""},
		{"markup", []string{"\xff"}, []string{`"><script>`}, "", ""},
		{"long", []string{strings.Repeat("https", 300)}, []string{strings.Repeat("a", 300)}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := httptest.NewRequest(http.MethodGet, "/", nil)
			sent.Header["X-Forwarded-Proto"], sent.Header["X-Forwarded-Host"] = c.proto, c.host
			for _, name := range []string{"X-Forwarded-Ssl", "X-Forwarded-Protocol", "X-Url-Scheme"} {
				sent.Header.Set(name, "https")
			}
			app := fiber.New()
			app.Use(transport.CheckForwarded)
			app.Get("/", func(ctx *fiber.Ctx) error {
				require.Equal(t, c.scheme, ctx.Get("X-Forwarded-Proto"))
				require.Equal(t, c.want, ctx.Get("X-Forwarded-Host"))
				require.Empty(t, ctx.Get("X-Forwarded-Ssl")+ctx.Get("X-Forwarded-Protocol")+ctx.Get("X-Url-Scheme"))
				return nil
			})
			response, err := app.Test(sent, -1)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode)
		})
	}
}
