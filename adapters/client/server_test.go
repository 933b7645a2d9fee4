package client_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
	"rollcall/adapters/spool"
)

// A step handles one request of a scripted server.
type step func(w http.ResponseWriter, r *http.Request)

// A scripted server takes one step for each request, and records the requests.
type scripted struct {
	url    string
	secret string // of the client's user

	mu       sync.Mutex
	steps    []step
	requests []*http.Request
	bodies   [][]byte // as far as the steps read them
}

func script(t *testing.T, steps ...step) *scripted {
	t.Helper()
	s := &scripted{steps: steps, secret: "the secret of a user"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.requests)
		s.requests, s.bodies = append(s.requests, r), append(s.bodies, nil)
		s.mu.Unlock()
		if n >= len(steps) {
			t.Errorf("got request %d, expected %d requests", n+1, len(steps))
			w.WriteHeader(http.StatusTeapot)
			return
		}
		var body bytes.Buffer
		r.Body = io.NopCloser(io.TeeReader(r.Body, &body))
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.bodies[n] = body.Bytes()
		}()
		steps[n](w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// responds reads the whole request and sends a response.
func responds(status int, contentType, body string, headers ...string) step {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func respondsLines(status int, lines string, headers ...string) step {
	return responds(status, "application/x-ndjson", lines, headers...)
}

func respondsProblem(status int, code, detail string, headers ...string) step {
	return responds(status, "application/problem+json",
		fmt.Sprintf(`{"title":"x","status":%d,"detail":%q,"code":%q,"request_id":"r-1"}`, status, detail, code), headers...)
}

// hangsUp closes the connection after reading n bytes of the request body.
func hangsUp(n int64) step {
	return func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, n)
		panic(http.ErrAbortHandler)
	}
}

// cutsOff closes the connection after the given part of the response.
func cutsOff(part string) step {
	return func(w http.ResponseWriter, r *http.Request) {
		respondsLines(http.StatusOK, part)(w, r)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

const (
	runningLine  = `{"status":"running","objects":1,"created":1,"rejected":0,"share":0.5}` + "\n"
	annaLine     = `{"object_id":1,"status":"created","login":"anna","password":"abcdef-ghijkm"}` + "\n"
	borisLine    = `{"object_id":2,"status":"created","login":"boris","password":"npqrst-uvwxyz"}` + "\n"
	rejectedLine = `{"object_id":3,"status":"rejected","login":null,"violations":[{"field":"login","code":"required","message":"Login is required."},{"field":"email","code":"format","message":"Email is not a valid address."}]}` + "\n"
	doneLine     = `{"status":"done","import":12,"code":200,"objects":3,"created":2,"rejected":1,"description":"..."}` + "\n"
	allLines     = annaLine + borisLine + rejectedLine + doneLine

	printed = `: 200 OK
  anna                           abcdef-ghijkm
  boris                          npqrst-uvwxyz
  record 3: Login is required. Email is not a valid address.
  registered 2 of 3 records, rejected 1 (import 12)
`
)

// An outcome holds the error, the output and the pauses of a Client.
type outcome struct {
	err            error
	stdout, stderr string
	pauses         []time.Duration
	waited         time.Duration // sum of the pauses
}

// once stands for a RetryFor of 0, because send replaces 0 with the default.
const once = time.Duration(-1)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// send runs a client with a clock that only pauses move. By default it sends standard input to the scripted server, and retries
// for two minutes.
func (s *scripted) send(t *testing.T, stdin string, options client.Options) outcome {
	t.Helper()
	return s.sendUntil(t, t.Context(), strings.NewReader(stdin), options)
}

func (s *scripted) sendUntil(t *testing.T, ctx context.Context, stdin io.Reader, options client.Options) outcome { //nolint:revive // t comes first in a test
	t.Helper()
	var got outcome
	var stdout, stderr bytes.Buffer
	got.err = client.New(client.Config{
		Options: s.withDefaults(options),
		Secret:  func() ([]byte, error) { return []byte(s.secret), nil },
		Spools:  spool.New(""),
		Stdin:   stdin,
		Stdout:  &stdout,
		Stderr:  &stderr,
		Now:     func() time.Time { return noon.Add(got.waited) },
		Pause: func(_ context.Context, d time.Duration) error {
			got.pauses, got.waited = append(got.pauses, d), got.waited+d
			return nil
		},
	}).Send(ctx)
	got.stdout, got.stderr = stdout.String(), stderr.String()
	return got
}

func (s *scripted) withDefaults(options client.Options) client.Options {
	options.Server = cmp.Or(options.Server, s.url)
	options.RetryFor = cmp.Or(options.RetryFor, 2*time.Minute)
	if options.RetryFor == once {
		options.RetryFor = 0
	}
	if options.Files == nil {
		options.Files = []string{"-"}
	}
	return options
}

// fileOf creates a file in a folder of its own.
func fileOf(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
