package client_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
)

// After any number of attempts the result is printed once and whole. Each attempt sends the same request.
func TestRetry(t *testing.T) {
	long := `[` + strings.Repeat(" ", 4<<20) + `]`
	page := responds(http.StatusBadGateway, "text/html", "<h1>502</h1>")
	replay := respondsLines(200, allLines, "Idempotent-Replayed", "true")
	for _, test := range []struct {
		name  string
		fails []step
		last  step          // defaults to a result that is not replayed
		least time.Duration // that the client must wait
		body  string        // defaults to a short one
	}{
		{name: "connection closed before the body", fails: []step{hangsUp(0)}},
		{name: "connection closed inside the body", fails: []step{hangsUp(1 << 20)}, body: long},
		{name: "connection closed after the body", fails: []step{hangsUp(5 << 20)}, last: replay, body: long},
		{name: "response cut off before a record", fails: []step{cutsOff(runningLine)}, last: replay},
		{name: "response cut off after a record", fails: []step{cutsOff(runningLine + annaLine)}, last: replay},
		{name: "response cut off inside a record", fails: []step{cutsOff(annaLine + borisLine[:20])}, last: replay},
		{name: "response without a last line", fails: []step{respondsLines(200, annaLine+borisLine)}, last: replay},
		{name: "response without lines", fails: []step{respondsLines(200, "")}},
		{name: "contract's array cut off", fails: []step{responds(200, "application/json", `[{"login":"anna","password":"abc`)}},
		{name: "problem cut off", fails: []step{responds(400, "application/problem+json", `{"status":4`)}},
		{name: "busy, with seconds", fails: []step{respondsProblem(503, "busy", "Later.", "Retry-After", "70")}, least: 70 * time.Second},
		{name: "busy, with a date", fails: []step{respondsProblem(503, "busy", "Later.", "Retry-After", "Mon, 23 Nov 2026 12:01:10 GMT")}, least: 70 * time.Second},
		{name: "busy, with a past date", fails: []step{respondsProblem(503, "busy", "Later.", "Retry-After", "Mon, 23 Nov 2020 12:01:10 GMT")}},
		{name: "busy, with an invalid header", fails: []step{respondsProblem(503, "busy", "Later.", "Retry-After", "soon")}},
		{name: "first request running", fails: []step{respondsProblem(409, "key_running", "Running.", "Retry-After", "5")}, last: replay, least: 5 * time.Second},
		{name: "sent too slowly", fails: []step{respondsProblem(408, "timeout", "It took too long.")}},
		{name: "too many requests", fails: []step{respondsProblem(429, "attempts", "Later.", "Retry-After", "9")}, least: 9 * time.Second},
		{name: "page of a proxy", fails: []step{page}},
		{name: "gateway timeout", fails: []step{responds(http.StatusGatewayTimeout, "", "")}},
		{name: "internal error", fails: []step{respondsProblem(500, "internal", "Something went wrong.")}},
		{name: "failed after the response began", fails: []step{respondsLines(200, runningLine+`{"status":"failed","code":503,"error":"unavailable","detail":"Later."}`)}},
		{name: "different failures in turn", fails: []step{hangsUp(9), page, cutsOff(annaLine), respondsProblem(409, "key_running", "Running.")}, last: replay},
	} {
		t.Run(test.name, func(t *testing.T) {
			last := test.last
			if last == nil {
				last = respondsLines(200, allLines)
			}
			body := cmp.Or(test.body, "[ ]")
			s := script(t, append(test.fails, last)...)
			file := fileOf(t, "people.json", body)
			got := s.send(t, "", client.Options{Files: []string{file}})
			require.NoError(t, got.err, got.stderr)
			require.Equal(t, file+printed, got.stdout)
			require.Len(t, got.pauses, len(test.fails))
			require.GreaterOrEqual(t, got.waited, test.least)
			require.Equal(t, len(test.fails), strings.Count(got.stderr, "; retrying in "), got.stderr)
			require.Equal(t, test.last != nil, strings.Contains(got.stderr, "already imported; showing the original result"), got.stderr)
			for _, r := range s.requests {
				require.Equal(t, s.requests[0].Header, r.Header)
				require.Equal(t, int64(len(body)), r.ContentLength)
			}
			require.Equal(t, body, string(s.bodies[len(test.fails)]))
		})
	}
}

