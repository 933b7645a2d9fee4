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

// account is who runs PostgreSQL: whoever runs this program, but never root, as which PostgreSQL refuses to run.
type account struct {
	name     string
	uid, gid int
	switched bool // the program itself is root
}

// firstClosed returns the first folder on the way to a path that the account may not enter, by its permissions, or an empty string.
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

// findAccount returns the account of a cluster. Root runs that of a user as the user, and any other as the account of
// PostgreSQL's packages, or as nobody.
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
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody; " +
		"add one, start the program as another user, or set DATABASE_URL")
}
