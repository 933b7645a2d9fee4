package localpg

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	pollInterval = 20 * time.Millisecond

	// noticeAfter is how long a start may take before it is said why.
	noticeAfter = 5 * time.Second

	// cancelTimeout is what initdb gets to clean up after itself.
	cancelTimeout = 10 * time.Second

	// lingerTimeout bounds the wait for the children of a server that was killed; they end when they notice.
	lingerTimeout = 30 * time.Second

	// The names of what is being made begin so.
	unfinishedCluster  = "data.new-"
	unfinishedBinaries = "binaries.new-"

	// maxLog is the size in bytes from which the server's log is begun anew at a start.
	maxLog = 10 << 20
)

// settings suit bulk loading on a small machine. What makes data safe (fsync, synchronous_commit) is as PostgreSQL has it.
var settings = map[string]string{
	"listen_addresses":   "",
	"port":               port,
	"max_connections":    "100",   // several programs' pools and psql
	"shared_buffers":     "256MB", // the indexes of some million users
	"max_wal_size":       "4GB",   // else a checkpoint every few seconds of an import, and every page written whole after it
	"checkpoint_timeout": "15min", // the same
	"wal_compression":    "on",    // less to write of the pages that are written whole
	"logging_collector":  "off",   // on in some distributions, and then the log is not where this package looks
	"log_checkpoints":    "off",   // the log is bounded at starts only, and this would fill it between
	"log_statement":      "none",  // statements have personal data

	// an error of a statement is the program's to tell, and its text may be about a person: no errors, but what the
	// server says of itself
	"log_min_messages":        "log",
	"log_min_error_statement": "panic",
	"log_error_verbosity":     "terse",
}

// cluster is the folder of a server, and who runs it.
//
//	data/         the cluster, the account's own
//	socket/       the folder of the socket, the account's own; a link where the path is too long for a socket
//	postgres.log  what the server says of itself
//	pg_*.conf     who may connect, written anew at each start
//	lock          held by the program that uses the folder
//	binaries-*/   PostgreSQL's programs, where they had to be fetched
//
// The folder itself is the program's, not the account's: what root opens in it, the server cannot have replaced by a link.
type cluster struct {
	dir, data, bin string
	who            *account
	log            *slog.Logger
}

// version is the major version that the cluster was made by, 0 when there is no cluster.
func (c *cluster) version() int {
	b, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	version, _ := strconv.Atoi(strings.TrimSpace(string(b))) // 9.6 and older are not numbers, and nothing opens them
	return version
}

// command prepares a program to run as the account. Its environment is its own, so that nothing that is set for other
// servers (PGDATA, PGPORT ...) concerns this one, and no secret of the program gets there.
func (c *cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/" // every account may be there
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	if path, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+path)
	}
	cmd.SysProcAttr = c.who.sysProcAttr()
	return cmd
}

// run runs a program to its end. When ctx ends first, the program and its children are interrupted.
func (c *cluster) run(cmd *exec.Cmd) ([]byte, error) {
	runtime.LockOSThread() // see startProcess
	defer runtime.UnlockOSThread()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = cancelTimeout
	err := cmd.Run()
	if err != nil && output.Len() > 0 {
		err = fmt.Errorf("%w\n%s", err, output.Bytes())
	}
	return output.Bytes(), err
}

// runIn runs the `postgres --version` of a folder in another one. Its error says what to do where the account cannot get to either.
func (c *cluster) runIn(ctx context.Context, dir, bin string) ([]byte, error) {
	cmd := c.command(ctx, filepath.Join(bin, "postgres"), "--version")
	cmd.Dir = dir
	output, err := c.run(cmd)
	if err == nil {
		return output, nil
	}
	err = fmt.Errorf("run %s as %s in %s: %w", filepath.Join(bin, "postgres"), c.who.name, dir, err)
	if errors.Is(err, syscall.EACCES) {
		if closed := cmp.Or(c.who.firstClosed(dir), c.who.firstClosed(bin)); closed != "" {
			err = fmt.Errorf("PostgreSQL runs as %[1]s, who may not enter %[2]s: let others enter it (chmod o+x %[2]s), use another --data-dir, "+
				"start the program as another user, or set DATABASE_URL (%[3]w)", c.who.name, closed, err)
		}
	}
	return nil, err
}

