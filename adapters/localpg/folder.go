package localpg

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	socketName = ".s.PGSQL.5432"

	// maxSocketPath is how many bytes the path of a unix socket may have on every system (Linux takes a few more).
	maxSocketPath = 103
)

// lockDir takes the folder for this program. The lock ends with the program.
func lockDir(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("another program uses the database in %s: %w", dir, err), lock.Close())
	}
	return lock, nil
}

// socketDir makes the folder of the socket, which only its owner may enter: whoever gets in is let in. It is in the
// cluster's folder; where that has too long a path, in the temporary one, under a name that this cluster finds again.
func (c *cluster) socketDir() (string, error) {
	dir := filepath.Join(c.dir, "socket")
	if len(filepath.Join(dir, socketName)) > maxSocketPath {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("rollcall-%x", sha256.Sum256([]byte(c.dir)))[:len("rollcall-")+16])
	}
	if len(filepath.Join(dir, socketName)) > maxSocketPath {
		return "", fmt.Errorf("the path of the socket's folder is too long: %s; set TMPDIR to a shorter one", dir)
	}
	return dir, c.who.makeDir(dir)
}

// makeDir makes a folder that only the account can enter, or sees that it is one.
func (a *account) makeDir(dir string) error {
	err := os.MkdirAll(filepath.Dir(dir), 0o755)
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	err = os.Mkdir(dir, 0o700)
	if err == nil {
		err = os.Chown(dir, a.uid, a.gid)
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
