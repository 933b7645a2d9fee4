package localpg_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
)

const (
	patience = 30 * time.Second
	often    = 10 * time.Millisecond
)

func TestDataSurvivesRestarts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "created", "if missing")
	for i := range 3 {
		s, err := localpg.Start(t.Context(), config(dir))
		require.NoError(t, err)
		url := s.URL(localpg.Database)
		query(t, url, "create table if not exists starts (n int)")
		query(t, url, "insert into starts values ("+strconv.Itoa(i)+")")
		require.Equal(t, []string{strconv.Itoa(i + 1)}, query(t, url, "select count(*) from starts"))
		stop(t, s)
		_, err = dial(url)
		require.Error(t, err, "nothing listens after the stop")
	}
}

func TestCommittedDataIsSafeByDefault(t *testing.T) { //nolint:tparallel // the subtests share a server
	t.Parallel()
	s := start(t, localpg.Config{Dir: openDir(t)})
	url := s.URL(localpg.Database)
	locale := "C"
	if hasUTF8Locale(t) {
		locale = "C.UTF-8"
	}
	for _, test := range []struct{ setting, want string }{
		{"fsync", "on"},
		{"synchronous_commit", "on"},
		{"full_page_writes", "on"},
		{"listen_addresses", ""},
		{"port", "5432"},
		{"max_wal_size", "4GB"},
		{"server_encoding", "UTF8"},
		{"lc_messages", locale},
		{"TimeZone", "UTC"},
	} {
		t.Run(test.setting, func(t *testing.T) {
			require.Equal(t, []string{test.want}, query(t, url, "show "+test.setting))
		})
	}
}

func hasUTF8Locale(t *testing.T) bool {
	t.Helper()
	locales, err := exec.Command("locale", "-a").Output()
	require.NoError(t, err)
	return strings.Contains(string(locales), "C.utf8") || strings.Contains(string(locales), "C.UTF-8")
}

func TestSettingsOverrideDefaults(t *testing.T) {
	t.Parallel()
	cfg := config(clusterDir(t))
	cfg.Settings["max_wal_size"] = "1GB"
	cfg.Settings["application_name"] = `it's "one" of, several`
	s := start(t, cfg)
	require.Equal(t, []string{"1GB"}, query(t, s.URL(localpg.Database), "show max_wal_size"))
	require.Equal(t, []string{`it's "one" of, several`}, query(t, s.URL(localpg.Database), "show application_name"))
	require.Equal(t, []string{"off"}, query(t, s.URL(localpg.Database), "show fsync"))
}

func TestOnlyOwnerReachesSocket(t *testing.T) {
	t.Parallel()
	s := start(t, config(openDir(t)))
	socket, err := socketOf(s.URL(localpg.Database))
	require.NoError(t, err)
	info, err := os.Stat(filepath.Dir(socket))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "PostgreSQL never runs as root")
}

func TestSocketPath(t *testing.T) {
	tmp := openDir(t)
	t.Setenv("TMPDIR", filepath.Join(tmp, "tmp"))
	require.NoError(t, os.Mkdir(os.TempDir(), 0o711))
	t.Run("folders with", func(t *testing.T) { // returns when its parallel subtests have ended
		for _, test := range []struct{ name, folder string }{
			{"a long name", strings.Repeat("0123456789", 12)},
			{"a comma", "a,b"},
			{"special characters", `a b+c&d=e%f?g#h'i"j`},
			{"Cyrillic letters", "журнал"},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(tmp, test.folder)
				program, firstLine := startProgram(t, dir)
				url := firstLine()
				socket, err := socketOf(url)
				require.NoError(t, err)
				require.LessOrEqual(t, len(socket), 107)
				require.Equal(t, []string{"1"}, query(t, url, "select 1"))
				kill(program)

				s := start(t, config(dir))
				require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select 1"))
				shared, err := localpg.URL(dir, localpg.Database)
				require.NoError(t, err)
				require.Equal(t, s.URL(localpg.Database), shared)
			})
		}
	})
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left, "files of killed and of stopped programs are removed")
}

func TestSecondProgram(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	for _, name := range []string{dir, link} {
		_, err := localpg.Start(t.Context(), config(name))
		require.ErrorIs(t, err, localpg.ErrInUse)
		require.ErrorContains(t, err, "another program uses the database in "+dir)
		shared, err := localpg.URL(name, localpg.Database)
		require.NoError(t, err)
		require.Equal(t, []string{"1"}, query(t, shared, "select 1"), "another program can connect")
		require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select 1"), "the first program keeps its server")
	}
}

