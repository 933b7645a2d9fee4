package acceptance_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

// numbered returns the form of person n.
func numbered(n int) map[string]string {
	return with(anna(), "login", fmt.Sprintf("anna%d", n), "email", fmt.Sprintf("anna%d@example.com", n), "phone", "")
}

func TestRegistrationsOfOneAddressAreLimited(t *testing.T) {
	p := start(t, "--trusted-proxy", "127.0.0.1")
	from := func(n int, address string, headers ...string) *visitor.Page {
		return p.browser(t, "X-Forwarded-For", address).Submit(t, "/register", numbered(n), headers...)
	}
	for n := range 20 {
		require.Equal(t, 303, from(n, "192.0.2.1").Status)
	}
	got := from(20, "192.0.2.1")
	require.Equal(t, 429, got.Status)
	require.Regexp(t, `^([1-5]\d|60|\d)$`, got.Header.Get("Retry-After"))
	require.Equal(t, "Too many attempts. Try again in 1 minute.", got.Text("[role=alert]"))
	require.Equal(t, "anna20", got.Find("#login").AttrOr("value", ""), "the form keeps its values")
	got = from(20, "192.0.2.1", "Accept", "application/problem+json")
	require.Equal(t, 429, got.Status)
	require.Contains(t, got.HTML, `"code":"attempts"`)
	require.Equal(t, 303, from(20, "192.0.2.2").Status)
	require.Equal(t, 21, p.count(t, "users"))
}

// The server works on two registrations of an address at a time. Registrations of other addresses do not wait for the rest.
func TestConcurrentRegistrationsOfOneAddress(t *testing.T) {
	p := start(t, "--trusted-proxy", "127.0.0.1")
	holder, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer holder.Close(context.Background())
	var browsers []*browser
	var forms []*visitor.Page
	for _, address := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		b := p.browser(t, "X-Forwarded-For", address)
		browsers, forms = append(browsers, b), append(forms, b.Get(t, "/register"))
	}
	_, err = holder.Exec(t.Context(), "begin; lock table users in access exclusive mode")
	require.NoError(t, err)
	var group sync.WaitGroup
	register := func(n int) {
		group.Go(func() { require.Equal(t, 303, browsers[n].Send(t, "/register", forms[n], numbered(n)).Status) })
	}
	blocked := func() (n int) {
		require.NoError(t, holder.QueryRow(t.Context(), "select count(*) from pg_locks where not granted").Scan(&n))
		return n
	}
	for n := range 4 {
		register(n)
	}
	require.Eventually(t, func() bool { return blocked() >= 2 }, time.Minute, 10*time.Millisecond)
	register(4)
	require.Eventually(t, func() bool { return blocked() >= 3 }, time.Minute, 10*time.Millisecond)
	require.Equal(t, 3, blocked())
	_, err = holder.Exec(t.Context(), "rollback")
	require.NoError(t, err)
	group.Wait()
	require.Equal(t, 5, p.count(t, "users"))
}

// A client is a connection from an address in 127.0.0.0/8.
type client struct {
	net.Conn

	answers *bufio.Reader
}

func (p *program) dialFrom(t *testing.T, address string) *client {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return &client{c, bufio.NewReader(c)}
}

// isServed reports whether the server answers on the connection and keeps it open.
func (c *client) isServed() bool {
	_, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	if err != nil {
		return false
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

func TestOneAddressHasATenthOfTheConnections(t *testing.T) {
	p := start(t, "--max-connections", "50", "--trusted-proxy", "127.9.0.0/16")
	var share []*client
	for range 5 {
		share = append(share, p.dialFrom(t, "127.1.0.1"))
	}
	for range 10 {
		require.False(t, p.dialFrom(t, "127.1.0.1").isServed(), "one connection too many")
		require.True(t, p.dialFrom(t, "127.9.0.1").isServed(), "a trusted proxy")
	}
	for _, c := range share {
		require.True(t, c.isServed())
	}
	require.True(t, p.dialFrom(t, "127.1.0.2").isServed(), "another address")
	require.Equal(t, 1, strings.Count(p.logged(), `level=WARN msg="connection closed: its address has its share of all connections" address=127.1.0.1 share=5`), p.logged())

	require.NoError(t, share[0].Close())
	require.Eventually(t, func() bool { return p.dialFrom(t, "127.1.0.1").isServed() }, time.Minute, 10*time.Millisecond)
}
