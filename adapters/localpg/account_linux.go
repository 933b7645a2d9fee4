package localpg

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// capDACOverride lets a process into folders that are not its own (capabilities(7)).
const capDACOverride = 1

// reach finds out whether the account can get to the folder. A checkout of root's may be where nobody else can enter, and
// whose permissions are not ours to change; the server then gets the one capability that lets it through.
func (a *account) reach(dir string) {
	for parent := filepath.Dir(dir); a.switched; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		mode := info.Mode().Perm()
		switch {
		case ok && int(stat.Uid) == a.uid:
			mode >>= 6
		case ok && int(stat.Gid) == a.gid:
			mode >>= 3
		}
		if mode&1 == 0 {
			a.privileged = true
			return
		}
		if parent == filepath.Dir(parent) {
			return
		}
	}
}

// sysProcAttr makes a process group of its own, so that Ctrl-C in a terminal ends the program first, and the server
// after the last request; and has the server stop when the program is killed.
func (a *account) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if a.switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	if a.privileged {
		attr.AmbientCaps = []uintptr{capDACOverride}
	}
	return attr
}

// isPostgresOf tells whether the process is a PostgreSQL server of the folder.
func isPostgresOf(pid int, data string) bool {
	commandLine, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	args := bytes.Split(commandLine, []byte{0})
	return filepath.Base(string(args[0])) == "postgres" && bytes.Contains(commandLine, []byte("\x00"+data+"\x00"))
}