// init makes the cluster and its database beside the place where they belong, and moves them there when they are
// complete: one that was broken off is not taken for a cluster.
func (c *cluster) init(ctx context.Context, noSync bool) error {
	// a name of its own each time: what made the last one, and was killed, may still be at work
	unfinished, err := os.MkdirTemp(c.dir, unfinishedCluster)
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	err = os.Lchown(unfinished, c.who.uid, c.who.gid)
	if err != nil {
		return fmt.Errorf("give folder to %s: %w", c.who.name, err)
	}
	initdbArgs := []string{"-D", unfinished, "-U", superuser, "-E", "UTF8", "--auth-local=peer", "--auth-host=reject"}
	if noSync {
		initdbArgs = append(initdbArgs, "--no-sync")
	}
	initdb := func(locale string) ([]byte, error) {
		return c.run(c.command(ctx, filepath.Join(c.bin, "initdb"), append(initdbArgs, "--locale="+locale)...))
	}
	// C.UTF-8 knows the case of every script, and sorts by bytes. Not every system has it.
	output, err := initdb("C.UTF-8")
	if err != nil && bytes.Contains(output, []byte("invalid locale name")) {
		_, err = initdb("C")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("initdb: %w", err), os.RemoveAll(unfinished))
	}
	err = c.single(ctx, unfinished, "postgres", noSync, "create role "+role+" login", "create database "+Database+" owner "+role)
	if err == nil {
		err = c.markOwned(unfinished)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("create database: %w", err), os.RemoveAll(unfinished))
	}
	err = os.Rename(unfinished, c.data)
	if err != nil {
		return errors.Join(fmt.Errorf("move new cluster: %w", err), os.RemoveAll(unfinished))
	}
	// Were the new name lost with the power, the next start would remove what is then in use under the old one.
	return syncDir(c.dir)
}

// single executes statements, each on a line, as the superuser of a cluster that no server runs.
func (c *cluster) single(ctx context.Context, data, database string, noSync bool, statements ...string) error {
	args := []string{"--single", "-D", data, "-c", "exit_on_error=on"}
	if noSync {
		args = append(args, "-F")
	}
	return afterChildren(ctx, func() error {
		cmd := c.command(ctx, filepath.Join(c.bin, "postgres"), append(args, database)...)
		cmd.Stdin = strings.NewReader(strings.Join(statements, "\n") + "\n")
		_, err := c.run(cmd)
		return err
	})
}

// removeUnfinished removes what a start that was broken off has left. What cannot be removed now, as something still
// writes in it, is left to the next start.
func (c *cluster) removeUnfinished() {
	for _, prefix := range []string{unfinishedCluster, unfinishedBinaries} {
		names, _ := filepath.Glob(filepath.Join(escapeGlob(c.dir), prefix+"*")) // the patterns are valid
		for _, name := range names {
			err := os.RemoveAll(name)
			if err != nil {
				c.log.Warn("cannot remove what a broken start left", "error", err)
			}
		}
	}
}

// start starts the server and waits until it takes connections.
func (c *cluster) start(ctx context.Context, socket string, more map[string]string) (p *process, err error) {
	err = afterChildren(ctx, func() error {
		p, err = c.startOnce(ctx, socket, more)
		return err
	})
	return p, err
}

