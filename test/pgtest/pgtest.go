// Package pgtest gives each test a database of its own, cloned from a migrated template on one server of the test process.
package pgtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/adapters/postgres"
)

// stopTimeout bounds how long the server may take to stop when the tests are over.
const stopTimeout = time.Minute

var (
	once      sync.Once
	server    *localpg.Server
	folder    string
	errStart  error
	databases atomic.Int64
)

// Run runs the tests of a package, and stops the server afterwards. TestMain must call it.
func Run(m *testing.M) int {
	status := m.Run()
	if server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		err := server.Stop(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			return 1
		}
	}
	_ = os.RemoveAll(folder)
	return status
}

func start() {
	folder, errStart = os.MkdirTemp("", "pgtest-")
	if errStart != nil {
		return
	}
	ctx := context.Background()
	server, errStart = localpg.Start(ctx, localpg.Config{
		Dir: folder + "/postgres",
		// what is lost when the machine fails is no loss to a test
		Settings: map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
		Log:      slog.New(slog.DiscardHandler),
	})
	if errStart == nil {
		errStart = postgres.Migrate(ctx, server.URL(localpg.Database))
	}
}

// New makes a database for the test, with every migration and nothing in it, and returns its URL.
func New(t testing.TB) string {
	t.Helper()
	once.Do(start)
	require.NoError(t, errStart)
	name := fmt.Sprintf("test_%d", databases.Add(1))
	administer(t, "create database "+name+" template "+localpg.Database)
	t.Cleanup(func() { administer(t, "drop database "+name+" with (force)") })
	return server.URL(name)
}

func administer(t testing.TB, sql string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	require.NoError(t, err)
}

// Query returns what the statement finds in the database at url, as T's with a field for each column.
func Query[T any](t testing.TB, url, sql string, args ...any) []T {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql, args...)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	require.NoError(t, err)
	return found
}
