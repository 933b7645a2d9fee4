// Package localpg runs a private PostgreSQL: the embedded database of the program, and the database of tests and benchmarks. The server
// listens on a unix socket that only its owner can reach. It has no rights outside its folder, and ends with the program, even if the
// program is killed.
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

// Database is the name of the database that every server has.
const Database = "rollcall"

// ErrInUse is returned if another program runs the server of a folder.
var ErrInUse = errors.New("another program uses the database")

var errStopped = errors.New("the server was stopped")

// A Config configures a Server.
type Config struct {
	Dir         string            // folder of the cluster and its files; created if it is missing
	Settings    map[string]string // of postgresql.conf; they override those of this package
	BinariesURL string            // Maven repository of PostgreSQL's programs, for a machine without them; defaults to Maven Central
	Log         *slog.Logger      // nil discards log lines
}

// A Server is a running PostgreSQL.
type Server struct {
	cluster  *cluster
	settings map[string]string
	socket   string // folder of the socket
	lock     *os.File

	mu      sync.Mutex
	process *process
	stopped bool
}

// Start starts the server of a folder and creates its cluster if there is none. It first stops a server that a killed program left
// running. It waits until the server accepts connections, which can take minutes after a crash; only ctx bounds that wait. It returns
// ErrInUse if another program uses the folder, and another error if the machine has no PostgreSQL and none can be downloaded.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := makeDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, data: filepath.Join(dir, "data"), log: cfg.Log}
	c.account, err = findAccount(c.data)
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
		err = c.grantRights(ctx, noSync)
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
	cfg.Log.Info("PostgreSQL started", "folder", dir, "binaries", c.bin)
	return &Server{cluster: c, settings: cfg.Settings, socket: socket, process: p, lock: lock}, nil
}

// URL returns the connection string of a database, for the role that owns Database. It has the port, because PGPORT would replace a
// missing one.
func (s *Server) URL(database string) string { return socketURL(s.socket, role, database) }

// SuperuserURL returns the connection string of a database for the superuser. The program itself does not need it.
func (s *Server) SuperuserURL(database string) string {
	return socketURL(s.socket, superuser, database)
}

// URL returns the connection string of a database of a server that another program runs. The account of the server, the user of that
// program and root can use it. URL returns an error if the folder never had a server.
func URL(dir, database string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("resolve data folder: %w", err)
	}
	socket, err := filepath.EvalSymlinks((&cluster{dir: dir}).socketLink())
	if err != nil {
		return "", fmt.Errorf("resolve folder of the socket: %w", err)
	}
	return socketURL(socket, role, database), nil
}

func socketURL(socket, user, database string) string {
	// libpq reads a plus sign as itself, net/url writes one for a space.
	host := strings.ReplaceAll(url.QueryEscape(socket), "+", "%20")
	return "postgres://" + user + "@/" + url.PathEscape(database) + "?host=" + host + "&port=" + port
}

// Bin returns the path of one of PostgreSQL's programs: that of the server's version, or else that in PATH. It returns an empty string
// if there is none; some servers come without psql.
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

// Done returns a channel that is closed when the server has ended. A Restart replaces it.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.done
}

// Restart restarts a server that has ended by itself, at the same address and with all committed data. It returns an error if the
// server cannot start, for example because its disk is full; then it can be called again. After Stop it always returns an error.
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

// Stop stops the server: it cancels running statements and writes a checkpoint. If ctx ends first, it stops the server without a
// checkpoint, and the next start recovers the data. It returns an error in that case, and if the server had ended by itself. Another
// call does nothing.
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
