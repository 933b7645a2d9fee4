package faults_test

import (
	"bufio"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// server is the program, on an address and in a folder that it keeps when it is killed and started again.
type server struct {
	url      string
	dir      string // of data, spools and uploads
	database string // empty for one of its own
	flags    []string
	with     []string // the command that runs the program; none for itself

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has

	mu  sync.Mutex
	log strings.Builder
}

// serve starts the program over a database, until the test ends.
func serve(t *testing.T, database string, flags ...string) *server {
	t.Helper()
	return serveIn(t, pgtest.Dir(t), database, flags...)
}

// serveIn does so with a folder of the test's.
func serveIn(t *testing.T, dir, database string, flags ...string) *server {
	t.Helper()
	s := &server{url: freeAddress(t), dir: dir, database: database, flags: flags}
	s.begin(t)
	return s
}

// begin starts the program, until the test ends.
func (s *server) begin(t *testing.T) {
	t.Helper()
	s.start(t)
	t.Cleanup(func() {
		s.kill(t)
		if t.Failed() {
			t.Logf("log of the server:\n%s", s.logged())
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return "http://" + listener.Addr().String()
}

var listening = regexp.MustCompile(`msg=listening `)

// start starts the program where it was before.
func (s *server) start(t *testing.T) {
	t.Helper()
	if !s.launch(t) {
		require.Fail(t, "the server ended", s.logged())
	}
}

// launch starts the program, and tells whether it then listens.
func (s *server) launch(t *testing.T) bool {
	t.Helper()
	args := slices.Concat(s.with, []string{
		binary, "serve", "--listen", strings.TrimPrefix(s.url, "http://"), "--data-dir", s.dir, "--exports-dir", s.dir + "/uploads",
	}, s.flags)
	if s.database != "" {
		args = append(args, "--database-url", s.database)
	}
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := s.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	listens, ended := make(chan struct{}), make(chan struct{})
	s.ended = ended
	cmd := s.cmd
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
			if listening.MatchString(lines.Text()) {
				close(listens)
			}
		}
		_ = cmd.Wait()
	}()
	select {
	case <-listens:
		return true
	case <-ended:
		return false
	}
}

// kill kills the program without a warning.
func (s *server) kill(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Kill() // unless it has ended
	<-s.ended
}

// stop tells the program to stop, and returns its exit status.
func (s *server) stop(t *testing.T) int {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	<-s.ended
	return s.cmd.ProcessState.ExitCode()
}

func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}
