package bootstrap_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// However often it takes, the answer is printed once and whole, and the request is the same each time.
func TestSendTriesAgain(t *testing.T) {
	body := `[` + strings.Repeat(" ", 4<<20) + `]`
	page := answered(http.StatusBadGateway, "text/html", "<h1>502</h1>")
	for name, test := range map[string]struct {
		fails []step
		last  step
		least time.Duration // that is waited
	}{
		"connection closed before the body":    {fails: []step{hungUp(0)}},
		"connection closed inside the body":    {fails: []step{hungUp(1 << 20)}},
		"connection closed behind the body":    {fails: []step{hungUp(5 << 20)}, last: inLines(200, wholeAnswer, replayed...)},
		"answer cut off before an object":      {fails: []step{cutOff(runningLine)}, last: inLines(200, wholeAnswer, replayed...)},
		"answer cut off behind an object":      {fails: []step{cutOff(runningLine + annaLine)}, last: inLines(200, wholeAnswer, replayed...)},
		"answer cut off inside an object":      {fails: []step{cutOff(annaLine + borisLine[:20])}, last: inLines(200, wholeAnswer, replayed...)},
		"answer that ends without a last line": {fails: []step{inLines(200, annaLine+borisLine)}, last: inLines(200, wholeAnswer, replayed...)},
		"answer of no line":                    {fails: []step{inLines(200, "")}},
		"contract's answer cut off":            {fails: []step{answered(200, "application/json", `[{"login":"anna","password":"abc`)}},
		"problem cut off":                      {fails: []step{answered(400, "application/problem+json", `{"status":4`)}},
		"busy, with seconds":                   {fails: []step{asProblem(503, "busy", "Later.", "Retry-After", "70")}, least: 70 * time.Second},
		"busy, with a date":                    {fails: []step{asProblem(503, "busy", "Later.", "Retry-After", "Mon, 23 Nov 2026 12:01:10 GMT")}, least: 70 * time.Second},
		"busy, with a date gone by":            {fails: []step{asProblem(503, "busy", "Later.", "Retry-After", "Mon, 23 Nov 2020 12:01:10 GMT")}},
		"busy, with nonsense":                  {fails: []step{asProblem(503, "busy", "Later.", "Retry-After", "soon")}},
		"first request running":                {fails: []step{asProblem(409, "key_running", "Running.", "Retry-After", "5")}, last: inLines(200, wholeAnswer, replayed...), least: 5 * time.Second},
		"sent too slowly":                      {fails: []step{asProblem(408, "timeout", "It took too long.")}},
		"too many requests":                    {fails: []step{asProblem(429, "attempts", "Later.", "Retry-After", "9")}, least: 9 * time.Second},
		"a proxy's page":                       {fails: []step{page}},
		"gateway timeout":                      {fails: []step{answered(http.StatusGatewayTimeout, "", "")}},
		"server's fault":                       {fails: []step{asProblem(500, "internal", "Something went wrong.")}},
		"failed after its answer had begun":    {fails: []step{inLines(200, runningLine+`{"status":"failed","code":503,"error":"unavailable","detail":"Later."}`)}},
		"one thing after the other":            {fails: []step{hungUp(9), page, cutOff(annaLine), asProblem(409, "key_running", "Running.")}, last: inLines(200, wholeAnswer, replayed...)},
	} {
		t.Run(name, func(t *testing.T) {
			last := test.last
			if last == nil {
				last = inLines(200, wholeAnswer)
			}
			s := script(t, append(test.fails, last)...)
			file := fileOf(t, "people.json", body)
			got := s.send(t, "", file)
			require.NoError(t, got.err, got.stderr)
			require.Equal(t, file+printed, got.stdout)
			require.Len(t, got.pauses, len(test.fails))
			require.GreaterOrEqual(t, got.took, test.least)
			require.Equal(t, len(test.fails), strings.Count(got.stderr, "; trying again in "), got.stderr)
			require.Equal(t, test.last != nil, strings.Contains(got.stderr, "was imported before; this is its answer"), got.stderr)
			for _, r := range s.requests {
				require.Equal(t, s.requests[0].Header, r.Header)
				require.Equal(t, int64(len(body)), r.ContentLength)
			}
			require.Equal(t, body, string(s.bodies[len(test.fails)]))
		})
	}
}

// The pauses grow, and differ, up to half a minute.
func TestSendWaitsLongerEachTime(t *testing.T) {
	busy := asProblem(503, "busy", "Later.")
	s := script(t, busy, busy, busy, busy, busy, busy, busy, busy, inLines(200, wholeAnswer))
	got := s.send(t, "[]", "--retry-for", "1h", "-")
	require.NoError(t, got.err)
	most := time.Second
	for _, d := range got.pauses {
		require.GreaterOrEqual(t, d, most/2)
		require.LessOrEqual(t, d, most)
		most = min(2*most, 30*time.Second)
	}
}

