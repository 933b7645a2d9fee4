package postgres_test

import (
	"net"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

// A server that accepts connections and stays silent is skipped. If there is no other server, the database is unavailable.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { silent.Close() })
	port := strconv.Itoa(silent.Addr().(*net.TCPAddr).Port)
	address, err := url.Parse(pgtest.New(t))
	require.NoError(t, err)
	with := func(host, port string) string {
		query := address.Query()
		query.Set("host", host)
		query.Set("port", port)
		u := *address
		u.RawQuery = query.Encode()
		return u.String()
	}
	both := open(t, with("127.0.0.1,"+address.Query().Get("host"), port+",5432"))
	require.NoError(t, both.Ready(t.Context()))

	registration := contract.Record(t, 1).Registration
	_, err = postgres.NewRegistrations(open(t, with("127.0.0.1", port))).Taken(t.Context(), &registration)
	require.ErrorIs(t, err, ports.ErrUnavailable)
}
