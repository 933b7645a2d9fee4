package faults_test

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
)

// The takeover of the first service's database is killed, or its PostgreSQL, at a random moment. The old database is as it was, or taken
// over as a whole, and the next takeover needs no help.
func TestTakeoverIsKilled(t *testing.T) {
	d := newDatabase(t)
	for _, fault := range []struct {
		name string
		kill func(t *testing.T, takeover *exec.Cmd)
	}{
		{"program", func(_ *testing.T, takeover *exec.Cmd) { _ = takeover.Process.Kill() }},
		{"PostgreSQL", func(t *testing.T, _ *exec.Cmd) { d.kill(t); d.start(t) }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			r := random(t)
			first := newFirstService(t, d)
			want := first.rows(t, "public")
			began := time.Now()
			require.NoError(t, first.takeOver(t, true).Wait())
			took := time.Since(began)
			require.Equal(t, want, first.rows(t, "first_service"))
			for i := range either(3, 20) {
				if first.isTakenOver(t) {
					first = newFirstService(t, d)
				}
				moment := time.Duration(r.Int64N(int64(took) * 5 / 4))
				t.Logf("kill %d after %s", i+1, moment.Round(time.Millisecond))
				takeover := first.takeOver(t, false)
				time.Sleep(moment)
				fault.kill(t, takeover)
				_ = takeover.Wait() // killed, or failed without PostgreSQL
				schema := "public"
				if first.isTakenOver(t) {
					schema = "first_service"
				}
				require.Equal(t, want, first.rows(t, schema))
			}
			if !first.isTakenOver(t) {
				require.NoError(t, first.takeOver(t, true).Wait())
			}
			require.Equal(t, want, first.rows(t, "first_service"))
			counts := pgtest.Query[struct{ Users, Profiles, Imports, Rejections int }](t, first.url(), `
				select (select count(*)::int from users), (select count(*)::int from profiles),
					(select count(*)::int from codes), (select count(*)::int from bad_users)`)[0]
			require.Equal(t, struct{ Users, Profiles, Imports, Rejections int }{first.users, first.users, 1, first.users / 10}, counts)
		})
	}
}

// A firstService is a database of the first service.
type firstService struct {
	d     *database
	users int
}

// newFirstService replaces the database of the first service by a new one. A tenth of the people clash with the one before.
func newFirstService(t *testing.T, d *database) *firstService {
	t.Helper()
	f := &firstService{d, either(5_000, 20_000)}
	superuser, err := pgx.Connect(t.Context(), d.server.SuperuserURL(localpg.Database))
	require.NoError(t, err)
	defer superuser.Close(t.Context())
	for _, sql := range []string{"drop database if exists first_service with (force)", "create database first_service owner " + localpg.Database} {
		_, err = superuser.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	conn, err := pgx.Connect(t.Context(), f.url())
	require.NoError(t, err)
	defer conn.Close(t.Context())
	require.NoError(t, pgtest.RestoreFirstService(t.Context(), conn))
	_, err = conn.Exec(t.Context(), fmt.Sprintf(`
		set search_path = public;
		truncate users, profiles, codes, bad_users;
		insert into users
			select i, case when i %% 10 = 0 then 'User' || i - 1 else 'user' || i end, 'pbkdf2:sha256:1$x$y', 'user' || i || '@example.org', 9160000000 + i, '2024-01-01'
			from generate_series(1, %[1]d) i;
		insert into profiles select i, 'Анна', '', null, date '1980-01-01' + i %% 9999, i from generate_series(1, %[1]d) i;
		insert into codes values (1, 200, 'POST', '2024-01-01', 'x');
		insert into bad_users select i, 1, i, 'user' || i, 'x' from generate_series(1, %[1]d / 10) i`, f.users))
	require.NoError(t, err)
	return f
}

func (f *firstService) url() string { return f.d.server.URL("first_service") }

// takeOver starts a takeover.
func (f *firstService) takeOver(t *testing.T, logs bool) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary, "migrate", "--keep-first", "--database-url", f.url(), "--data-dir", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if logs {
		cmd.Stderr = t.Output()
	}
	require.NoError(t, cmd.Start())
	return cmd
}

// isTakenOver waits for the end of the takeover's connection, and reports whether it committed.
func (f *firstService) isTakenOver(t *testing.T) bool {
	t.Helper()
	idle := func() bool {
		const connections = "select pid from pg_stat_activity where datname = 'first_service' and pid <> pg_backend_pid() and backend_type = 'client backend'"
		return len(pgtest.Query[struct{ PID int }](t, f.url(), connections)) == 0
	}
	require.Eventually(t, idle, time.Minute, 10*time.Millisecond)
	schemas := pgtest.Query[struct{ Name string }](t, f.url(), "select schemaname::text from pg_tables where tablename = 'users' order by 1")
	if len(schemas) == 1 {
		require.Equal(t, "public", schemas[0].Name)
		return false
	}
	require.Len(t, schemas, 2)
	return true
}

// rows returns a digest of each of the first service's tables.
func (f *firstService) rows(t *testing.T, schema string) (digests []string) {
	t.Helper()
	for _, table := range []string{"users", "profiles", "codes", "bad_users"} {
		rows := pgtest.Query[struct{ Digest string }](t, f.url(), fmt.Sprintf("select md5(string_agg(t::text, chr(10) order by id)) from %s.%s t", schema, table))
		digests = append(digests, rows[0].Digest)
	}
	return digests
}
