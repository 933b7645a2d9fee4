package localpg

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// sysProcAttr returns the attributes of a child process. The child has its own process group, so that Ctrl-C in a terminal stops the
// program first, and the program stops the server after the last request. If the program is killed, the kernel stops the child.
func (a *account) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if a.switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// isServerOf reports whether a process is the PostgreSQL server of a folder.
func isServerOf(pid int, data string) bool {
	commandLine, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	args := bytes.Split(commandLine, []byte{0})
	return filepath.Base(string(args[0])) == "postgres" && bytes.Contains(commandLine, []byte("\x00"+data+"\x00"))
}
