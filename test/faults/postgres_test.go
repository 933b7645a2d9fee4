package faults_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/adapters/postgres"
	"rollcall/test/pgtest"
)

// A database is a PostgreSQL server with fsync on. Its folder survives a kill and a restart.
type database struct {
	dir      string
	settings map[string]string
	server   *localpg.Server
}

// newDatabase starts a migrated PostgreSQL. It runs until the test ends.
func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{dir: filepath.Join(pgtest.Dir(t), "postgres")}
	d.begin(t)
	return d
}

// begin creates, starts and migrates the database, and stops it when the test ends.
func (d *database) begin(t *testing.T) {
	t.Helper()
	d.start(t)
	t.Cleanup(d.stop)
	require.NoError(t, postgres.Migrate(t.Context(), d.url()))
}

// start starts the server in its folder.
func (d *database) start(t *testing.T) {
	t.Helper()
	var err error
	d.server, err = localpg.Start(t.Context(), localpg.Config{Dir: d.dir, Settings: d.settings})
	require.NoError(t, err)
}

func (d *database) data() string { return filepath.Join(d.dir, "data") }

func (d *database) url() string { return d.server.URL(localpg.Database) }

// stop stops the server, if it runs.
func (d *database) stop() {
	if d.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = d.server.Stop(ctx)
}

// postmaster returns the process ID of the server's first process.
func (d *database) postmaster(t *testing.T) int {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(d.data(), "postmaster.pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.SplitN(string(file), "\n", 2)[0])
	require.NoError(t, err)
	return pid
}

// kill kills the server with SIGKILL. It stays down until start.
func (d *database) kill(t *testing.T) {
	t.Helper()
	d.signal(t, syscall.SIGKILL)
	<-d.server.Done()
	_ = d.server.Stop(context.Background()) // releases the folder
}

// signal sends a signal to every process of the server.
func (d *database) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	postmaster := d.postmaster(t)
	processes := append(childrenOf(t, postmaster), postmaster)
	for _, pid := range processes {
		_ = syscall.Kill(pid, signal) // unless it has ended
	}
}

// killOne kills the process of a connection that is writing, if there is one. PostgreSQL then ends all others and recovers.
func (d *database) killOne(t *testing.T) {
	t.Helper()
	const writing = "select pid from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and backend_type = 'client backend' limit 1"
	for _, connection := range pgtest.Query[struct{ PID int }](t, d.url(), writing) {
		_ = syscall.Kill(connection.PID, syscall.SIGKILL) // unless it has ended
	}
}

// childrenOf returns the IDs of the child processes of a process.
func childrenOf(t *testing.T, parent int) (all []int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, task := range tasks {
		stat, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		name := strings.LastIndex(string(stat), ")")
		fields := strings.Fields(string(stat)[name+1:])
		if fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(task)))
			require.NoError(t, err)
			all = append(all, pid)
		}
	}
	return all
}

// exec executes a statement as the superuser.
func (d *database) exec(t *testing.T, sql string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, d.server.SuperuserURL(localpg.Database))
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	require.NoError(t, err)
}
