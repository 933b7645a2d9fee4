package faults_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// namespaceVariable is set in a process that has its own namespaces.
const namespaceVariable = "ROLLCALL_TEST_NAMESPACE"

// inNamespace reports whether the test should run in this process: it has its own namespaces, or the system permits none.
// Otherwise inNamespace runs the test in a new process with its own namespaces.
func inNamespace(t *testing.T, flags uintptr) bool {
	t.Helper()
	if os.Getenv(namespaceVariable) != "" {
		_ = syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") // if this fails, mounting fails too
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append(os.Args[1:], "-test.run=^"+t.Name()+"$", "-test.v", fmt.Sprintf("-seed=%d", *seed))...)
	cmd.Env = append(os.Environ(), namespaceVariable+"=1", binaryVariable+"="+binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
	if user, group := os.Geteuid(), os.Getegid(); user != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: user, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: group, HostID: group, Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN}
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Start()
	if err != nil {
		t.Log("cannot create a namespace:", err)
		return true
	}
	err = cmd.Wait()
	t.Logf("%s", output.Bytes())
	require.NoError(t, err)
	return false
}