func TestEnvironmentIsIgnored(t *testing.T) {
	for variable, value := range map[string]string{
		"PGDATA": "/nowhere", "PGPORT": "1", "PGHOST": "/nowhere", "PGOPTIONS": "-c nonsense=1", "LC_ALL": "nonsense", "TZ": "Asia/Omsk",
	} {
		t.Setenv(variable, value)
	}
	s := start(t, config(openDir(t)))
	require.Equal(t, []string{"5432"}, query(t, s.URL(localpg.Database), "show port"))
	require.Equal(t, []string{"UTC"}, query(t, s.URL(localpg.Database), "show timezone"))
	require.Contains(t, s.URL(localpg.Database), "port=5432", "without a port, a client would use PGPORT")
}

func TestServerEndsWithKilledProgram(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	program, firstLine := startProgram(t, dir)
	url := firstLine()
	query(t, url, "create table kept (n int)")
	query(t, url, "insert into kept values (1)")
	open, err := dial(url)
	require.NoError(t, err)
	defer open.Close()
	_, err = open.query("begin; insert into kept values (2)")
	require.NoError(t, err)
	pid := serverPID(t, dir)

	kill(program)
	require.Eventually(t, func() bool { return !alive(pid) }, patience, often, "the kernel stops PostgreSQL")

	s := start(t, config(dir))
	require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select n from kept"))
}

func TestStartAfterKilledProgram(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	for range 5 {
		program, firstLine := startProgram(t, dir)
		query(t, firstLine(), "create table if not exists kept (n int)")
		kill(program) // its server may still run for a moment
		s, err := localpg.Start(t.Context(), config(dir))
		require.NoError(t, err)
		require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"))
		stop(t, s)
	}
}

func TestLeftoverServerIsStopped(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	query(t, s.URL(localpg.Database), "create table kept (n int)")
	stop(t, s)

	// A server that nothing stops, as on systems whose kernel does not signal it when its program ends.
	data := filepath.Join(dir, "data")
	left := exec.Command(s.Bin("postgres"), "-D", data, "-k", filepath.Join(dir, "socket"), "-c", "listen_addresses=", "-F")
	left.SysProcAttr = asOwnerOf(t, data)
	left.Dir = dir
	require.NoError(t, left.Start())
	ended := make(chan error, 1)
	go func() { ended <- left.Wait() }()
	require.Eventually(t, func() bool {
		file, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
		return err == nil && strings.Contains(string(file), "ready")
	}, patience, often)

	s = start(t, config(dir))
	require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"))
	select {
	case err := <-ended:
		require.NoError(t, err, "the server was shut down")
	case <-time.After(patience):
		require.Fail(t, "the leftover server still runs")
	}
}

// asOwnerOf returns attributes that run a program as the owner of a folder, nil if that is the current user.
func asOwnerOf(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	info, err := os.Stat(dir)
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	if int(owner.Uid) == os.Geteuid() {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
}

func TestStalePIDFile(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	stop(t, s)
	other := exec.Command("sleep", "1000") // a process that has the id of an old server
	require.NoError(t, other.Start())
	t.Cleanup(func() { kill(other) })
	file := filepath.Join(dir, "data", "postmaster.pid")
	lines := []string{strconv.Itoa(other.Process.Pid), filepath.Join(dir, "data"), "1", "5432", "", "", "", "ready", ""}
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	if attr := asOwnerOf(t, filepath.Join(dir, "data")); attr != nil {
		require.NoError(t, os.Chown(file, int(attr.Credential.Uid), int(attr.Credential.Gid)))
	}

	if os.Geteuid() != 0 {
		// PostgreSQL takes any process of its own user for the server, and does not start.
		_, err := localpg.Start(t.Context(), config(dir))
		require.ErrorContains(t, err, "postmaster.pid")
	} else {
		start(t, config(dir))
	}
	require.True(t, alive(other.Process.Pid), "the other process was not stopped")
}

func TestDeadServerIsReported(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s, err := localpg.Start(t.Context(), config(dir))
	require.NoError(t, err)
	query(t, s.URL(localpg.Database), "create table kept (n int)")
	select {
	case <-s.Done():
		require.Fail(t, "the server is reported as ended, but it runs")
	default:
	}
	require.NoError(t, syscall.Kill(serverPID(t, dir), syscall.SIGKILL))
	select {
	case <-s.Done():
	case <-time.After(patience):
		require.Fail(t, "the end of the server is not reported")
	}
	require.ErrorContains(t, s.Stop(context.Background()), "postgres ended by itself")
	require.NoError(t, s.Stop(context.Background()), "another stop does nothing")

	s = start(t, config(dir)) // the children of the killed server may still run
	require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"))
}

func TestRestart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, dir string }{
		{"socket in the cluster's folder", clusterDir(t)},
		{"socket in the temporary folder", filepath.Join(openDir(t), strings.Repeat("x", 100))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, config(test.dir))
			query(t, s.URL(localpg.Database), "create table kept (n int)")
			died := s.Done()
			require.NoError(t, syscall.Kill(serverPID(t, test.dir), syscall.SIGKILL))
			<-died
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			require.Error(t, s.Restart(cancelled))
			require.NoError(t, s.Restart(t.Context()), "after a failed restart")
			require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"), "the address is the same")
			select {
			case <-s.Done():
				require.Fail(t, "the server is reported as ended, but it runs")
			default:
			}
			require.NoError(t, s.Stop(t.Context()))
			require.Error(t, s.Restart(t.Context()), "a stopped server cannot be restarted")
		})
	}
}

