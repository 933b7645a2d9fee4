package visitor

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// SendRaw sends bytes to a server on a new connection, and returns the whole answer.
func SendRaw(t *testing.T, server, request string) string {
	t.Helper()
	conn := BeginRaw(t, server, request)
	require.NoError(t, conn.CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(answer)
}

// BeginRaw sends bytes to a server on a new connection, which stays open for at most ten seconds.
func BeginRaw(t *testing.T, server, request string) *net.TCPConn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(server, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	return conn.(*net.TCPConn)
}
