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
	dir := filepath.Join(openDir(t), "made", "when missing")
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

func TestCommittedDataIsSafeByDefault(t *testing.T) {
	t.Parallel()
	s := start(t, localpg.Config{Dir: openDir(t)})
	url := s.URL(localpg.Database)
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"listen_addresses": "", "port": "5432", "max_wal_size": "4GB",
		"server_encoding": "UTF8", "lc_messages": "C.UTF-8", "TimeZone": "UTC",
	} {
		if setting == "lc_messages" && !hasUTF8Locale(t) {
			want = "C"
		}
		require.Equal(t, []string{want}, query(t, url, "show "+setting), setting)
	}
}

func hasUTF8Locale(t *testing.T) bool {
	t.Helper()
	locales, err := exec.Command("locale", "-a").Output()
	require.NoError(t, err)
	return strings.Contains(string(locales), "C.utf8") || strings.Contains(string(locales), "C.UTF-8")
}

func TestSettingsOverrideThePackages(t *testing.T) {
	t.Parallel()
	cfg := config(clusterDir(t))
	cfg.Settings["max_wal_size"] = "1GB"
	cfg.Settings["application_name"] = `it's "one" of, several`
	s := start(t, cfg)
	require.Equal(t, []string{"1GB"}, query(t, s.URL(localpg.Database), "show max_wal_size"))
	require.Equal(t, []string{`it's "one" of, several`}, query(t, s.URL(localpg.Database), "show application_name"))
	require.Equal(t, []string{"off"}, query(t, s.URL(localpg.Database), "show fsync"))
}

func TestOnlyTheOwnerGetsToTheSocket(t *testing.T) {
	t.Parallel()
	s := start(t, config(openDir(t)))
	socket, err := socketOf(s.URL(localpg.Database))
	require.NoError(t, err)
	info, err := os.Stat(filepath.Dir(socket))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "PostgreSQL never runs as root")
}

func TestSocketsPathIsFit(t *testing.T) {
	tmp := openDir(t)
	t.Setenv("TMPDIR", filepath.Join(tmp, "tmp"))
	require.NoError(t, os.Mkdir(os.TempDir(), 0o711))
	t.Run("of", func(t *testing.T) { // all at once, up to the end of this one
		for name, folder := range map[string]string{
			"a long name": strings.Repeat("0123456789", 12),
			"a comma":     "a,b",
			"signs":       `a b+c&d=e%f?g#h'i"j`,
			"letters":     "журнал",
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(tmp, folder)
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
	require.Empty(t, left, "neither the killed programs nor the stopped ones leave anything there")
}

func TestASecondProgramIsRefused(t *testing.T) {
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
		require.Equal(t, []string{"1"}, query(t, shared, "select 1"), "which can be reached")
		require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select 1"), "the first goes on")
	}
}

func TestNothingOfTheEnvironmentGetsThrough(t *testing.T) {
	for name, value := range map[string]string{
		"PGDATA": "/nowhere", "PGPORT": "1", "PGHOST": "/nowhere", "PGOPTIONS": "-c nonsense=1", "LC_ALL": "nonsense", "TZ": "Asia/Omsk",
	} {
		t.Setenv(name, value)
	}
	s := start(t, config(openDir(t)))
	require.Equal(t, []string{"5432"}, query(t, s.URL(localpg.Database), "show port"))
	require.Equal(t, []string{"UTC"}, query(t, s.URL(localpg.Database), "show timezone"))
	require.Contains(t, s.URL(localpg.Database), "port=5432", "or a client would take PGPORT")
}

func TestServerEndsWithAKilledProgram(t *testing.T) {
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
	require.Eventually(t, func() bool { return !alive(pid) }, patience, often, "PostgreSQL ends by itself")

	s := start(t, config(dir))
	require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select n from kept"))
}

func TestStartDoesNotWaitForTheKilledProgramsServer(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	for range 5 {
		program, firstLine := startProgram(t, dir)
		query(t, firstLine(), "create table if not exists kept (n int)")
		kill(program) // its server may still be ending
		s, err := localpg.Start(t.Context(), config(dir))
		require.NoError(t, err)
		require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"))
		stop(t, s)
	}
}

func TestALeftServerIsStopped(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	query(t, s.URL(localpg.Database), "create table kept (n int)")
	stop(t, s)

	// a server that nothing ends, as where the kernel does not tell it of its program's end
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
		require.NoError(t, err, "it was stopped in order")
	case <-time.After(patience):
		require.Fail(t, "the left server still runs")
	}
}

// asOwnerOf runs a program as a folder's owner, which only root can be asked to do.
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

func TestAPidFileOfAnotherProcessMeansNothing(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s := start(t, config(dir))
	stop(t, s)
	other := exec.Command("sleep", "1000") // another process got the pid of a server that was killed long ago
	require.NoError(t, other.Start())
	t.Cleanup(func() { kill(other) })
	file := filepath.Join(dir, "data", "postmaster.pid")
	lines := []string{strconv.Itoa(other.Process.Pid), filepath.Join(dir, "data"), "1", "5432", "", "", "", "ready", ""}
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	if attr := asOwnerOf(t, filepath.Join(dir, "data")); attr != nil {
		require.NoError(t, os.Chown(file, int(attr.Credential.Uid), int(attr.Credential.Gid)))
	}

	if os.Geteuid() != 0 {
		// PostgreSQL itself takes any living process of its own user for the server, and rightly refuses to start
		_, err := localpg.Start(t.Context(), config(dir))
		require.ErrorContains(t, err, "postmaster.pid")
	} else {
		start(t, config(dir))
	}
	require.True(t, alive(other.Process.Pid), "it was left alone")
}

func TestAServerThatDiedIsReported(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	s, err := localpg.Start(t.Context(), config(dir))
	require.NoError(t, err)
	query(t, s.URL(localpg.Database), "create table kept (n int)")
	select {
	case <-s.Done():
		require.Fail(t, "it runs")
	default:
	}
	require.NoError(t, syscall.Kill(serverPID(t, dir), syscall.SIGKILL))
	select {
	case <-s.Done():
	case <-time.After(patience):
		require.Fail(t, "nobody was told")
	}
	require.ErrorContains(t, s.Stop(context.Background()), "postgres has ended by itself")
	require.NoError(t, s.Stop(context.Background()), "another stop does nothing")

	s = start(t, config(dir)) // at once: its children may still be there
	require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"))
}

func TestAServerThatDiedStartsAgain(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"socket inside": clusterDir(t), "socket elsewhere": filepath.Join(openDir(t), strings.Repeat("x", 100))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, config(dir))
			query(t, s.URL(localpg.Database), "create table kept (n int)")
			died := s.Done()
			require.NoError(t, syscall.Kill(serverPID(t, dir), syscall.SIGKILL))
			<-died
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			require.Error(t, s.Restart(cancelled))
			require.NoError(t, s.Restart(t.Context()), "after one that failed")
			require.Equal(t, []string{"0"}, query(t, s.URL(localpg.Database), "select count(*) from kept"), "at the same address")
			select {
			case <-s.Done():
				require.Fail(t, "it runs")
			default:
			}
			require.NoError(t, s.Stop(t.Context()))
			require.Error(t, s.Restart(t.Context()), "it is not this program's any more")
		})
	}
}

