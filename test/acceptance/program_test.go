// Package acceptance_test starts the whole program, as main does, and tests it from outside.
package acceptance_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/bootstrap"
	"rollcall/test/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(processVariable) != "" {
		os.Exit(bootstrap.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	config, err := os.MkdirTemp("", "rollcall-config-*") // not that of the user who runs the tests
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(config)
	os.Setenv("XDG_CONFIG_HOME", config)
	return pgtest.Run(m)
}

// patience bounds each wait for what must happen. On a busy machine the start of a PostgreSQL takes half a minute.
const patience = 5 * time.Minute

// A program is the whole program, serving on a free port.
type program struct {
	url       string
	database  string
	stop      func() int        // returns the exit status
	transport http.RoundTripper // transport of its clients; nil for the default
	caFile    string            // its certificate; empty without TLS
	status    int               // expected exit status

	listens chan string // receives the URL when the program listens

	mu  sync.Mutex
	log bytes.Buffer
}

var listening = regexp.MustCompile(`msg=listening url=(\S+)`)

// start runs the program with a new database until the test ends.
func start(t *testing.T, flags ...string) *program {
	t.Helper()
	p := &program{database: pgtest.New(t)}
	p.run(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(), "--database-url", p.database}, flags...)...)
	return p
}

func (p *program) run(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.listens = make(chan string, 1)
	status := make(chan int, 1)
	go func() { status <- bootstrap.Run(ctx, args, strings.NewReader(""), io.Discard, p) }()
	p.stop = sync.OnceValue(func() int { cancel(); return <-status })
	t.Cleanup(func() { require.Equal(t, p.status, p.stop(), "exit status; log:\n%s", p.logged()) })
	select {
	case p.url = <-p.listens:
	case ended := <-status:
		status <- ended
		require.Fail(t, "the program ended", p.logged())
	}
}

// Write implements io.Writer for the program's log. It stores a line before the program continues, so that a test can read what
// was logged before an answer.
func (p *program) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if match := listening.FindSubmatch(line); match != nil {
		p.listens <- string(match[1])
	}
	return p.log.Write(line)
}

func (p *program) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// An answer is the response to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. Other goroutines than the test's may call it.
func (p *program) do(t *testing.T, method, path string, body io.Reader, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, p.url+path, body)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := (&http.Client{Transport: p.transport}).Do(request)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (p *program) post(t *testing.T, body string, headers ...string) answer {
	t.Helper()
	return p.do(t, http.MethodPost, "/useradd", strings.NewReader(body), headers...)
}

// command runs a command of the program until it ends.
func command(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, err bytes.Buffer
	status = bootstrap.Run(ctx, args, strings.NewReader(stdin), &out, &err)
	return status, out.String(), err.String()
}
