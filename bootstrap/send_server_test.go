package bootstrap_test

import (
	"bytes"
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

	"rollcall/bootstrap"
)

// step is what a scripted server does with a request.
type step func(w http.ResponseWriter, r *http.Request)

// scripted is a server that takes a step for each request, and keeps what came.
type scripted struct {
	url string

	mu       sync.Mutex
	steps    []step
	requests []*http.Request
	bodies   [][]byte // as far as they were read
}

func script(t *testing.T, steps ...step) *scripted {
	t.Helper()
	s := &scripted{steps: steps}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.requests)
		s.requests, s.bodies = append(s.requests, r), append(s.bodies, nil)
		s.mu.Unlock()
		if n >= len(steps) {
			t.Errorf("request %d, where %d were expected", n+1, len(steps))
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

// answered reads the request, and answers it.
func answered(status int, contentType, body string, headers ...string) step {
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

func inLines(status int, all string, headers ...string) step {
	return answered(status, "application/x-ndjson", all, headers...)
}

func asProblem(status int, code, detail string, headers ...string) step {
	return answered(status, "application/problem+json",
		fmt.Sprintf(`{"title":"x","status":%d,"detail":%q,"code":%q,"request_id":"r-1"}`, status, detail, code), headers...)
}

// hungUp closes the connection after so many bytes of the body.
func hungUp(after int64) step {
	return func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, after)
		panic(http.ErrAbortHandler)
	}
}

// cutOff closes the connection in the middle of the answer.
func cutOff(begun string) step {
	return func(w http.ResponseWriter, r *http.Request) {
		inLines(http.StatusOK, begun)(w, r)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

const (
	runningLine = `{"status":"running","objects":1,"created":1,"rejected":0,"share":0.5}` + "\n"
	annaLine    = `{"object_id":1,"status":"created","login":"anna","password":"abcdef-ghijkm"}` + "\n"
	borisLine   = `{"object_id":2,"status":"created","login":"boris","password":"npqrst-uvwxyz"}` + "\n"
	refusedLine = `{"object_id":3,"status":"rejected","login":null,"violations":[{"field":"login","code":"required","message":"Login is required."},{"field":"email","code":"format","message":"Email is not a valid address."}]}` + "\n"
	doneLine    = `{"status":"done","import":12,"code":200,"objects":3,"created":2,"rejected":1,"description":"..."}` + "\n"
	wholeAnswer = annaLine + borisLine + refusedLine + doneLine

	printed = `: 200 OK
  anna                           abcdef-ghijkm
  boris                          npqrst-uvwxyz
  object 3: Login is required. Email is not a valid address.
  registered 2 of 3 objects, refused 1 (import 12)
`
)

var replayed = []string{"Idempotent-Replayed", "true"}

// sent is what `rollcall send` did.
type sent struct {
	err            error
	stdout, stderr string
	pauses         []time.Duration
	took           time.Duration // the pauses together
}

// send sends to the server, by a clock that only the pauses move.
func (s *scripted) send(t *testing.T, stdin string, args ...string) sent {
	t.Helper()
	return s.sendUntil(t, t.Context(), strings.NewReader(stdin), args...)
}

func (s *scripted) sendUntil(t *testing.T, ctx context.Context, stdin io.Reader, args ...string) sent { //nolint:revive // t comes first in a test
	t.Helper()
	var got sent
	var out, err bytes.Buffer
	got.err = bootstrap.Send(ctx,
		func() time.Time { return noon.Add(got.took) },
		func(_ context.Context, d time.Duration) error {
			got.pauses, got.took = append(got.pauses, d), got.took+d
			return nil
		},
		append([]string{"--server", s.url}, args...), stdin, &out, &err)
	got.stdout, got.stderr = out.String(), err.String()
	return got
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fileOf writes a file to be sent.
func fileOf(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
