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

// The network between the server and PostgreSQL is cut silently during an import. Within seconds both notice: PostgreSQL ends
// the transaction and releases its locks, the server answers 503. When the network is back, the server resumes.
func TestNetworkIsCut(t *testing.T) {
	t.Parallel() // most of its time is waiting
	if !inNamespace(t, syscall.CLONE_NEWNS|syscall.CLONE_NEWNET) {
		return // the test ran in the namespace
	}
	m := newMachine(t)
	if m == nil {
		t.Log("no network can be created here: a cut network was not tested")
		return
	}
	access := filepath.Join(pgtest.Dir(t), "pg_hba.conf")
	require.NoError(t, os.WriteFile(access, []byte("local all rollcall,postgres trust\nhost all rollcall 0.0.0.0/0 trust\n"), 0o644))
	d := &database{dir: filepath.Join(pgtest.Dir(t), "postgres"), settings: map[string]string{"listen_addresses": databaseLink.near, "hba_file": access}}
	d.begin(t)
	far, err := url.Parse(d.url())
	require.NoError(t, err)
	far.RawQuery = url.Values{"host": {databaseLink.near}, "port": {"5432"}}.Encode()
	s := &server{url: "http://" + clientLink.far + ":5000", dir: t.TempDir(), database: far.String(), wrapper: m.run()}
	s.begin(t)
	connected := func(state string) int {
		return len(pgtest.Query[struct{ PID int }](t, d.url(), "select pid from pg_stat_activity where application_name = 'rollcall' and state "+state))
	}

	records := either(50_000, 200_000)
	for i := range either(1, 5) {
		require.Len(t, s.sendUntilAnswered(t, []byte(person(i)), ""), 1)
		file, key := crowd(1000+i*records, records), fmt.Sprintf("cut-%d", i)
		sent := make(chan error, 1)
		go func() {
			_, err := s.send(t.Context(), file, key)
			sent <- err
		}()
		require.Eventually(t, func() bool { return connected("<> 'idle'") > 0 }, time.Minute, time.Millisecond)
		databaseLink.set(t, "down")
		require.Eventually(t, func() bool { return connected("is not null") == 0 }, time.Minute, 100*time.Millisecond, "connections of the unreachable server")
		if *long { // the server gives up after half a minute
			require.ErrorIs(t, <-sent, errAgain)
		}
		databaseLink.set(t, "up")
		began := time.Now()
		require.Len(t, s.sendUntilAnswered(t, []byte(person(100+i)), ""), 1)
		require.Less(t, time.Since(began), 20*time.Second, "time until others are served")
		answer := s.sendUntilAnswered(t, file, key)
		require.Len(t, answer, records)
		matchPasswords(t, d.url(), answer[:10])
		isConsistent(t, d.url())
		isWhole(t, d.url(), 0)
	}
}

// A machine is a network namespace with two links to the network of the test.
type machine struct{ process int }

// A link has an address on the side of the test and one on the side of the machine.
type link struct{ name, near, far string }

var (
	databaseLink = link{"database", "10.231.7.1", "10.231.7.2"}
	clientLink   = link{"clients", "10.231.8.1", "10.231.8.2"}
)

// newMachine creates a machine that lives until the test ends. It returns nil if the system does not permit it.
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

// run returns the command that runs another command on the machine.
func (m *machine) run() []string {
	return []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", m.process)}
}

// set sets PostgreSQL's end of the link down or up. Connections are not notified.
func (l link) set(t *testing.T, state string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "ip", "link", "set", l.name, state).CombinedOutput()
	require.NoError(t, err, "%s", output)
}
