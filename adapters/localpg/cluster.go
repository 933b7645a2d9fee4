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

	// noticeAfter is the duration of a start after which a log line explains the delay.
	noticeAfter = 5 * time.Second

	// cancelTimeout is the time that a cancelled initdb gets to clean up.
	cancelTimeout = 10 * time.Second

	// lingerTimeout bounds the wait for the children of a killed server, which end when they notice.
	lingerTimeout = 30 * time.Second

	// unfinishedCluster and unfinishedBinaries are prefixes of folders that are not complete yet.
	unfinishedCluster  = "data.new-"
	unfinishedBinaries = "binaries.new-"

	// maxLog is the size of the server's log above which a start empties it, in bytes.
	maxLog = 10 << 20
)

// settings suit bulk loading on a small machine. Settings that protect data (fsync, synchronous_commit) keep PostgreSQL's defaults.
var settings = map[string]string{
	"listen_addresses":   "",
	"port":               port,
	"max_connections":    "100",   // the pools of several programs, and psql
	"shared_buffers":     "256MB", // holds the indexes of some million users
	"max_wal_size":       "4GB",   // less causes a checkpoint every few seconds of an import, after which every page is written in full
	"checkpoint_timeout": "15min", // as for max_wal_size
	"wal_compression":    "on",    // compresses pages that are written in full
	"logging_collector":  "off",   // some distributions turn it on, which moves the log
	"log_checkpoints":    "off",   // they would fill the log, which only a start empties
	"log_statement":      "none",  // statements contain personal data

	// The program reports failed statements itself, and their errors may contain personal data. Log only messages about the server.
	"log_min_messages":        "log",
	"log_min_error_statement": "panic",
	"log_error_verbosity":     "terse",
}

// A cluster is the folder of a server and the account that runs it.
//
//	data/         the data of the server; belongs to the account
//	socket/       the folder of the socket, or a link to it if the path is too long; belongs to the account
//	postgres.log  the log of the server
//	pg_*.conf     the access rules, rewritten at each start
//	lock          held by the program that uses the folder
//	binaries-*/   PostgreSQL's programs, if they were downloaded
//
// The folder itself belongs to the program, not to the account. So the server cannot replace a file that root opens by a link.
type cluster struct {
	dir, data, bin string
	account        *account
	log            *slog.Logger
}

// version returns the major version that created the cluster, 0 if there is no cluster.
func (c *cluster) version() int {
	b, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	version, _ := strconv.Atoi(strings.TrimSpace(string(b))) // 9.6 and older are no integers, and are not supported
	return version
}

// command returns a command that runs as the account. Its environment is minimal, so that variables for other servers (PGDATA,
// PGPORT ...) have no effect and no secret of the program reaches it.
func (c *cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/" // every account may enter it
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	if path, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+path)
	}
	cmd.SysProcAttr = c.account.sysProcAttr()
	return cmd
}

// run runs a command to its end and returns its output. If the command's context ends first, run interrupts the process and its
// children.
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

// runIn runs postgres --version from the folder bin in the folder dir. If the account cannot enter one of them, the error says what to
// do.
func (c *cluster) runIn(ctx context.Context, dir, bin string) ([]byte, error) {
	cmd := c.command(ctx, filepath.Join(bin, "postgres"), "--version")
	cmd.Dir = dir
	output, err := c.run(cmd)
	if err == nil {
		return output, nil
	}
	err = fmt.Errorf("run %s as %s in %s: %w", filepath.Join(bin, "postgres"), c.account.name, dir, err)
	if errors.Is(err, syscall.EACCES) {
		if closed := cmp.Or(c.account.firstClosed(dir), c.account.firstClosed(bin)); closed != "" {
			err = fmt.Errorf("PostgreSQL runs as %[1]s, who may not enter %[2]s: let others enter it (chmod o+x %[2]s), use another --data-dir, "+
				"start the program as another user, or set DATABASE_URL (%[3]w)", c.account.name, closed, err)
		}
	}
	return nil, err
}

