package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
	"rollcall/adapters/spool"
)

// On a terminal the client shows progress, and clears it before it prints a result.
func TestProgressOnTerminal(t *testing.T) {
	screen, terminal := openTerminal(t)
	var shown bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&shown, screen) }) // ends with an error when the terminal is closed

	s := script(t, cutsOff(runningLine), func(w http.ResponseWriter, r *http.Request) {
		respondsLines(200, runningLine+strings.Replace(runningLine, "0.5", "0.75", 1))(w, r)
		for range 10_000 {
			_, _ = io.WriteString(w, annaLine)
		}
		_, _ = io.WriteString(w, doneLine)
	})
	file := fileOf(t, "people.json", "["+strings.Repeat(" ", 8<<20)+"]")
	var out bytes.Buffer
	err := client.New(client.Config{
		Options: s.withDefaults(client.Options{Key: "key", Files: []string{file}}),
		Spools:  spool.New(""),
		Stdout:  &out,
		Stderr:  terminal,
		Pause:   func(context.Context, time.Duration) error { return nil },
	}).Send(t.Context())
	require.NoError(t, err)
	require.NoError(t, terminal.Close())
	reading.Wait()

	require.Regexp(t, `people\.json: sending +\d+% .*B/s`, shown.String())
	require.Contains(t, shown.String(), "people.json: sent, waiting for the result")
	require.Regexp(t, `people\.json: registering, 1 records +50% `, shown.String())
	require.Regexp(t, `people\.json: registering, 1 records, 0 per second +75% `, shown.String())
	require.Contains(t, shown.String(), "people.json: 10000 results received")
	require.Contains(t, shown.String(), "\r\x1b[K"+file+": the response ended early")
	const hint = "\r\x1b[KThese passwords are temporary: users choose their own at the first sign-in.\r\n"
	require.True(t, strings.HasSuffix(shown.String(), hint), "the progress is cleared, and the hint comes last")
	require.NotContains(t, out.String(), "\x1b")
}

// openTerminal opens a pseudo-terminal and its controlling side, the screen.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals on this machine:", err)
	}
	t.Cleanup(func() { screen.Close() })
	var number, unlocked int32
	control := func(request uintptr, argument *int32) {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, uintptr(unsafe.Pointer(argument)))
		require.Zero(t, errno)
	}
	control(syscall.TIOCSPTLCK, &unlocked)
	control(syscall.TIOCGPTN, &number)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return screen, terminal
}
