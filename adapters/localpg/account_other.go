//go:build !linux

package localpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// sysProcAttr returns the attributes of a child process. The child has its own process group, so that Ctrl-C in a terminal stops the
// program first. If the program is killed, the child keeps running until the next start stops it.
func (a *account) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// isServerOf reports whether a process is the PostgreSQL server of a folder.
func isServerOf(pid int, data string) bool {
	output, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(output), "postgres") && strings.Contains(string(output), data)
}
