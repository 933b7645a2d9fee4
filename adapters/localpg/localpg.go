// Package localpg runs a private PostgreSQL: the database of a program that was given none, of tests and of benchmarks.
// It listens on a unix socket that only its owner can reach, and ends with the program, however the program ends.
package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// Database is the database that every server has.
	Database = "rollcall"

	// startTimeout bounds a start. Most take a second; one after a crash of a busy server replays up to max_wal_size.
	startTimeout = 5 * time.Minute
	pollInterval = 20 * time.Millisecond

	// maxLog is the size in bytes from which the server's log is begun anew at a start.
	maxLog = 10 << 20
)

// settings suit bulk loading on a small machine. What makes data safe (fsync, synchronous_commit) is as PostgreSQL has it.
var settings = map[string]string{
	"listen_addresses":   "",
	"max_connections":    "100",
	"shared_buffers":     "256MB", // the indexes of some million users
	"max_wal_size":       "4GB",   // else a checkpoint every few seconds of an import, and every page written whole after it
	"checkpoint_timeout": "15min",
	"wal_compression":    "on",
	"log_min_messages":   "warning",
	"log_statement":      "none", // statements have personal data

	// an error of a statement is the program's to tell, and its text may be about a person
	"log_min_error_statement": "panic",
	"log_error_verbosity":     "terse",
}

// Config says what to run.
type Config struct {
	Dir         string            // of the cluster and all that belongs to it; made when missing
	Settings    map[string]string // of postgresql.conf, beside or instead of this package's
	BinariesURL string            // Maven repository to fetch PostgreSQL from when the machine has none; empty for the usual one
	Log         *slog.Logger
}

// Server is a PostgreSQL that runs.
type Server struct {
	bin     string // folder of the programs
	socket  string // folder of the socket
	process *process
	lock    *os.File
}

// Start starts the server of a folder, and makes its cluster when there is none. What a program that was killed left
// running is stopped first. It returns an error when another program uses the folder, and when there is no PostgreSQL on
// the machine and none can be fetched.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find data folder: %w", err)
	}
	who, err := findAccount()
	if err != nil {
		return nil, err
	}
	err = who.makeDir(dir)
	if err != nil {
		return nil, err
	}
	who.reach(dir)
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	c := &cluster{dir: dir, data: filepath.Join(dir, "data"), who: who}
	c.bin, err = findBinaries(ctx, cfg, dir, c.version())
	if err != nil {
		return nil, err
	}
	err = c.stopLeftover(ctx)
	if err != nil {
		return nil, err
	}
	if c.version() == "" {
		err = c.init(ctx, cfg.Settings["fsync"] == "off")
		if err != nil {
			return nil, err
		}
	}
	socket, err := c.socketDir()
	if err != nil {
		return nil, err
	}
	p, err := c.start(ctx, socket, cfg.Settings)
	if err != nil {
		return nil, err
	}
	cfg.Log.Info("started PostgreSQL", "folder", dir, "binaries", c.bin)
	return &Server{bin: c.bin, socket: socket, process: p, lock: lock}, nil
}

// URL is the connection string of a database of the server.
func (s *Server) URL(database string) string {
	return "postgres://postgres@/" + url.PathEscape(database) + "?host=" + url.QueryEscape(s.socket)
}

// Bin is the path of one of PostgreSQL's programs, if it is installed.
func (s *Server) Bin(name string) string { return filepath.Join(s.bin, name) }

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Stop ends the server: running statements are cancelled, and what was committed is written. When ctx ends first, the
// server is ended at once, and recovers at its next start.
func (s *Server) Stop(ctx context.Context) error {
	err := s.process.stop(ctx)
	return errors.Join(err, s.lock.Close())
}

// cluster is the folder of a server, and who runs it.
type cluster struct {
	dir, data, bin string
	who            *account
}

