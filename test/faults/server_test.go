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

// A server is the running program. Its address and folder survive a kill and a restart.
type server struct {
	url      string
	dir      string // data, spools and exports
	database string // URL; empty for a private database
	flags    []string
	wrapper  []string // command that runs the program; empty to run it directly

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended

	mu  sync.Mutex
	log strings.Builder
}

// serve starts the program with a database. It runs until the test ends.
func serve(t *testing.T, database string, flags ...string) *server {
	t.Helper()
	return serveIn(t, pgtest.Dir(t), database, flags...)
}

// serveIn is serve with a given folder.
func serveIn(t *testing.T, dir, database string, flags ...string) *server {
	t.Helper()
	s := &server{url: freeAddress(t), dir: dir, database: database, flags: flags}
	s.begin(t)
	return s
}

// begin starts the program, and kills it when the test ends.
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

// start starts the program on its address and in its folder.
func (s *server) start(t *testing.T) {
	t.Helper()
	if !s.launch(t) {
		require.Fail(t, "the server ended", s.logged())
	}
}

// launch starts the program, and reports whether it listens.
func (s *server) launch(t *testing.T) bool {
	t.Helper()
	args := slices.Concat(s.wrapper, []string{
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

// kill kills the program with SIGKILL.
func (s *server) kill(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Kill() // unless it has ended
	<-s.ended
}

// stop stops the program with SIGTERM, and returns its exit status.
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
