package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// account is who runs PostgreSQL: whoever runs this program, but never root, as which PostgreSQL refuses to run.
type account struct {
	name       string
	uid, gid   int
	switched   bool // the program itself is root
	privileged bool // the account needs help to reach its folder
}

// findAccount returns the account. Root runs PostgreSQL as its packages' account, or as nobody.
func findAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return &account{name: "user " + strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}, nil
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
