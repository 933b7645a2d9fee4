package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
	"rollcall/adapters/spool"
	"rollcall/test/terminal"
)

// A clock is moved by a test.
type clock struct{ elapsed atomic.Int64 }

func (c *clock) now() time.Time       { return noon.Add(time.Duration(c.elapsed.Load())) }
func (c *clock) move(d time.Duration) { c.elapsed.Add(int64(d)) }

// sendOn sends a file with a terminal as standard error.
func (s *scripted) sendOn(t *testing.T, stderr *os.File, clock *clock, file string) (stdout string) {
	t.Helper()
	var out strings.Builder
	err := client.New(client.Config{
		Options: s.withDefaults(client.Options{Key: "key", Files: []string{file}}),
		Spools:  spool.New(""),
		Stdout:  &out,
		Stderr:  stderr,
		Now:     clock.now,
		Pause:   func(context.Context, time.Duration) error { return nil },
	}).Send(t.Context())
	require.NoError(t, err)
	return out.String()
}

func running(objects int, share float64) string {
	return fmt.Sprintf(`{"status":"running","objects":%d,"created":1,"rejected":0,"share":%g}`+"\n", objects, share)
}

// A terminal shows how far an import is, with rates and times once they are measured, and stalls. It is clear before a result is printed.
func TestProgressOnTerminal(t *testing.T) {
	const size = 64 << 20 // more than sockets hold
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "") // empty means unset
	screen, tty := terminal.Open(t, 120)
	clock := &clock{}
	s := script(t, cutsOff(runningLine), func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
		screen.Await(t, `people\.json: sending +[1-9]\d*% \[#* +\] [\d.]+ MB of 67.1 MB\r`)
		if strings.Contains(screen.Shown(), "left") {
			t.Error("a time was shown before it was measured")
		}
		clock.move(2 * time.Second)
		_, _ = io.CopyN(io.Discard, r.Body, 25<<20)
		screen.Await(t, `people\.json: sending +\d+% \[#+ +\] \d\d(\.\d)? MB of 67.1 MB, [12]\d(\.\d)? MB/s, [1-4]s left\r`)
		screen.AwaitAfter(t, `people\.json: sending +\d+% \[#+ +\] [\d.]+ MB of 67.1 MB, stalled for \d+s\r`, func() { clock.move(time.Second) })
		_, _ = io.Copy(io.Discard, r.Body)
		screen.Await(t, "people.json: sent, waiting for the result\r")
		clock.move(7 * time.Second)
		screen.Await(t, "people.json: sent, waiting for the result for 7s\r")

		write := func(lines string) {
			_, _ = io.WriteString(w, lines)
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		write(running(100, 0.5))
		screen.Await(t, `people\.json: registering +50% \[#{7} {8}\] 100 records\r`)
		clock.move(2 * time.Second)
		write(running(200, 0.75))
		screen.Await(t, `people\.json: registering +75% \[#{11} {4}\] 200 records, 50/s, 2s left\r`)
		clock.move(6 * time.Second)
		write(running(200, 0.75))
		screen.Await(t, `people\.json: registering +75% \[#{11} {4}\] 200 records, stalled for 6s\r`)
		write(strings.Repeat(annaLine, 10_000))
		screen.Await(t, "people.json: 10000 results received\r")
		write(doneLine)
	})
	file := fileOf(t, "people.json", "")
	require.NoError(t, os.Truncate(file, size))
	out := s.sendOn(t, tty, clock, file)

	screen.Await(t, `first sign-in\.\r\n$`)
	require.Contains(t, screen.Shown(), "\r\x1b[K"+file+": the response ended early")
	require.True(t, strings.HasSuffix(screen.Shown(), "\r\x1b[KThese passwords are temporary: users choose their own at the first sign-in.\r\n"))
	require.NotContains(t, out, "\x1b")
}

// A narrow terminal shows a part of the line, and never wraps it.
func TestProgressOnNarrowTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	const columns = 40
	screen, tty := terminal.Open(t, columns)
	s := script(t, func(w http.ResponseWriter, r *http.Request) {
		screen.Await(t, ": sending")
		respondsLines(200, runningLine+allLines)(w, r)
	})
	s.sendOn(t, tty, &clock{}, fileOf(t, "списки учеников второй смены.json", "[]"))
	screen.Await(t, `first sign-in\.\r\n$`)
	shown, _, _ := strings.Cut(screen.Shown(), "These passwords")
	require.Contains(t, shown, "списки уче...", "as much as fits")
	for line := range strings.SplitSeq(shown, "\r\x1b[K") {
		require.Less(t, len([]rune(line)), columns)
	}
}

// A terminal that cannot redraw a line, a user who wants no control sequences, and a file get no progress.
func TestNoProgress(t *testing.T) {
	for _, test := range []struct {
		name, variable, value string
		open                  func(t *testing.T) (stderr *os.File, shown func() string)
	}{
		{"dumb terminal", "TERM", "dumb", openTerminal},
		{"NO_COLOR", "NO_COLOR", "1", openTerminal},
		{"file", "TERM", "xterm", openFile},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TERM", "xterm")
			t.Setenv("NO_COLOR", "")
			t.Setenv(test.variable, test.value)
			stderr, shown := test.open(t)
			s := script(t, cutsOff(runningLine), respondsLines(200, runningLine+allLines))
			s.sendOn(t, stderr, &clock{}, fileOf(t, "people.json", "[]"))
			require.Eventually(t, func() bool { return strings.HasSuffix(shown(), "\n") }, time.Minute, time.Millisecond)
			require.Contains(t, shown(), "people.json: the response ended early; retrying in")
			require.NotContains(t, shown(), "\x1b")
			require.NotContains(t, shown(), ": sen")
		})
	}
}

func openTerminal(t *testing.T) (stderr *os.File, shown func() string) {
	t.Helper()
	screen, tty := terminal.Open(t, 80)
	return tty, screen.Shown
}

func openFile(t *testing.T) (stderr *os.File, shown func() string) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	return file, func() string {
		content, err := os.ReadFile(file.Name())
		require.NoError(t, err)
		return string(content)
	}
}
