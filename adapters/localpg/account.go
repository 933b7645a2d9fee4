package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// An account is the user who runs PostgreSQL: the user who runs this program, but never root, because PostgreSQL does not run as root.
type account struct {
	name     string
	uid, gid int
	switched bool // the program runs as root and switches to the account
}

// firstClosed returns the first folder of a path that the account may not enter, by its permissions, or an empty string.
func (a *account) firstClosed(path string) string {
	if parent := filepath.Dir(path); parent != path {
		if closed := a.firstClosed(parent); closed != "" {
			return closed
		}
	}
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return ""
	}
	enter := os.FileMode(0o001)
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case int(owner.Uid) == a.uid:
			enter = 0o100
		case int(owner.Gid) == a.gid:
			enter = 0o010
		}
	}
	if info.Mode()&enter == 0 {
		return path
	}
	return ""
}

// findAccount returns the account for a cluster. Root runs an existing cluster as its owner, and a new one as the user postgres of
// PostgreSQL's packages or else as nobody.
func findAccount(data string) (*account, error) {
	if os.Geteuid() != 0 {
		return &account{name: "user " + strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	if info, err := os.Lstat(data); err == nil {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if ok && owner.Uid != 0 {
			name := "user " + strconv.Itoa(int(owner.Uid))
			return &account{name: name, uid: int(owner.Uid), gid: int(owner.Gid), switched: true}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if err = errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("look up account %s: %w", name, err)
		}
		return &account{name: "user " + name, uid: uid, gid: gid, switched: true}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and this machine has no user postgres or nobody to run it: " +
		"add one, start the program as another user, or set DATABASE_URL")
}
