package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	port       = "5432"
	socketName = ".s.PGSQL." + port

	// maxSocketPath is how many bytes the path of a unix socket may have on every system (Linux takes a few more).
	maxSocketPath = 103
)

// makeDir makes the folder when it is missing, and returns its path without links, which is the same for all its names.
func makeDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find data folder: %w", err)
	}
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		missing = append(missing, at)
	}
	const open = 0o755 // the account must get through, whatever the umask
	err = os.MkdirAll(dir, open)
	for _, made := range missing {
		err = errors.Join(err, os.Chmod(made, open))
	}
	if err != nil {
		return "", fmt.Errorf("make data folder: %w", err)
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("find data folder: %w", err)
	}
	return dir, nil
}

// takeLock takes the folder for this program. The lock ends with the program.
func (c *cluster) takeLock() (*os.File, error) {
	lock, err := c.openFile(filepath.Join(c.dir, "lock"), 0)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("%w in %s", ErrInUse, c.dir), lock.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", c.dir, err), lock.Close())
	}
	return lock, nil
}

// releaseLock gives the folder back. The lock is ended by itself, not by closing its file alone: a child that another part
// of the program is starting just now may have the file for a moment longer.
func releaseLock(lock *os.File) error {
	return errors.Join(syscall.Flock(int(lock.Fd()), syscall.LOCK_UN), lock.Close())
}

// openFile opens a file of the folder. It is the account's: where root ran a user's server, the user can run it again.
// The folder may be that user's, so no link is followed.
func (c *cluster) openFile(name string, flags int) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW|flags, 0o600)
	if err != nil {
		return nil, err
	}
	if c.who.switched {
		err = f.Chown(c.who.uid, c.who.gid)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// writeFile writes a whole file of the folder.
func (c *cluster) writeFile(name, content string) error {
	f, err := c.openFile(name, os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

// socketLink is the folder of the socket, or a link to it.
func (c *cluster) socketLink() string { return filepath.Join(c.dir, "socket") }

// makeSocketDir makes the folder of the socket, which only its owner may enter: whoever gets in is let in. It is in the
// cluster's folder; where that has a path that no socket can have, it is in the temporary one, with a link to it, by
// which the next start finds what a killed program left there.
func (c *cluster) makeSocketDir(ctx context.Context) (_ string, err error) {
	link := c.socketLink()
	err = c.removeSocketDir()
	if err != nil {
		return "", err
	}
	if fitsSocket(link) {
		return link, c.who.makePrivateDir(link)
	}
	dir, err := os.MkdirTemp("", "rollcall-")
	if err != nil {
		return "", fmt.Errorf("make folder of the socket: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(dir))
		}
	}()
	if !fitsSocket(dir) {
		return "", fmt.Errorf("no socket can be in %s: its path is too long or has a comma; set TMPDIR to another", dir)
	}
	err = os.Lchown(dir, c.who.uid, c.who.gid)
	if err != nil {
		return "", fmt.Errorf("give folder to %s: %w", c.who.name, err)
	}
	_, err = c.runIn(ctx, dir, c.bin)
	if err != nil {
		return "", fmt.Errorf("%w; the folder of the socket is in that of temporary files: TMPDIR names another", err)
	}
	err = os.Symlink(dir, link)
	if err != nil {
		return "", fmt.Errorf("link to folder of the socket: %w", err)
	}
	return dir, nil
}

// fitsSocket tells whether a socket can be in the folder. A comma separates hosts in a connection string.
func fitsSocket(dir string) bool {
	return len(filepath.Join(dir, socketName)) <= maxSocketPath && !strings.Contains(dir, ",")
}

// removeSocketDir removes the folder of the socket from the temporary folder, if it is there.
func (c *cluster) removeSocketDir() error {
	dir, err := os.Readlink(c.socketLink())
	if err != nil {
		return nil //nolint:nilerr // it is no link, or nothing yet
	}
	for _, name := range []string{
		filepath.Join(dir, socketName), filepath.Join(dir, socketName+".lock"), dir, c.socketLink(),
	} {
		err = os.Remove(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove folder of the socket: %w", err)
		}
	}
	return nil
}

// makePrivateDir makes a folder that only the account can enter, or sees that it is one.
func (a *account) makePrivateDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = os.Lchown(dir, a.uid, a.gid)
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at folder: %w", err)
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || owner == nil || int(owner.Uid) != a.uid {
		return fmt.Errorf("%s must be a folder that belongs to %s and that nobody else may enter", dir, a.name)
	}
	return nil
}

// syncDir makes the names in a folder survive a loss of power.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	err = errors.Join(f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// escapeGlob makes a pattern that a name, and no other, matches.
func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}
