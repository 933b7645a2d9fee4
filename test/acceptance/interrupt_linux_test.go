package acceptance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/terminal"
)

// Ctrl-C at a terminal clears the bar, says how to continue, and sets the exit status that shells expect.
func TestCtrlC(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer server.Close()
	screen, tty := terminal.Open(t, 80)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "send", "--server", server.URL, fileOf(t, "people.json", "[]"))
	cmd.Env = append(os.Environ(), processVariable+"=1", "TERM=xterm", "NO_COLOR=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	screen.Await(t, "people.json: sent, waiting for the result")
	screen.Type(t, "\x03")
	require.Error(t, cmd.Wait())
	require.Equal(t, 130, cmd.ProcessState.ExitCode())
	screen.Await(t, `continue\r\n$`)
	require.True(t, strings.HasSuffix(screen.Shown(), "\r\x1b[Krollcall: interrupted; run the same command again to continue\r\n"), "%q", screen.Shown())
}
