package bootstrap_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/bootstrap"
)

// A server of before answers with the contract's array.
func TestSendReadsTheContractsAnswer(t *testing.T) {
	got := script(t, answered(200, "application/json", `[{"login":"anna","password":"abc"},{"login":"boris","password":"def"}]`)).send(t, "[]", "-")
	require.NoError(t, got.err, got.stderr)
	require.Equal(t, `-: 200 OK
  anna                           abc
  boris                          def
  registered 2
`, got.stdout)
}

// What a file says of its people, or a server of itself, cannot command a terminal.
func TestSendPrintsNoControls(t *testing.T) {
	got := script(t, inLines(400,
		`{"object_id":1,"status":"rejected","login":"a\u001b[2Jb\r\u202e","violations":[{"message":"No\u0007."}]}`+"\n"+
			`{"status":"done","code":400,"objects":1,"created":0,"rejected":1}`)).send(t, "[]", "-")
	require.Contains(t, got.stdout, "  object 1 (a\ufffd[2Jb\ufffd\ufffd): No\ufffd.\n")
	got = script(t, asProblem(503, "busy", "Later\x1b[2J.")).send(t, "[]", "--retry-for", "0", "-")
	require.NotContains(t, got.stderr, "\x1b")
}

// A long answer is read and printed in the memory of a short one.
func TestSendNeedsLittleMemory(t *testing.T) {
	const objects, most = 200_000, 6 << 20 // the answer has 17 MiB
	var before uint64
	m := meter{t: t}
	s := script(t, func(w http.ResponseWriter, _ *http.Request) {
		before = m.inUse()
		w.Header().Set("Content-Type", "application/x-ndjson")
		buffered := bufio.NewWriter(w)
		for n := range objects {
			fmt.Fprintf(buffered, `{"object_id":%d,"status":"created","login":"anna%d","password":"abcdef-ghijkm-npqrst-uvwxyz"}`+"\n", n+1, n)
			if n%(objects/5) == 0 {
				m.measure()
			}
		}
		fmt.Fprintf(buffered, `{"status":"done","code":200,"objects":%d,"created":%[1]d}`+"\n", objects)
		require.NoError(t, buffered.Flush())
	})
	err := bootstrap.Send(t.Context(), time.Now, nil, []string{"--server", s.url, "-"}, strings.NewReader("[]"), &m, &m)
	require.NoError(t, err)
	require.Equal(t, objects+2, m.lines)
	require.Less(t, m.peak, before+most)
}

// meter measures the memory in use now and then, and counts the lines written to it.
type meter struct {
	t     *testing.T
	peak  uint64
	lines int
	since int // bytes
}

func (m *meter) Write(p []byte) (int, error) {
	m.lines += bytes.Count(p, []byte("\n"))
	m.since += len(p)
	if m.since > 2<<20 {
		m.since = 0
		m.measure()
	}
	return len(p), nil
}

func (m *meter) measure() { m.peak = max(m.peak, m.inUse()) }

func (m *meter) inUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
