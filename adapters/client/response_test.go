package client_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
	"rollcall/adapters/spool"
)

// The client reads the array of credentials that older servers send.
func TestContractArray(t *testing.T) {
	got := script(t, responds(200, "application/json", `[{"login":"anna","password":"abc"},{"login":"boris","password":"def"}]`)).send(t, "[]", client.Options{})
	require.NoError(t, got.err, got.stderr)
	require.Equal(t, `-: 200 OK
  anna                           abc
  boris                          def
  registered 2
`, got.stdout)
}

// Text from a file or a server cannot command the terminal.
func TestNoControlCharacters(t *testing.T) {
	got := script(t, respondsLines(400,
		`{"object_id":1,"status":"rejected","login":"a\u001b[2Jb\r\u202e","violations":[{"message":"No\u0007."}]}`+"\n"+
			`{"status":"done","code":400,"objects":1,"created":0,"rejected":1}`)).send(t, "[]", client.Options{})
	require.Contains(t, got.stdout, "  record 1 (a\ufffd[2Jb\ufffd\ufffd): No\ufffd.\n")
	got = script(t, respondsProblem(503, "busy", "Later\x1b[2J.")).send(t, "[]", client.Options{RetryFor: once})
	require.NotContains(t, got.stderr, "\x1b")
}

// Memory use does not grow with the length of the response.
func TestMemoryOfLongResponse(t *testing.T) {
	const records, most = 100_000, 6 << 20 // the response has 8 MiB
	var before uint64
	m := meter{t: t}
	s := script(t, func(w http.ResponseWriter, _ *http.Request) {
		before = m.inUse()
		w.Header().Set("Content-Type", "application/x-ndjson")
		buffered := bufio.NewWriter(w)
		for n := range records {
			fmt.Fprintf(buffered, `{"object_id":%d,"status":"created","login":"anna%d","password":"abcdef-ghijkm-npqrst-uvwxyz"}`+"\n", n+1, n)
			if n%(records/5) == 0 {
				m.measure()
			}
		}
		fmt.Fprintf(buffered, `{"status":"done","code":200,"objects":%d,"created":%[1]d}`+"\n", records)
		err := buffered.Flush()
		if err != nil {
			t.Error(err)
		}
	})
	err := client.New(client.Config{
		Options: s.withDefaults(client.Options{Key: "key"}),
		Spools:  spool.New(""),
		Stdin:   strings.NewReader("[]"),
		Stdout:  &m,
		Stderr:  &m,
	}).Send(t.Context())
	require.NoError(t, err)
	require.Equal(t, records+2, m.lines)
	require.Less(t, m.peak, before+most)
}

// A meter counts the lines written to it, and measures the memory in use every 2 MiB.
type meter struct {
	t     *testing.T
	peak  uint64 // bytes
	lines int
	since int // bytes since the last measurement
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
