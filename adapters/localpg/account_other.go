//go:build !linux

package localpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// sysProcAttr makes a process group of its own, so that Ctrl-C in a terminal ends the program first. Where the kernel
// does not tell a child of its parent's end, a server that was left running is stopped at the next start.
func (a *account) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// isServerOf tells whether the process is a PostgreSQL server of the folder.
func isServerOf(pid int, data string) bool {
	output, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(output), "postgres") && strings.Contains(string(output), data)
}