func TestStopCancelsWhatRuns(t *testing.T) {
	t.Parallel()
	s := start(t, config(clusterDir(t)))
	asked := make(chan error, 1)
	sleeper, err := dial(s.URL(localpg.Database))
	require.NoError(t, err)
	defer sleeper.Close()
	go func() {
		_, err := sleeper.query("select pg_sleep(1000)")
		asked <- err
	}()
	require.Eventually(t, func() bool {
		return query(t, s.URL(localpg.Database), "select count(*) from pg_stat_activity where query = 'select pg_sleep(1000)'")[0] == "1"
	}, patience, often)
	stop(t, s)
	require.ErrorContains(t, <-asked, "57P01", "the client is told that the server shuts down")
}

func TestStopWithoutTimeEndsTheServerAtOnce(t *testing.T) {
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

func TestABrokenOffInitIsDoneAgain(t *testing.T) {
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
	}, patience, time.Millisecond, "initdb is at work")
	kill(program)
	require.NoDirExists(t, filepath.Join(dir, "data"))

	s := start(t, config(dir))
	require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select 1"))
	stop(t, s)
	start(t, config(dir)) // by now, nothing of the killed program writes there
	require.Empty(t, unfinished())
}

func TestAFailedStartSaysWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	cfg := config(clusterDir(t))
	cfg.Settings["shared_buffers"] = "nonsense"
	_, err := localpg.Start(t.Context(), cfg)
	require.ErrorContains(t, err, `invalid value for parameter "shared_buffers": "nonsense"`)

	cfg.Settings["shared_buffers"] = "16MB"
	start(t, cfg) // nothing of the failed start is in the way
}

func TestAStartCanBeCancelled(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // in the middle of initdb
	defer cancel()
	_, err := localpg.Start(ctx, config(dir))
	require.Error(t, err)
	require.Error(t, ctx.Err())
	start(t, config(dir))
}

func TestTheLogIsBounded(t *testing.T) {
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
	require.True(t, bytes.HasPrefix(after, before), "a log of usual size goes on")

	require.NoError(t, os.Truncate(log, 100<<20))
	start(t, config(dir))
	info, err := os.Stat(log)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1<<20))
}

func TestTheLogHasNobodysData(t *testing.T) {
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

// serverPID is the process of the server.
func serverPID(t *testing.T, dir string) int {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	line, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(line)
	require.NoError(t, err)
	return pid
}

// alive tells whether there is such a process. One that has ended counts as there until its parent has read how.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
