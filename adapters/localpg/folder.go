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

	// maxSocketPath is the maximum length of a unix socket's path on every system, in bytes. Linux accepts a few more.
	maxSocketPath = 103
)

// makeDir creates a folder if it is missing. It returns the folder's path without links, which identifies the folder.
func makeDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("resolve data folder: %w", err)
	}
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		missing = append(missing, at)
	}
	const open = 0o755 // the account must be able to enter, whatever the umask
	err = os.MkdirAll(dir, open)
	for _, made := range missing {
		err = errors.Join(err, os.Chmod(made, open))
	}
	if err != nil {
		return "", fmt.Errorf("create data folder: %w", err)
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("resolve data folder: %w", err)
	}
	return dir, nil
}

// takeLock locks the folder for this program. The kernel releases the lock when the program ends.
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

// releaseLock unlocks the folder. It does not rely on closing the file: a child that the program starts concurrently may hold the file
// for a moment longer.
func releaseLock(lock *os.File) error {
	return errors.Join(syscall.Flock(int(lock.Fd()), syscall.LOCK_UN), lock.Close())
}

// openFile opens or creates a file of the folder. The file belongs to the account, so that a user can run the server again after root
// did. It follows no link, because the folder may belong to that user.
func (c *cluster) openFile(name string, flags int) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW|flags, 0o600)
	if err != nil {
		return nil, err
	}
	if c.account.switched {
		err = f.Chown(c.account.uid, c.account.gid)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// writeFile writes a file of the folder.
func (c *cluster) writeFile(name, content string) error {
	f, err := c.openFile(name, os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

// socketLink returns the path of the socket's folder or of the link to it.
func (c *cluster) socketLink() string { return filepath.Join(c.dir, "socket") }

// makeSocketDir creates the folder of the socket. Only its owner may enter it, because that can be the only protection of the server:
// see writeAccess. The folder is in the cluster's folder. If the path is too long for a socket, it is in the temporary folder, and a
// link leads to it, by which the next start finds the files of a killed program.
func (c *cluster) makeSocketDir(ctx context.Context) (_ string, err error) {
	link := c.socketLink()
	err = c.removeSocketDir()
	if err != nil {
		return "", err
	}
	if fitsSocket(link) {
		return link, c.account.makePrivateDir(link)
	}
	dir, err := os.MkdirTemp("", "rollcall-")
	if err != nil {
		return "", fmt.Errorf("create folder of the socket: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(dir))
		}
	}()
	if !fitsSocket(dir) {
		return "", fmt.Errorf("no socket can be in %s, because its path is too long or contains a comma; set TMPDIR to another folder", dir)
	}
	err = os.Lchown(dir, c.account.uid, c.account.gid)
	if err != nil {
		return "", fmt.Errorf("change owner of folder to %s: %w", c.account.name, err)
	}
	_, err = c.runIn(ctx, dir, c.bin)
	if err != nil {
		return "", fmt.Errorf("%w; the socket is in the folder of temporary files: set TMPDIR to another folder", err)
	}
	err = os.Symlink(dir, link)
	if err != nil {
		return "", fmt.Errorf("link to folder of the socket: %w", err)
	}
	return dir, nil
}

// fitsSocket reports whether a folder can hold the socket. A comma would separate two hosts in a connection string.
func fitsSocket(dir string) bool {
	return len(filepath.Join(dir, socketName)) <= maxSocketPath && !strings.Contains(dir, ",")
}

// removeSocketDir removes the folder of the socket, if it is in the temporary folder, and the link to it.
func (c *cluster) removeSocketDir() error {
	dir, err := os.Readlink(c.socketLink())
	if err != nil {
		return nil //nolint:nilerr // there is no link
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

// makePrivateDir creates a folder that only the account may enter. It returns an error if the folder exists and others may enter it.
func (a *account) makePrivateDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = os.Lchown(dir, a.uid, a.gid)
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("create folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("check folder: %w", err)
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || owner == nil || int(owner.Uid) != a.uid {
		return fmt.Errorf("%s must be a folder of %s that no other user may enter; remove it, or correct its owner and mode", dir, a.name)
	}
	return nil
}

// syncDir makes the names in a folder survive a power failure.
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

// escapeGlob returns a pattern that matches only the name.
func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}
