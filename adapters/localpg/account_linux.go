package localpg

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// sysProcAttr makes a process group of its own, so that Ctrl-C in a terminal ends the program first, and the server
// after the last request; and has the server stop when the program is killed.
func (a *account) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if a.switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// isServerOf tells whether the process is a PostgreSQL server of the folder.
func isServerOf(pid int, data string) bool {
	commandLine, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	args := bytes.Split(commandLine, []byte{0})
	return filepath.Base(string(args[0])) == "postgres" && bytes.Contains(commandLine, []byte("\x00"+data+"\x00"))
}
