package acceptance_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

func TestFlagsFromEnvironment(t *testing.T) {
	t.Setenv("ROLLCALL_MAX_BODY", "1KiB")
	t.Setenv("ROLLCALL_DEFAULT_REGION", "DE")
	p := start(t)
	require.Equal(t, 413, p.post(t, strings.Repeat(" ", 1025)).status)
	require.Equal(t, 200, p.post(t, person("hans", `"phone":"030 901820"`)).status)
	t.Setenv("ROLLCALL_SERVER", p.url)
	status, _, _ := command(t, person("otto", `"phone":"030 901821"`), "send", "-")
	require.Zero(t, status)
}

func TestMigrate(t *testing.T) {
	p := start(t)
	status, _, stderr := command(t, "", "migrate", "--database-url", p.database, "--data-dir", t.TempDir())
	require.Zero(t, status, stderr)
	status, _, stderr = command(t, "", "migrate", "--database-url", "postgres://127.0.0.1:1/x", "--data-dir", t.TempDir())
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "rollcall: migrate: ")
}

func TestHealth(t *testing.T) {
	p := start(t)
	require.Equal(t, 200, p.do(t, "GET", "/healthz", nil).status)
	ready := p.do(t, "GET", "/readyz", nil)
	require.Equal(t, 200, ready.status)

	for _, header := range []string{"", "application/problem+json"} {
		got := p.do(t, "GET", "/nowhere?email=ivan@example.com", nil, "Accept", header)
		require.Equal(t, 404, got.status)
	}
	require.NotContains(t, p.logged(), "ivan@example.com")
	require.Contains(t, p.logged(), "path=/nowhere status=404")
	require.Contains(t, p.logged(), "id="+ready.header.Get("X-Request-ID"))
}

// The embedded database keeps its data, and stops with the program.
func TestEmbeddedDatabase(t *testing.T) {
	dir := pgtest.Dir(t)
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir}
	t.Setenv("DATABASE_URL", "")
	first := &program{}
	first.run(t, args...)
	require.Equal(t, 200, first.post(t, person("anna", `"phone":"9000000001"`)).status)

	status, _, stderr := command(t, "", "user", "grant", "ANNA", "operator", "--data-dir", dir)
	require.Zero(t, status, "while the server runs: %s", stderr)
	status, _, stderr = command(t, "", args...)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "another program uses the database in "+filepath.Join(dir, "postgres"))
	require.Zero(t, first.stop())
	require.NoFileExists(t, filepath.Join(dir, "postgres", "data", "postmaster.pid"))

	status, stdout, stderr := command(t, "", "user", "list", "--data-dir", dir)
	require.Zero(t, status, "while no server runs: %s", stderr)
	require.Equal(t, "anna\toperator\n", stdout)

	second := &program{}
	second.run(t, args...)
	got := second.post(t, person("anna", `"phone":"9000000002"`), "Accept", "application/problem+json")
	require.Contains(t, got.body, "Login belongs to another user.")
}

// The server completes a request that is in flight when it is told to stop.
func TestStopCompletesRequests(t *testing.T) {
	p := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	responses := bufio.NewReader(conn)
	body := person("anna", `"phone":"9000000001"`)
	_, err = fmt.Fprintf(conn, "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	require.NoError(t, err)
	begun, err := responses.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, begun, "100 Continue", "the request is in flight")
	_, err = responses.ReadString('\n')
	require.NoError(t, err)

	stopped := make(chan int)
	go func() { stopped <- p.stop() }()
	require.Eventually(t, func() bool { return strings.Contains(p.logged(), "msg=stopping") }, time.Minute, 10*time.Millisecond)
	_, err = fmt.Fprint(conn, body)
	require.NoError(t, err)
	answer, err := http.ReadResponse(responses, nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, 200, answer.StatusCode)
	require.True(t, answer.Close, "the response closes the connection")
	require.Zero(t, <-stopped)
	require.Equal(t, 1, p.count(t, "users"))
}
