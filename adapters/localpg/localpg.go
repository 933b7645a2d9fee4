// Package localpg runs a private PostgreSQL: the database of a program that was given none, of tests and of benchmarks.
// It listens on a unix socket that only its owner can reach, has no power beyond its own folder, and ends with the program, however
// the program ends.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Database is the database that every server has.
const Database = "rollcall"

// ErrInUse is returned when another program runs the server of a folder.
var ErrInUse = errors.New("another program uses the database")

var errStopped = errors.New("the server was stopped")

// Config says what to run.
type Config struct {
	Dir         string            // of the cluster and all that belongs to it; made when missing
	Settings    map[string]string // of postgresql.conf, beside or instead of this package's
	BinariesURL string            // Maven repository to fetch PostgreSQL from when the machine has none; empty for the usual one
	Log         *slog.Logger      // nil for none
}

// Server is a PostgreSQL that runs.
type Server struct {
	cluster  *cluster
	settings map[string]string
	socket   string // folder of the socket
	lock     *os.File

	mu      sync.Mutex
	process *process
	stopped bool
}

// Start starts the server of a folder, and makes its cluster when there is none. What a program that was killed left
// running is stopped first. It waits until the server takes connections, which after a crash can be minutes: ctx is what
// bounds it. It returns ErrInUse when another program uses the folder, and another error when there is no PostgreSQL on the
// machine and none can be fetched.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := makeDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, data: filepath.Join(dir, "data"), log: cfg.Log}
	c.who, err = findAccount(c.data)
	if err != nil {
		return nil, err
	}
	lock, err := c.takeLock()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, releaseLock(lock))
		}
	}()
	c.removeUnfinished()
	c.bin, err = c.findBinaries(ctx, cfg.BinariesURL)
	if err != nil {
		return nil, err
	}
	_, err = c.runIn(ctx, c.dir, c.bin)
	if err != nil {
		return nil, err
	}
	err = c.stopLeftover(ctx)
	if err != nil {
		return nil, err
	}
	noSync := cfg.Settings["fsync"] == "off"
	if c.version() == 0 {
		err = c.init(ctx, noSync)
	} else {
		err = c.own(ctx, noSync)
	}
	if err == nil {
		err = c.writeAccess()
	}
	if err != nil {
		return nil, err
	}
	socket, err := c.makeSocketDir(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.start(ctx, socket, cfg.Settings)
	if err != nil {
		return nil, errors.Join(err, c.removeSocketDir())
	}
	cfg.Log.Info("started PostgreSQL", "folder", dir, "binaries", c.bin)
	return &Server{cluster: c, settings: cfg.Settings, socket: socket, process: p, lock: lock}, nil
}

// URL is the connection string of a database of the server, for the role that owns the Database. It names the port, or PGPORT would.
func (s *Server) URL(database string) string { return socketURL(s.socket, role, database) }

// SuperuserURL is the same for the superuser, whom the program itself does not need.
func (s *Server) SuperuserURL(database string) string {
	return socketURL(s.socket, superuser, database)
}

// URL is the connection string of a database of the server that another program runs in a folder. It can be used by the
// account that runs the server, by who runs that program, and by root. It returns an error when no server has been there.
func URL(dir, database string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find data folder: %w", err)
	}
	socket, err := filepath.EvalSymlinks((&cluster{dir: dir}).socketLink())
	if err != nil {
		return "", fmt.Errorf("find folder of the socket: %w", err)
	}
	return socketURL(socket, role, database), nil
}

func socketURL(socket, user, database string) string {
	// libpq takes a plus sign for one, where net/url means a space
	host := strings.ReplaceAll(url.QueryEscape(socket), "+", "%20")
	return "postgres://" + user + "@/" + url.PathEscape(database) + "?host=" + host + "&port=" + port
}

// Bin is the path of one of PostgreSQL's programs: the server's own where it has it, else of whatever version is in PATH.
// It is empty where there is none: servers may come without psql.
func (s *Server) Bin(name string) string {
	path := filepath.Join(s.cluster.bin, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// Done is closed when the server has ended. After a Restart it is another.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.done
}

// Restart starts a server again that has ended by itself, at the same address and with all that was committed. It returns an
// error when the server cannot start, as where there is no room on its disk, and can then be called again; after Stop it always does.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	p, err := s.cluster.start(ctx, s.socket, s.settings)
	if err != nil {
		return err
	}
	s.process = p
	return nil
}

// Stop ends the server: running statements are cancelled, and what was committed is written. When ctx ends first, the
// server is ended at once, and recovers at its next start. It returns an error when that was so, and when the server had
// ended by itself. Another call does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	err := s.process.stop(ctx)
	if errors.Is(err, errEnded) {
		err = fmt.Errorf("%w; the end of %s is:\n%s", err, s.cluster.logFile(), s.cluster.lastOfLog())
	}
	return errors.Join(err, s.cluster.removeSocketDir(), releaseLock(s.lock))
}
