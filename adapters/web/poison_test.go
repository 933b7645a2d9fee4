package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web"
)

// The buffers that a request is read into are read into again by the next one, maybe another client's. What goes on after a handler
// has returned (a job, a stream, a line of the log) must have copies.
func TestNothingOfRequestIsAliased(t *testing.T) {
	covered := map[string]bool{}
	o, server := serveOutside(t, nil)
	server.Poison(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.poisoned != nil {
			close(o.poisoned)
			o.poisoned = nil
		}
	})
	for _, c := range routeCases() {
		visitor := o.signedIn(t)
		covered[c.route] = true
		if !c.cookies {
			visitor = client()
		}
		o.mu.Lock()
		o.kept, o.poisoned, o.fails, o.created = nil, make(chan struct{}), c.fails, many
		if c.rejects {
			o.created = 0
		}
		o.mu.Unlock()
		got := o.send(t, visitor, c, "X-Request-Id", forwardedID)
		name := fmt.Sprintf("%s %v", c.route, c.headers)
		require.Less(t, got.status, http.StatusInternalServerError, name)
		require.Equal(t, forwardedID, got.header.Get("X-Request-Id"), name)
		for _, text := range c.shows {
			require.Contains(t, got.body, text, name)
		}
		require.NotContains(t, fmt.Sprint(got), strings.Repeat(string(web.Poison), 2), name)
		o.mu.Lock()
		for _, kept := range o.kept {
			require.Equal(t, kept.was, texts(kept.values), "%s: %s", name, kept.what)
		}
		o.mu.Unlock()
	}
	for _, route := range server.Routes() {
		require.True(t, covered[route], "%s has no case", route)
	}
	log := o.log.String()
	require.NotContains(t, log, strings.Repeat(string(web.Poison), 2))
	require.Equal(t, 1, strings.Count(log, `msg="import failed after its answer had started" id=`+forwardedID+" "), "it outlived its request")
}

// Ids are made here. One that a trusted proxy gave to a request is kept, if it is one.
func TestRequestIDs(t *testing.T) {
	proxied, _ := serveOutside(t, nil)
	direct, _ := serveOutside(t, func(cfg *web.Config) { cfg.Transport.Proxies = nil })
	const own = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	for id, isKept := range map[string]bool{
		"id": true, strings.Repeat("A.b-c_9", 9): true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a\tb": false, "a=b": false, `a"b`: false, "я": false, "../a": false, "a/b": false, "Bearer rollcall_A": false,
	} {
		got := proxied.request(t, client(), http.MethodGet, "/healthz", "", "X-Request-Id", id)
		if isKept {
			require.Equal(t, id, got.header.Get("X-Request-Id"))
			require.Contains(t, proxied.log.String(), "id="+id+" ")
		} else {
			require.Regexp(t, own, got.header.Get("X-Request-Id"), "%q", id)
		}
		got = direct.request(t, client(), http.MethodGet, "/healthz", "", "X-Request-Id", id)
		require.Regexp(t, own, got.header.Get("X-Request-Id"), "%q", id)
	}
	first := direct.request(t, client(), http.MethodGet, "/healthz", "")
	second := direct.request(t, client(), http.MethodGet, "/healthz", "")
	require.NotEqual(t, first.header.Get("X-Request-Id"), second.header.Get("X-Request-Id"))
}