// init creates the cluster and its database under a temporary name, and renames the folder when it is complete. So an interrupted
// init leaves no cluster.
func (c *cluster) init(ctx context.Context, noSync bool) error {
	// The name is new each time: the processes of a killed program may still write to the previous folder.
	unfinished, err := os.MkdirTemp(c.dir, unfinishedCluster)
	if err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	err = os.Lchown(unfinished, c.account.uid, c.account.gid)
	if err != nil {
		return fmt.Errorf("change owner of folder to %s: %w", c.account.name, err)
	}
	initdbArgs := []string{"-D", unfinished, "-U", superuser, "-E", "UTF8", "--auth-local=peer", "--auth-host=reject"}
	if noSync {
		initdbArgs = append(initdbArgs, "--no-sync")
	}
	initdb := func(locale string) ([]byte, error) {
		return c.run(c.command(ctx, filepath.Join(c.bin, "initdb"), append(initdbArgs, "--locale="+locale)...))
	}
	// C.UTF-8 maps the case of every script and sorts by bytes. Some systems lack it.
	output, err := initdb("C.UTF-8")
	if err != nil && bytes.Contains(output, []byte("invalid locale name")) {
		_, err = initdb("C")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("initdb: %w", err), os.RemoveAll(unfinished))
	}
	err = c.single(ctx, unfinished, "postgres", noSync, "create role "+role+" login", line("do $$ begin "+grantSQL+" end $$"),
		"create database "+Database+" owner "+role)
	if err == nil {
		err = c.markRights(unfinished)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("create database: %w", err), os.RemoveAll(unfinished))
	}
	err = os.Rename(unfinished, c.data)
	if err != nil {
		return errors.Join(fmt.Errorf("move new cluster: %w", err), os.RemoveAll(unfinished))
	}
	// If a power failure reverted the rename, the next start would remove a cluster that has data.
	return syncDir(c.dir)
}

// single executes statements, one per line, as the superuser of a cluster whose server is stopped.
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

// removeUnfinished removes the folders that an interrupted start left. The next start tries again to remove those that a process still
// writes to.
func (c *cluster) removeUnfinished() {
	for _, prefix := range []string{unfinishedCluster, unfinishedBinaries} {
		names, _ := filepath.Glob(filepath.Join(escapeGlob(c.dir), prefix+"*")) // the patterns are valid
		for _, name := range names {
			err := os.RemoveAll(name)
			if err != nil {
				c.log.Warn("cleanup after an interrupted start failed", "error", err)
			}
		}
	}
}

// start starts the server and waits until it accepts connections.
func (c *cluster) start(ctx context.Context, socket string, more map[string]string) (p *process, err error) {
	err = afterChildren(ctx, func() error {
		p, err = c.startOnce(ctx, socket, more)
		return err
	})
	return p, err
}

// afterChildren calls run until it succeeds or fails for another reason than running children. The children of a killed server hold
// its shared memory until they notice its end, and PostgreSQL does not start before.
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
	// The value is a list of folders. Quotes keep a comma from separating two.
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
			return nil, fmt.Errorf("start postgres: the process ended during the start; the end of %s is:\n%s", c.logFile(), c.endOfLog(logged))
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("start postgres: %w; the end of %s is:\n%s", ctx.Err(), c.logFile(), c.endOfLog(logged)),
				p.kill())
		case <-notice:
			c.log.Info("PostgreSQL is still starting; after a crash it replays everything since the last checkpoint")
		case <-time.After(pollInterval):
		}
	}
	return p, nil
}

// ready reports whether the server with the process id accepts connections, by its pid file and its socket.
func (c *cluster) ready(ctx context.Context, socket string, pid int) bool {
	lines := c.pidFile()
	const pidLine, stateLine = 0, 7
	if len(lines) <= stateLine || lines[pidLine] != strconv.Itoa(pid) {
		return false
	}
	if lines[stateLine] != "ready" && lines[stateLine] != "standby" { // a standby accepts connections, too
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(socket, socketName))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// pidFile returns the lines of postmaster.pid without surrounding blanks.
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

// stopLeftover stops a server that a killed program left running. It cannot belong to a running program, which would hold the lock.
func (c *cluster) stopLeftover(ctx context.Context) error {
	lines := c.pidFile()
	if len(lines) == 0 {
		return nil
	}
	pid, err := strconv.Atoi(lines[0])
	if err != nil || !isServerOf(pid, c.data) {
		return nil //nolint:nilerr // PostgreSQL removes a stale pid file itself
	}
	c.log.Info("stopping PostgreSQL left by a killed program", "folder", c.dir, "pid", pid)
	err = syscall.Kill(pid, syscall.SIGINT)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop PostgreSQL left by a killed program (process %d): %w", pid, err)
	}
	patience := time.After(lingerTimeout)
	for isServerOf(pid, c.data) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("stop PostgreSQL left by a killed program (process %d): %w", pid, ctx.Err())
		case <-patience:
			_ = syscall.Kill(pid, syscall.SIGQUIT) // the loop checks the result
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

// lastOfLog returns the last lines of the log, which say why the server ended.
func (c *cluster) lastOfLog() string { return c.endOfLog(0) }

// endOfLog returns the last lines of the log after an offset, in bytes.
func (c *cluster) endOfLog(since int64) string {
	const lastLines = 10
	b, err := os.ReadFile(c.logFile())
	if err != nil {
		return err.Error()
	}
	lines := slices.Collect(strings.Lines(string(b[min(int64(len(b)), since):])))
	return strings.Join(lines[max(0, len(lines)-lastLines):], "")
}