func TestSendGivesUp(t *testing.T) {
	busy := asProblem(503, "busy", "Too much is being done.")
	many := make([]step, 50)
	for i := range many {
		many[i] = busy
	}
	for name, test := range map[string]struct {
		steps []step
		args  []string
		says  string
		took  time.Duration
	}{
		"after its time":         {many, nil, "503 Service Unavailable: Too much is being done. (tried for 2m0s)", 2 * time.Minute},
		"after a time given":     {many, []string{"--retry-for", "10s"}, "(tried for 10s)", 10 * time.Second},
		"at once where told so":  {many[:1], []string{"--retry-for", "0"}, "503 Service Unavailable: Too much is being done.\n", 0},
		"when told to wait long": {[]step{asProblem(503, "busy", "Later.", "Retry-After", "3600")}, nil, "(it asks to wait for 1h0m0s, which is longer than --retry-for)", 0},
		"when told to wait for ages": {
			[]step{asProblem(503, "busy", "Later.", "Retry-After", "18446744073709551615")}, nil, "longer than --retry-for", 0,
		},
		"with a request to tell": {[]step{asProblem(500, "internal", "Tell the operator.")}, []string{"--retry-for", "0"}, "500 Internal Server Error: Tell the operator. (request r-1)\n", 0},
		"before a busy proxy":    {[]step{answered(503, "text/html", "<p>")}, []string{"--retry-for", "0"}, "-: 503 Service Unavailable: the server is busy\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := script(t, test.steps...).send(t, "[]", append(test.args, "-")...)
			require.Error(t, got.err)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, test.says)
			require.Equal(t, test.took, got.took)
		})
	}
}

// What another attempt would not mend is said at once.
func TestSendDoesNotInsist(t *testing.T) {
	const notRollcall = "the answer is not Rollcall's; is --server right?"
	for name, test := range map[string]struct {
		answer         step
		stdout, stderr string
	}{
		"key of another file":   {asProblem(422, "key_reused", "This key came with another file."), "-: 422 Unprocessable Entity\n  This key came with another file.\n", ""},
		"too large":             {asProblem(413, "too_large", "Too large."), "-: 413 Request Entity Too Large\n  Too large.\n", ""},
		"broken":                {asProblem(400, "broken_file", "Broken at byte 2."), "-: 400 Bad Request\n  Broken at byte 2.\n", ""},
		"another conflict":      {asProblem(409, "other", "No."), "-: 409 Conflict\n  No.\n", ""},
		"too large, found late": {inLines(200, runningLine+`{"status":"failed","code":413,"error":"too_many_objects","detail":"Too many."}`), "-: 413 Request Entity Too Large\n  Too many.\n", ""},
		"none registered": {
			answered(400, "application/problem+json", `{"detail":"None.","code":"none_created","rejections":[{"object_id":1,"login":"anna","violations":[{"message":"Taken."}]}]}`),
			"-: 400 Bad Request\n  None.\n  object 1 (anna): Taken.\n", "",
		},
		"none registered, in lines": {
			inLines(400, refusedLine+`{"status":"done","import":7,"code":400,"objects":1,"created":0,"rejected":1}`),
			"-: 400 Bad Request\n  object 3: Login is required. Email is not a valid address.\n  registered 0 of 1 objects, refused 1 (import 7)\n", "",
		},
		"a page":            {answered(200, "text/html", "<h1>Welcome</h1>"), "", "200 OK: " + notRollcall},
		"a page not found":  {answered(404, "text/html", "<h1>404</h1>"), "", "404 Not Found: " + notRollcall},
		"another place":     {answered(302, "text/html", "", "Location", "/elsewhere"), "", "302 Found: " + notRollcall},
		"JSON of another":   {answered(200, "application/json", `{"ok":true}`), "", notRollcall},
		"lines of another":  {inLines(200, `{"level":"info"}`), "", notRollcall},
		"lines of nonsense": {inLines(200, "hello"), "", notRollcall},
	} {
		t.Run(name, func(t *testing.T) {
			got := script(t, test.answer).send(t, "[]", "-")
			require.Error(t, got.err)
			require.Empty(t, got.pauses)
			require.Equal(t, test.stdout, got.stdout)
			require.Contains(t, got.stderr, test.stderr)
			require.Equal(t, test.stderr == "", got.stderr == "", got.stderr)
		})
	}
}