// The pauses double up to half a minute, with jitter.
func TestPauses(t *testing.T) {
	busy := respondsProblem(503, "busy", "Later.")
	s := script(t, busy, busy, busy, busy, busy, busy, busy, busy, respondsLines(200, allLines))
	got := s.send(t, "[]", client.Options{RetryFor: time.Hour})
	require.NoError(t, got.err)
	most := time.Second
	for _, d := range got.pauses {
		require.GreaterOrEqual(t, d, most/2)
		require.LessOrEqual(t, d, most)
		most = min(2*most, 30*time.Second)
	}
}

func TestGivingUp(t *testing.T) {
	busy := respondsProblem(503, "busy", "The server is busy.")
	many := make([]step, 50)
	for i := range many {
		many[i] = busy
	}
	for _, test := range []struct {
		name     string
		steps    []step
		retryFor time.Duration
		stderr   string
		waited   time.Duration
	}{
		{"after the default time", many, 0, "503 Service Unavailable: The server is busy. (gave up after 2m0s)", 2 * time.Minute},
		{"after a given time", many, 10 * time.Second, "(gave up after 10s)", 10 * time.Second},
		{"after one attempt", many[:1], once, "503 Service Unavailable: The server is busy.\n", 0},
		{"if the server asks for a long pause", []step{respondsProblem(503, "busy", "Later.", "Retry-After", "3600")}, 0, "(the server asks to retry after 1h0m0s, which exceeds --retry-for)", 0},
		{"if the server asks for a pause beyond any duration", []step{respondsProblem(503, "busy", "Later.", "Retry-After", "18446744073709551615")}, 0, "exceeds --retry-for", 0},
		{"with the id of the request", []step{respondsProblem(500, "internal", "Tell the administrator.")}, once, "500 Internal Server Error: Tell the administrator. (request r-1)\n", 0},
		{"if a proxy is busy", []step{responds(503, "text/html", "<p>")}, once, "-: 503 Service Unavailable: the server is busy\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := script(t, test.steps...).send(t, "[]", client.Options{RetryFor: test.retryFor})
			require.Error(t, got.err)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, test.stderr)
			require.Equal(t, test.waited, got.waited)
		})
	}
}

// The client does not retry permanent errors.
func TestPermanentErrors(t *testing.T) {
	const notRollcall = "the response is not from Rollcall; check --server"
	for _, test := range []struct {
		name           string
		response       step
		stdout, stderr string
	}{
		{"key of another file", respondsProblem(422, "key_reused", "This key came with another file."), "-: 422 Unprocessable Entity\n  This key came with another file.\n", ""},
		{"too large", respondsProblem(413, "too_large", "Too large."), "-: 413 Request Entity Too Large\n  Too large.\n", ""},
		{"broken", respondsProblem(400, "broken_file", "Broken at byte 2."), "-: 400 Bad Request\n  Broken at byte 2.\n", ""},
		{"another conflict", respondsProblem(409, "other", "No."), "-: 409 Conflict\n  No.\n", ""},
		{"too large, found late", respondsLines(200, runningLine+`{"status":"failed","code":413,"error":"too_many_objects","detail":"Too many."}`), "-: 413 Request Entity Too Large\n  Too many.\n", ""},
		{
			"none registered",
			responds(400, "application/problem+json", `{"detail":"None.","code":"none_created","rejections":[{"object_id":1,"login":"anna","violations":[{"message":"Taken."}]}]}`),
			"-: 400 Bad Request\n  None.\n  record 1 (anna): Taken.\n", "",
		},
		{
			"none registered, in lines",
			respondsLines(400, rejectedLine+`{"status":"done","import":7,"code":400,"objects":1,"created":0,"rejected":1}`),
			"-: 400 Bad Request\n  record 3: Login is required. Email is not a valid address.\n  registered 0 of 1 records, rejected 1 (import 7)\n", "",
		},
		{"page", responds(200, "text/html", "<h1>Welcome</h1>"), "", "200 OK: " + notRollcall},
		{"page not found", responds(404, "text/html", "<h1>404</h1>"), "", "404 Not Found: " + notRollcall},
		{"redirect", responds(302, "text/html", "", "Location", "/elsewhere"), "", "302 Found: " + notRollcall},
		{"JSON of another server", responds(200, "application/json", `{"ok":true}`), "", notRollcall},
		{"lines of another server", respondsLines(200, `{"level":"info"}`), "", notRollcall},
		{"lines that are not JSON", respondsLines(200, "hello"), "", notRollcall},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := script(t, test.response).send(t, "[]", client.Options{})
			require.Error(t, got.err)
			require.Empty(t, got.pauses)
			require.Equal(t, test.stdout, got.stdout)
			require.Contains(t, got.stderr, test.stderr)
			require.Equal(t, test.stderr == "", got.stderr == "", got.stderr)
		})
	}
}
