package bootstrap_test

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

	"rollcall/bootstrap"
)

// On a terminal it shows how far it is, and takes that away before it prints anything.
func TestSendShowsProgress(t *testing.T) {
	screen, terminal := openTerminal(t)
	var shown bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&shown, screen) }) // ends with an error when the terminal is closed

	s := script(t, cutOff(runningLine), func(w http.ResponseWriter, r *http.Request) {
		inLines(200, runningLine+strings.Replace(runningLine, "0.5", "0.75", 1))(w, r)
		for range 10_000 {
			_, _ = io.WriteString(w, annaLine)
		}
		_, _ = io.WriteString(w, doneLine)
	})
	file := fileOf(t, "people.json", "["+strings.Repeat(" ", 8<<20)+"]")
	var out bytes.Buffer
	err := bootstrap.Send(t.Context(), time.Now, func(context.Context, time.Duration) error { return nil }, []string{"--server", s.url, file}, nil, &out, terminal)
	require.NoError(t, err)
	require.NoError(t, terminal.Close())
	reading.Wait()

	require.Regexp(t, `people\.json: sending +\d+% .*B/s`, shown.String())
	require.Contains(t, shown.String(), "people.json: sent, waiting for the answer")
	require.Regexp(t, `people\.json: registering, 1 objects +50% `, shown.String())
	require.Regexp(t, `people\.json: registering, 1 objects, 0 a second +75% `, shown.String())
	require.Contains(t, shown.String(), "people.json: 10000 objects of the answer received")
	require.Contains(t, shown.String(), "\r\x1b[K"+file+": the answer broke off")
	require.True(t, strings.HasSuffix(shown.String(), "\r\x1b[K"), "nothing is left of it")
	require.NotContains(t, out.String(), "\x1b")
}

// openTerminal opens a terminal, and the screen before it.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals here:", err)
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
