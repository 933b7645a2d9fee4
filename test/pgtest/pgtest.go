// Package pgtest provides each test with a migrated database, cloned from a template on one server of the test process.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/adapters/postgres"
)

// stopTimeout bounds the time that the server has to stop after the tests.
const stopTimeout = time.Minute

// settings are the settings of every server. Tests do not need data that survives a failure of the machine.
var settings = map[string]string{
	"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
	"max_connections": "300",   // for many concurrent programs
	"max_wal_size":    "512MB", // the folder of the server may be in memory
}

var (
	once      sync.Once
	server    *localpg.Server
	folder    string
	errStart  error
	strategy  string // clause of "create database"
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
	removeAbandoned()
	folder, errStart = os.MkdirTemp(parent(), fmt.Sprintf(folderPattern, os.Getpid()))
	if errStart != nil {
		return
	}
	errStart = os.Chmod(folder, passable)
	if errStart != nil {
		return
	}
	ctx := context.Background()
	server, errStart = localpg.Start(ctx, localpg.Config{Dir: filepath.Join(folder, "postgres"), Settings: settings})
	if errStart == nil {
		errStart = postgres.Migrate(ctx, server.URL(localpg.Database))
	}
	if errStart == nil {
		strategy, errStart = copyStrategy(ctx)
	}
}

// copyStrategy returns the clause that copies the template's files. By default PostgreSQL 15 and later log each page instead, which takes
// four times the processor time. Earlier versions always copy the files, and reject the clause.
func copyStrategy(ctx context.Context) (clause string, err error) {
	conn, err := pgx.Connect(ctx, server.SuperuserURL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "select case when current_setting('server_version_num')::int >= 150000 then 'strategy file_copy' else '' end").Scan(&clause)
	return clause, err
}

// memory is a file system in memory, on which creating and dropping a database takes half the processor time.
const memory = "/dev/shm"

// memoryRoom is the free space in bytes from which memory is used. The server of a package takes up to 1 GiB.
const memoryRoom = 2 << 30

// parent returns the folder for the folder of the server.
func parent() string {
	var s syscall.Statfs_t
	err := syscall.Statfs(memory, &s)
	if err == nil && s.Bavail*uint64(s.Bsize) > memoryRoom {
		return memory
	}
	return os.TempDir()
}

// passable is the mode of a folder that PostgreSQL's account must traverse when root runs the tests.
const passable = 0o711

// Dir returns a temporary folder that a server can run in.
func Dir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), passable))
	return dir
}

// MemoryDir is Dir in memory, where there is room.
func MemoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(parent(), fmt.Sprintf(folderPattern, os.Getpid())) //nolint:usetesting // t.TempDir is not in memory
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, passable))
	return dir
}

// folderPattern is the pattern of a folder's name, which contains the id of the process that uses it.
const folderPattern = "pgtest-%d-"

// removeAbandoned removes the folders of test processes that were killed or panicked. Their servers have ended with them.
func removeAbandoned() {
	for _, parent := range []string{os.TempDir(), memory} {
		folders, _ := filepath.Glob(filepath.Join(parent, "pgtest-*-*")) // the pattern is valid
		for _, folder := range folders {
			var pid int
			_, err := fmt.Sscanf(filepath.Base(folder), folderPattern, &pid)
			if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
				_ = os.RemoveAll(folder) // if it fails, the next process tries again
			}
		}
	}
}

// Start starts a server that the test can stop or kill without affecting others. It has the one database of localpg, without
// migrations. If a server ran in the folder before, it has that one's data. It stops when the test ends.
func Start(t testing.TB, dir string) *localpg.Server {
	t.Helper()
	s, err := localpg.Start(t.Context(), localpg.Config{Dir: dir, Settings: maps.Clone(settings)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		_ = s.Stop(ctx) // the test may have stopped or killed it
	})
	return s
}

// New creates a migrated and empty database for the test, and returns its URL. The URL's role owns the database and is not a superuser.
func New(t testing.TB) string {
	t.Helper()
	once.Do(start)
	require.NoError(t, errStart)
	name := fmt.Sprintf("test_%d", databases.Add(1))
	administer(t, "create database "+name+" template "+localpg.Database+" "+strategy+" owner "+localpg.Database)
	t.Cleanup(func() { administer(t, "drop database "+name+" with (force)") })
	return server.URL(name)
}

// Superuser returns the URL of a database of New for the superuser.
func Superuser(url string) string { return strings.Replace(url, localpg.Database+"@", "postgres@", 1) }

// Swap closes the connections to two databases and exchanges their names.
func Swap(t testing.TB, one, two string) {
	t.Helper()
	for _, name := range []string{one, two} {
		administer(t, "alter database "+name+" allow_connections false")
		administer(t, "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '"+name+"'")
	}
	administer(t, "alter database "+one+" rename to swapped")
	administer(t, "alter database "+two+" rename to "+one)
	administer(t, "alter database swapped rename to "+two)
	for _, name := range []string{one, two} {
		administer(t, "alter database "+name+" allow_connections true")
	}
}

func administer(t testing.TB, sql string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.SuperuserURL("postgres"))
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	require.NoError(t, err)
}

// Query runs a statement in the database at url, and returns its rows as T's with a field for each column.
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

// emptying also truncates the tables that refer to those with rows.
const emptying = `do $$
declare names text := (select string_agg(oid::regclass::text, ', ') from pg_class
	where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like '%migration%' and pg_relation_size(oid) > 0);
begin
	if names is not null then
		execute 'truncate ' || names || ' cascade';
	end if;
	perform setval(quote_ident(sequencename)::regclass, start_value, false) from pg_sequences
		where schemaname = 'public' and sequencename not like '%migration%' and last_value is not null;
end $$`

// Empty removes all rows from a database, except for its list of migrations. It repeats what a sweep of the program has blocked. Truncating a
// table takes more processor time than a small import, so it leaves out tables without rows.
func Empty(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for isDeadlock := true; isDeadlock; isDeadlock = err != nil && strings.Contains(err.Error(), "SQLSTATE 40P01") {
		_, err = conn.Exec(t.Context(), emptying)
	}
	require.NoError(t, err)
}