// afterChildren runs a server. The children of one that was killed hold its memory until they notice, and a server in it would be
// their ruin: PostgreSQL refuses to start meanwhile.
func afterChildren(ctx context.Context, run func() error) error {
	linger, cancel := context.WithTimeout(ctx, lingerTimeout)
	defer cancel()
	for {
		err := run()
		if err == nil || !strings.Contains(err.Error(), "pre-existing shared memory block") {
			return err
		}
		select {
		case <-linger.Done():
			return err
		case <-time.After(10 * pollInterval):
		}
	}
}

func (c *cluster) startOnce(ctx context.Context, socket string, more map[string]string) (*process, error) {
	log, err := c.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	logged, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("seek in log: %w", err)
	}
	all := maps.Clone(settings)
	all["hba_file"], all["ident_file"] = c.accessFile(), c.identFile()
	maps.Copy(all, more)
	// a list of folders, in which a comma would separate two
	all["unix_socket_directories"] = `"` + strings.ReplaceAll(socket, `"`, `""`) + `"`
	args := []string{"-D", c.data}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	cmd := c.command(context.WithoutCancel(ctx), filepath.Join(c.bin, "postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := startProcess(cmd)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	notice := time.After(noticeAfter)
	for !c.ready(ctx, socket, cmd.Process.Pid) {
		select {
		case <-p.done:
			return nil, fmt.Errorf("start postgres: it ended at once; the end of %s is:\n%s", c.logFile(), c.endOfLog(logged))
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("start postgres: %w; the end of %s is:\n%s", ctx.Err(), c.logFile(), c.endOfLog(logged)),
				p.kill())
		case <-notice:
			c.log.Info("PostgreSQL is still starting; after a crash it does again what was done since the last checkpoint")
		case <-time.After(pollInterval):
		}
	}
	return p, nil
}

// ready reads the state that the server keeps in its pid file, and tries the socket.
func (c *cluster) ready(ctx context.Context, socket string, pid int) bool {
	lines := c.pidFile()
	const pidLine, stateLine = 0, 7
	if len(lines) <= stateLine || lines[pidLine] != strconv.Itoa(pid) {
		return false
	}
	if lines[stateLine] != "ready" && lines[stateLine] != "standby" { // which takes connections, too
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(socket, socketName))
	if err != nil {
		return false
	}
	_ = conn.Close() // nothing was sent
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
	pid, err := strconv.Atoi(lines[0])
	if err != nil || !isServerOf(pid, c.data) {
		return nil //nolint:nilerr // PostgreSQL removes a pid file that means nothing
	}
	c.log.Info("stopping a PostgreSQL that was left running", "folder", c.dir, "pid", pid)
	err = syscall.Kill(pid, syscall.SIGINT)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the PostgreSQL that was left running (process %d): %w", pid, err)
	}
	atOnce := time.After(lingerTimeout)
	for isServerOf(pid, c.data) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("stop the PostgreSQL that was left running (process %d): %w", pid, ctx.Err())
		case <-atOnce:
			_ = syscall.Kill(pid, syscall.SIGQUIT) // the loop sees what comes of it
		case <-time.After(pollInterval):
		}
	}
	return nil
}

func (c *cluster) logFile() string { return filepath.Join(c.dir, "postgres.log") }

func (c *cluster) openLog() (*os.File, error) {
	log, err := c.openFile(c.logFile(), os.O_APPEND)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	info, err := log.Stat()
	if err == nil && info.Size() > maxLog {
		err = log.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("truncate log: %w", err), log.Close())
	}
	return log, nil
}

// lastOfLog is what a person needs to see why the server ended.
func (c *cluster) lastOfLog() string { return c.endOfLog(0) }

// endOfLog is the same, of what was written since the log had a size.
func (c *cluster) endOfLog(since int64) string {
	const lastLines = 10
	b, err := os.ReadFile(c.logFile())
	if err != nil {
		return err.Error()
	}
	lines := slices.Collect(strings.Lines(string(b[min(int64(len(b)), since):])))
	return strings.Join(lines[max(0, len(lines)-lastLines):], "")
}
