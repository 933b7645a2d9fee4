package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web/guard"
	"rollcall/test/visitor"
)

// A client that stalls in the middle of a body gets 408, on every route.
func TestBodyTimeout(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.Transport.ClientTimeout = 100 * time.Millisecond })
	for _, c := range []struct {
		path  string
		media string
	}{
		{"/useradd", "application/json"},
		{"/login", mediaForm},
		{"/register", mediaForm},
	} {
		t.Run(c.path, func(t *testing.T) {
			conn := visitor.BeginRaw(t, s.url, "POST "+c.path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: "+c.media+"\r\nContent-Length: 100\r\n\r\n[")
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.Regexp(t, "^HTTP/1.1 408 ", string(answer))
		})
	}
}

// A form that stalls comes back with the fields that arrived whole.
func TestFormThatStalls(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.Transport.ClientTimeout = 100 * time.Millisecond })
	conn := visitor.BeginRaw(t, s.url, "POST /register HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nContent-Type: "+mediaForm+
		"\r\nContent-Length: 100\r\n\r\nlname=Kim&fname=Anna&login=ann")
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Regexp(t, "^HTTP/1.1 408 ", string(answer))
	require.Contains(t, string(answer), `value="Kim"`)
	require.Contains(t, string(answer), `value="Anna"`)
	require.NotContains(t, string(answer), `value="ann"`)
}

// The server does not receive the body of a rejected request, and never reads it as the next request.
func TestRejectionComesBeforeTheBody(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.Guard.Hosts = guard.Hosts{Loopback: true} })
	for _, header := range []string{"Host: localhost\r\nOrigin: https://evil.example", "Host: evil.example"} {
		for _, length := range []string{"Content-Length: 1000000000", "Transfer-Encoding: chunked"} {
			conn := visitor.BeginRaw(t, s.url, fmt.Sprintf("POST /useradd HTTP/1.1\r\n%s\r\n%s\r\n\r\n1", header, length))
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err, header)
			defer answer.Body.Close()
			require.Contains(t, []int{403, 421}, answer.StatusCode, header)
			require.True(t, answer.Close, header)
		}
	}
	got := s.post(t, strings.Repeat(" ", 20<<20), "Origin", "https://evil.example")
	require.Equal(t, 403, got.status, "a client that sends its whole body can read the answer")
	require.NotEmpty(t, got.body)
	require.Empty(t, s.store.Recorded())
}

// The unread rest of a body is not the next request.
func TestUnreadBody(t *testing.T) {
	s := serve(t)
	smuggled := "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	got := visitor.SendRaw(t, s.url, "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: "+strconv.Itoa(len(smuggled))+"\r\n\r\n"+smuggled)
	require.Equal(t, 1, strings.Count(got, "HTTP/1.1 "), got)
	got = visitor.SendRaw(t, s.url, "GET /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: "+strconv.Itoa(len(smuggled))+"\r\n\r\n"+smuggled)
	require.Equal(t, 1, strings.Count(got, "HTTP/1.1 "), got)
}
