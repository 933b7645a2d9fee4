// Package terminal gives tests a pseudo-terminal.
package terminal

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A Screen records the output of a terminal, and types its input.
type Screen struct {
	keyboard *os.File

	mu    sync.Mutex
	shown bytes.Buffer
}

// Open opens a pseudo-terminal with a number of columns, and its screen. Both are closed when the test ends. Open skips the test on a
// machine without pseudo-terminals.
func Open(t *testing.T, columns uint16) (*Screen, *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals on this machine:", err)
	}
	var number, unlocked int32
	size := [4]uint16{24, columns}
	control(t, controller, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	control(t, controller, syscall.TIOCGPTN, unsafe.Pointer(&number))
	control(t, controller, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	s := &Screen{keyboard: controller}
	var reading sync.WaitGroup
	reading.Go(s.read)
	t.Cleanup(func() {
		require.NoError(t, terminal.Close())
		reading.Wait()
		require.NoError(t, controller.Close())
	})
	return s, terminal
}

func control(t *testing.T, file *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(argument))
	require.Zero(t, errno)
}

// read records the output until no process has the terminal open.
func (s *Screen) read() {
	var buf [4 << 10]byte
	for {
		n, err := s.keyboard.Read(buf[:])
		if err != nil {
			return
		}
		s.mu.Lock()
		s.shown.Write(buf[:n])
		s.mu.Unlock()
	}
}

// Shown returns the whole output, control sequences included.
func (s *Screen) Shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// Await waits until the output matches a regular expression. Any goroutine may call it.
func (s *Screen) Await(t *testing.T, pattern string) {
	t.Helper()
	s.AwaitAfter(t, pattern, func() {})
}

// AwaitAfter calls step at intervals until the output matches a regular expression.
func (s *Screen) AwaitAfter(t *testing.T, pattern string, step func()) {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	for range 3000 {
		step()
		if expression.MatchString(s.Shown()) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the terminal did not show %s, but %q", pattern, s.Shown())
}

// Type types text.
func (s *Screen) Type(t *testing.T, text string) {
	t.Helper()
	_, err := s.keyboard.WriteString(text)
	require.NoError(t, err)
}
