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

// namespaceVariable is set where mounts are the test's own.
const namespaceVariable = "ROLLCALL_TEST_NAMESPACE"

// inNamespace tells whether the test has namespaces of its own, where it may do what it likes and nobody else sees it, or can have
// none. Else it runs the test once more in them.
func inNamespace(t *testing.T, flags uintptr) bool {
	t.Helper()
	if os.Getenv(namespaceVariable) != "" {
		_ = syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") // else mounting fails as well
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
		t.Log("no namespace of its own:", err)
		return true
	}
	err = cmd.Wait()
	t.Logf("%s", output.Bytes())
	require.NoError(t, err)
	return false
}
