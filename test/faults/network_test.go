package faults_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// The network between the server and PostgreSQL is cut in an import, and nobody is told: each finds out in seconds that the other is
// gone. The database ends the import, which held locks, the server answers that it cannot go on, and does so when it can.
func TestNetworkIsCut(t *testing.T) {
	t.Parallel() // it waits
	if !inNamespace(t, syscall.CLONE_NEWNS|syscall.CLONE_NEWNET) {
		return // the test ran there
	}
	m := newMachine(t)
	if m == nil {
		t.Log("no network can be made here: that it is cut was not tried")
		return
	}
	access := filepath.Join(pgtest.Dir(t), "pg_hba.conf")
	require.NoError(t, os.WriteFile(access, []byte("local all rollcall,postgres trust\nhost all rollcall 0.0.0.0/0 trust\n"), 0o644))
	d := &database{dir: filepath.Join(pgtest.Dir(t), "postgres"), settings: map[string]string{"listen_addresses": databaseLink.near, "hba_file": access}}
	d.begin(t)
	far, err := url.Parse(d.url())
	require.NoError(t, err)
	far.RawQuery = url.Values{"host": {databaseLink.near}, "port": {"5432"}}.Encode()
	s := &server{url: "http://" + clientLink.far + ":5000", dir: t.TempDir(), database: far.String(), with: m.run()}
	s.begin(t)
	connected := func(state string) int {
		return len(pgtest.Query[struct{ PID int }](t, d.url(), "select pid from pg_stat_activity where application_name = 'rollcall' and state "+state))
	}

	objects := either(50_000, 200_000)
	for i := range either(1, 5) {
		require.Len(t, s.sendUntilAnswered(t, []byte(person(i)), ""), 1)
		file, key := crowd(1000+i*objects, objects), fmt.Sprintf("cut-%d", i)
		sent := make(chan error, 1)
		go func() {
			_, err := s.send(t.Context(), file, key)
			sent <- err
		}()
		require.Eventually(t, func() bool { return connected("<> 'idle'") > 0 }, time.Minute, time.Millisecond)
		databaseLink.set(t, "down")
		require.Eventually(t, func() bool { return connected("is not null") == 0 }, time.Minute, 100*time.Millisecond, "connections to a server that is gone")
		if *long { // it takes the server half a minute to give up
			require.ErrorIs(t, <-sent, errAgain)
		}
		databaseLink.set(t, "up")
		began := time.Now()
		require.Len(t, s.sendUntilAnswered(t, []byte(person(100+i)), ""), 1)
		require.Less(t, time.Since(began), 20*time.Second, "until others are served again")
		answer := s.sendUntilAnswered(t, file, key)
		require.Len(t, answer, objects)
		signIn(t, d.url(), answer[:10])
		isConsistent(t, d.url())
		isWhole(t, d.url(), 0)
	}
}

// machine is another than the test's, with a network of its own and two links to the test's.
type machine struct{ process int }

// link is two addresses, on the test's machine and on the other.
type link struct{ name, near, far string }

var (
	databaseLink = link{"database", "10.231.7.1", "10.231.7.2"}
	clientLink   = link{"clients", "10.231.8.1", "10.231.8.2"}
)

// newMachine makes a machine, until the test ends. It returns nil where that cannot be done.
func newMachine(t *testing.T) *machine {
	t.Helper()
	alive := exec.CommandContext(t.Context(), "sleep", "infinity")
	alive.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if alive.Start() != nil {
		return nil
	}
	t.Cleanup(func() {
		_ = alive.Process.Kill()
		_ = alive.Wait()
	})
	m := &machine{alive.Process.Pid}
	for _, l := range []link{databaseLink, clientLink} {
		for _, command := range []string{
			fmt.Sprintf("ip link add %s type veth peer name %s netns %d", l.name, l.name, m.process),
			"ip addr add " + l.near + "/30 dev " + l.name,
			"ip link set " + l.name + " up",
			strings.Join(m.run(), " ") + " ip addr add " + l.far + "/30 dev " + l.name,
			strings.Join(m.run(), " ") + " ip link set " + l.name + " up",
		} {
			output, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
			if err != nil {
				t.Logf("%s: %v: %s", command, err, output)
				return nil
			}
		}
	}
	return m
}

// run is the command that runs another on the machine.
func (m *machine) run() []string {
	return []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", m.process)}
}

// set takes PostgreSQL's end of its link down, or up again. What was connected is told nothing.
func (l link) set(t *testing.T, state string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "ip", "link", "set", l.name, state).CombinedOutput()
	require.NoError(t, err, "%s", output)
}
