package localpg

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// capDACReadSearch lets a process through folders that it may not enter. It reads others' files with it, but writes
// none (capabilities(7)).
const capDACReadSearch = 2

// sysProcAttr makes a process group of its own, so that Ctrl-C in a terminal ends the program first, and the server
// after the last request; and has the server stop when the program is killed.
func (a *account) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if a.switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	if a.passing {
		attr.AmbientCaps = []uintptr{capDACReadSearch}
	}
	return attr
}

// start starts a command that has the account's attributes. The calling goroutine must be locked to its thread.
//
// A child that changes its user keeps its capabilities only from the program on that it then runs, so that it could
// neither change to a private folder nor run a program in one; and access(2), by which PostgreSQL looks for its own
// programs, takes no capability of an ordinary user into account. Both are otherwise where the thread is marked so
// before (capabilities(7), "The securebits flags"). The program itself has no more than the ambient one.
func (a *account) start(cmd *exec.Cmd) error {
	if a.passing {
		const getSecurebits, setSecurebits, noSetuidFixup = 27, 28, 1 << 2
		bits, _, errno := syscall.Syscall(syscall.SYS_PRCTL, getSecurebits, 0, 0)
		if errno != 0 {
			return fmt.Errorf("read securebits: %w", errno)
		}
		_, _, errno = syscall.Syscall(syscall.SYS_PRCTL, setSecurebits, bits|noSetuidFixup, 0)
		if errno != 0 {
			return fmt.Errorf("set securebits: %w", errno)
		}
		defer func() { _, _, _ = syscall.Syscall(syscall.SYS_PRCTL, setSecurebits, bits, 0) }() // as allowed as the other
	}
	return cmd.Start()
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
