package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web"
)

// The next request, perhaps of another client, is read into the same buffers. What outlives a handler (a job, a stream, a log line) must
// have copies.
func TestNothingOfRequestIsAliased(t *testing.T) {
	covered := map[string]bool{}
	r, server := serveRecorder(t, nil)
	server.Poison(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.poisoned != nil {
			close(r.poisoned)
			r.poisoned = nil
		}
	})
	for _, c := range routeCases() {
		covered[c.route] = true
		t.Run(c.name(), func(t *testing.T) {
			visitor := r.signedIn(t)
			if !c.cookies {
				visitor = client()
			}
			r.mu.Lock()
			r.calls, r.poisoned, r.fails, r.created = nil, make(chan struct{}), c.fails, many
			if c.rejects {
				r.created = 0
			}
			r.mu.Unlock()
			got := r.send(t, visitor, c, "X-Request-Id", forwardedID)
			require.Less(t, got.status, http.StatusInternalServerError)
			require.Equal(t, forwardedID, got.header.Get("X-Request-Id"))
			for _, text := range c.shows {
				require.Contains(t, got.body, text)
			}
			require.NotContains(t, fmt.Sprint(got), strings.Repeat(string(web.Poison), 2))
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, call := range r.calls {
				require.Equal(t, call.texts, texts(call.args), call.method)
			}
		})
	}
	for _, route := range server.Routes() {
		require.True(t, covered[route], "%s has no case", route)
	}
	log := r.log.String()
	require.NotContains(t, log, strings.Repeat(string(web.Poison), 2))
	require.Equal(t, 1, strings.Count(log, `msg="import failed after its answer had started" id=`+forwardedID+" "), "the import outlived its request")
}

// The server gives ids to requests. It keeps a valid id that a trusted proxy gave.
func TestRequestIDs(t *testing.T) {
	proxied, _ := serveRecorder(t, nil)
	direct, _ := serveRecorder(t, func(cfg *web.Config) { cfg.Transport.Proxies = nil })
	const own = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	for _, id := range []string{"id", strings.Repeat("A.b-c_9", 9), strings.Repeat("a", 64)} {
		t.Run("valid "+id, func(t *testing.T) {
			got := proxied.request(t, client(), http.MethodGet, "/healthz", "", "X-Request-Id", id)
			require.Equal(t, id, got.header.Get("X-Request-Id"))
			require.Contains(t, proxied.log.String(), "id="+id+" ")
			got = direct.request(t, client(), http.MethodGet, "/healthz", "", "X-Request-Id", id)
			require.Regexp(t, own, got.header.Get("X-Request-Id"), "the client is not a trusted proxy")
		})
	}
	for _, id := range []string{"", strings.Repeat("a", 65), "a b", "a\tb", "a=b", `a"b`, "я", "../a", "a/b", "Bearer rollcall_A"} {
		t.Run("invalid "+id, func(t *testing.T) {
			got := proxied.request(t, client(), http.MethodGet, "/healthz", "", "X-Request-Id", id)
			require.Regexp(t, own, got.header.Get("X-Request-Id"))
		})
	}
	first := direct.request(t, client(), http.MethodGet, "/healthz", "")
	second := direct.request(t, client(), http.MethodGet, "/healthz", "")
	require.NotEqual(t, first.header.Get("X-Request-Id"), second.header.Get("X-Request-Id"))
}
