package postgres_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

// If the answer to a commit is lost, the import is neither reported as failed nor stored twice, even if its caller has left.
func TestLostCommit(t *testing.T) {
	t.Run("connection lost", func(t *testing.T) { loseCommit(t.Context(), t, func() {}) })
	t.Run("caller left", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		loseCommit(ctx, t, cancel)
	})
}

// A promoted standby or a restored database may lack the commit, and give the number of its transaction to another. The import then
// runs again there.
func TestLostCommitOnAnotherServer(t *testing.T) {
	primary, standby := pgtest.New(t), pgtest.New(t)
	runs, id := addAndLose(t.Context(), t, primary, func() { swap(t, primary, standby) })
	require.Equal(t, 3, runs)
	require.Len(t, storedImports(t, primary), 1)
	require.Equal(t, id, storedImports(t, primary)[0].ID)
	require.Len(t, storedAccounts(t, primary), 1)
}

// swap exchanges the databases of two URLs.
func swap(t *testing.T, one, two string) {
	t.Helper()
	name := func(of string) string {
		u, err := url.Parse(of)
		require.NoError(t, err)
		return strings.TrimPrefix(u.Path, "/")
	}
	pgtest.Swap(t, name(one), name(two))
}

func loseCommit(ctx context.Context, t *testing.T, lost func()) {
	t.Helper()
	direct := pgtest.New(t)
	runs, id := addAndLose(ctx, t, direct, lost)
	require.Equal(t, 2, runs)
	require.Len(t, storedImports(t, direct), 2)
	require.Equal(t, id, storedImports(t, direct)[1].ID)
	require.Len(t, storedAccounts(t, direct), 2)
}

// addAndLose adds two accounts by two imports. It drops the answer to the second one's commit, and calls lost. It returns the number of
// runs of both imports, and the id of the second.
func addAndLose(ctx context.Context, t *testing.T, direct string, lost func()) (runs int, id int64) {
	t.Helper()
	var deaf atomic.Bool
	store := postgres.NewImports(open(t, proxy(t, direct, &deaf, lost)), time.Now)
	var once sync.Once
	add := func(record domain.Record, finish func()) (int64, error) {
		return store.Do(ctx, ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
			runs++
			_, err := tx.Taken(ctx, []domain.Record{record})
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, []domain.Account{{Registration: record.Registration, PasswordHash: "x"}}, nil))
			require.NoError(t, tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil))
			finish()
			return nil
		})
	}
	_, err := add(contract.Record(t, 1), func() {}) // prepares the statements, so that the next commit sends nothing else
	require.NoError(t, err)
	id, err = add(contract.Record(t, 2), func() { once.Do(func() { deaf.Store(true) }) })
	require.NoError(t, err)
	require.False(t, deaf.Load(), "the proxy did not drop the answer")
	return runs, id
}

// proxy forwards the traffic between clients and the server of a URL, and returns the URL of the proxy. Once deaf is set, it drops the
// next answer of the server, calls lost, and closes the connection to the client. It closes the connection to the server as soon as the
// client's is closed.
func proxy(t *testing.T, target string, deaf *atomic.Bool, lost func()) string {
	t.Helper()
	const name = ".s.PGSQL.5432"
	address, err := url.Parse(target)
	require.NoError(t, err)
	query := address.Query()
	server := filepath.Join(query.Get("host"), name)
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, name))
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.DialTimeout("unix", server, time.Second)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				defer upstream.Close()
				_, _ = io.Copy(upstream, client)
			}()
			go func() {
				defer client.Close()
				buf := make([]byte, 64<<10)
				for {
					n, err := upstream.Read(buf)
					if deaf.CompareAndSwap(true, false) {
						lost()
						return
					}
					if err != nil {
						return
					}
					_, err = client.Write(buf[:n])
					if err != nil {
						return
					}
				}
			}()
		}
	}()
	query.Set("host", dir)
	address.RawQuery = query.Encode()
	return address.String()
}