// version is the major version that the cluster was made by, empty when there is no cluster.
func (c *cluster) version() string {
	b, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// command prepares one of PostgreSQL's programs to run as the cluster's owner. Its environment is its own, so that
// nothing that is set for other servers (PGDATA, PGPORT ...) concerns this one.
func (c *cluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	program := filepath.Join(c.bin, name)
	if c.who.privileged { // a capability takes effect with the first program, which must be found without it
		program, args = "/usr/bin/env", append([]string{program}, args...)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = c.who.sysProcAttr()
	return cmd
}

// init makes the cluster and its database beside the place where they belong, and moves them there when they are
// complete: one that was broken off is not taken for a cluster.
func (c *cluster) init(ctx context.Context, noSync bool) error {
	unfinished := c.data + ".new"
	err := os.RemoveAll(unfinished)
	if err != nil {
		return fmt.Errorf("remove unfinished cluster: %w", err)
	}
	args := []string{"-D", unfinished, "-U", "postgres", "-E", "UTF8", "--auth=trust"}
	if noSync {
		args = append(args, "--no-sync")
	}
	// C.UTF-8 knows the case of every script, and sorts by bytes. Not every system has it.
	output, err := c.command(ctx, "initdb", append(args, "--locale=C.UTF-8")...).CombinedOutput()
	if err != nil && bytes.Contains(output, []byte("locale")) {
		output, err = c.command(ctx, "initdb", append(args, "--locale=C")...).CombinedOutput()
	}
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	single := c.command(ctx, "postgres", "--single", "-D", unfinished, "postgres")
	single.Stdin = strings.NewReader("create database " + Database + "\n")
	output, err = single.CombinedOutput()
	if err != nil {
		return fmt.Errorf("create database: %w\n%s", err, output)
	}
	err = os.Rename(unfinished, c.data)
	if err != nil {
		return fmt.Errorf("move new cluster: %w", err)
	}
	return nil
}

// start starts the server and waits until it takes connections.
func (c *cluster) start(ctx context.Context, socket string, more map[string]string) (*process, error) {
	log, err := c.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// a list of folders, in which a comma would separate two
	args := []string{"-D", c.data, "-k", `"` + strings.ReplaceAll(socket, `"`, `""`) + `"`}
	for _, set := range []map[string]string{settings, more} {
		for name, value := range set {
			args = append(args, "-c", name+"="+value)
		}
	}
	cmd := c.command(context.WithoutCancel(ctx), "postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := startProcess(cmd)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	for !c.ready(ctx, socket, cmd.Process.Pid) {
		select {
		case <-p.done:
			return nil, fmt.Errorf("start postgres: it ended at once; the end of %s is:\n%s", c.log(), c.lastOfLog())
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("start postgres: %w; see %s", ctx.Err(), c.log()), p.kill())
		case <-time.After(pollInterval):
		}
	}
	return p, nil
}

// ready reads the state that the server keeps in its pid file, and tries the socket.
func (c *cluster) ready(ctx context.Context, socket string, pid int) bool {
	lines := c.pidFile()
	const pidLine, stateLine = 0, 7
	if len(lines) <= stateLine || lines[pidLine] != fmt.Sprint(pid) || lines[stateLine] != "ready" {
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(socket, socketName))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// pidFile returns the lines of postmaster.pid, without the blanks around them.
func (c *cluster) pidFile() []string {
	b, err := os.ReadFile(filepath.Join(c.data, "postmaster.pid"))
	if err != nil {
		return nil
	}
	lines := strings.Split(string(b), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

// stopLeftover ends a server that still runs in this folder. It cannot be another program's, which would hold the lock.
func (c *cluster) stopLeftover(ctx context.Context) error {
	lines := c.pidFile()
	if len(lines) == 0 {
		return nil
	}
	pid := 0
	_, err := fmt.Sscan(lines[0], &pid)
	if err != nil || !isPostgresOf(pid, c.data) {
		return nil //nolint:nilerr // PostgreSQL removes a pid file that means nothing
	}
	err = syscall.Kill(pid, syscall.SIGINT)
	for err == nil && isPostgresOf(pid, c.data) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("stop the PostgreSQL that was left running (process %d): %w", pid, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
	return nil
}

func (c *cluster) log() string { return filepath.Join(c.dir, "postgres.log") }

func (c *cluster) openLog() (*os.File, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(c.log()); err == nil && info.Size() > maxLog {
		flags |= os.O_TRUNC
	}
	log, err := os.OpenFile(c.log(), flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return log, nil
}

// lastOfLog is what a person needs to see why the server ended.
func (c *cluster) lastOfLog() string {
	const lastLines = 10
	b, err := os.ReadFile(c.log())
	if err != nil {
		return err.Error()
	}
	lines := slices.Collect(strings.Lines(string(b)))
	return strings.Join(lines[max(0, len(lines)-lastLines):], "")
}

// process is a child that ends with this program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// startProcess starts the command on a thread that lives as long as the child does: the kernel tells the child of the
// end of that thread, not of the program.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd, make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // what it ended with is in its log
			close(p.done)
		}
	}()
	err := <-started
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) stop(ctx context.Context) error {
	select {
	case <-p.done:
		return errors.New("postgres has ended by itself")
	default:
	}
	err := p.cmd.Process.Signal(syscall.SIGINT)
	if err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop postgres: %w", ctx.Err()), p.kill())
	}
}

// kill ends the server and its children without a checkpoint.
func (p *process) kill() error {
	err := p.cmd.Process.Signal(syscall.SIGQUIT)
	<-p.done
	return err
}