func TestStopCancelsStatements(t *testing.T) {
	t.Parallel()
	s := start(t, config(clusterDir(t)))
	result := make(chan error, 1)
	sleeper, err := dial(s.URL(localpg.Database))
	require.NoError(t, err)
	defer sleeper.Close()
	go func() {
		_, err := sleeper.query("select pg_sleep(1000)")
		result <- err
	}()
	require.Eventually(t, func() bool {
		return query(t, s.URL(localpg.Database), "select count(*) from pg_stat_activity where query = 'select pg_sleep(1000)'")[0] == "1"
	}, patience, often)
	stop(t, s)
	require.ErrorContains(t, <-result, "57P01", "the error code of a shutdown")
}

func TestStopWithCancelledContext(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s, err := localpg.Start(t.Context(), config(dir))
	require.NoError(t, err)
	query(t, s.URL(localpg.Database), "create table kept (n int)")
	pid := serverPID(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Stop(ctx), context.Canceled)
	require.False(t, alive(pid))

	s = start(t, config(dir))
	require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"))
}

func TestInterruptedInit(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	unfinished := func() []string {
		names, err := filepath.Glob(filepath.Join(dir, "data.new-*"))
		require.NoError(t, err)
		return names
	}
	program, _ := startProgram(t, dir)
	require.Eventually(t, func() bool {
		names := unfinished()
		if len(names) == 0 {
			return false
		}
		_, err := os.Stat(filepath.Join(names[0], "PG_VERSION"))
		return err == nil
	}, patience, time.Millisecond, "initdb runs")
	kill(program)
	require.NoDirExists(t, filepath.Join(dir, "data"))

	s := start(t, config(dir))
	require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select 1"))
	stop(t, s)
	start(t, config(dir)) // by now the processes of the killed program have ended
	require.Empty(t, unfinished())
}

func TestFailedStartReportsServerError(t *testing.T) {
	t.Parallel()
	cfg := config(clusterDir(t))
	cfg.Settings["shared_buffers"] = "nonsense"
	_, err := localpg.Start(t.Context(), cfg)
	require.ErrorContains(t, err, `invalid value for parameter "shared_buffers": "nonsense"`)

	cfg.Settings["shared_buffers"] = "16MB"
	start(t, cfg) // the failed start left nothing that prevents another
}

func TestCancelledStart(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // while initdb runs
	defer cancel()
	_, err := localpg.Start(ctx, config(dir))
	require.Error(t, err)
	require.Error(t, ctx.Err())
	start(t, config(dir))
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	stop(t, s)
	log := filepath.Join(dir, "postgres.log")
	before, err := os.ReadFile(log)
	require.NoError(t, err)
	s = start(t, config(dir))
	stop(t, s)
	after, err := os.ReadFile(log)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(after, before), "a small log is kept")

	require.NoError(t, os.Truncate(log, 100<<20))
	start(t, config(dir))
	info, err := os.Stat(log)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1<<20))
}

func TestLogHasNoPersonalData(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	c, err := dial(s.URL(localpg.Database))
	require.NoError(t, err)
	defer c.Close()
	_, err = c.query("create table people (born date unique)")
	require.NoError(t, err)
	for _, sql := range []string{
		"select 'Ivan'::date", "insert into people values ('1999-01-01'), ('1999-01-01')",
		"do $$ begin raise warning 'Ivan'; end $$", "Ivan",
	} {
		_, _ = c.query(sql)
	}
	stop(t, s)
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "database system is ready to accept connections")
	require.NotContains(t, string(log), "Ivan")
	require.NotContains(t, string(log), "1999")
}

// serverPID returns the process id of the server.
func serverPID(t *testing.T, dir string) int {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	line, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(line)
	require.NoError(t, err)
	return pid
}

// alive reports whether a process exists. A process that has ended exists until its parent waits for it.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
