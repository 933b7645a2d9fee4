package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"rollcall/adapters/web"
)

// poisonCase is a request to a route. What it has of a client's own is to be found afterwards in what it left, or in its answer.
type poisonCase struct {
	route   string
	path    string // other than the route's
	body    string
	headers []string
	fails   bool
	rejects bool     // everybody
	shows   []string // in the answer
	cookies bool
}

const (
	mediaMultipart = "multipart/form-data; boundary=x"
	forwardedID    = "id-of-a-client"
)

func poisonCases(form string) []poisonCase {
	csrf := url.Values{"csrf": {form}}.Encode()
	file := "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + form + "\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.of-a-client.csv\"\r\n\r\nlogin\r\n--x--\r\n"
	post := func(accept string) []string {
		return []string{
			"Accept", accept, "Authorization", "Bearer token-of-a-client", "Idempotency-Key", "key-of-a-client", "Content-Type", "text/csv; charset=charset-of-a-client",
			"Accept-Language", "ru", "Prefer", "handling=strict",
		}
	}
	problem := web.MediaCSV + ", application/problem+json"
	const query = "?login=login-of-a-client&reason=login:taken&from=2026-01-02&status=400&sort=oldest"
	return []poisonCase{
		{route: "POST /useradd", headers: post("application/json"), shows: []string{`{"login":"login2000","password":"secret"}]`}},
		{route: "POST /useradd", headers: post("application/x-ndjson"), shows: []string{`"login":"login2000"`, `"status":"done"`}},
		{route: "POST /useradd", headers: post("application/x-ndjson"), fails: true, shows: []string{`"status":"failed"`, `"request_id":"` + forwardedID + `"`}},
		{route: "POST /useradd", headers: post(web.MediaCSV), shows: []string{"2000 login2000"}},
		{route: "POST /useradd", headers: post(problem), rejects: true, shows: []string{`"object_id":2000`, `"request_id":"` + forwardedID + `"`}},
		{route: "POST /useradd", headers: append(post("*/*"), "Content-Encoding", "br"), shows: []string{"Content-Encoding"}},
		{route: "POST /useradd", path: "/useradd?dry_run=perhaps", headers: post("*/*"), shows: []string{"dry_run"}},
		{route: "POST /useradd/upload", body: file, headers: []string{"Content-Type", mediaMultipart}, cookies: true},
		{route: "GET /useradd/uploads/:id", path: "/useradd/uploads/upload-of-a-client", cookies: true, shows: []string{"/useradd/uploads/upload-of-a-client/start"}},
		{route: "POST /useradd/uploads/:id/start", path: "/useradd/uploads/upload-of-a-client/start", body: csrf, headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "POST /useradd/uploads/:id/cancel", path: "/useradd/uploads/upload-of-a-client/cancel", body: csrf, headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "GET /useradd/uploads/:id/progress", path: "/useradd/uploads/upload-of-a-client/progress", cookies: true},
		{route: "GET /useradd/uploads/:id/credentials.:format", path: "/useradd/uploads/upload-of-a-client/credentials.csv", cookies: true, shows: []string{"2000 login2000"}},
		{
			route: "GET /useradd/uploads/:id/slips", path: "/useradd/uploads/upload-of-a-client/slips", headers: []string{"X-Forwarded-Host", "host-of-a-client.example", "Accept-Language", "ru"},
			cookies: true, shows: []string{"<dd>http://host-of-a-client.example/login</dd>", `href="/useradd/uploads/upload-of-a-client"`, "<dd>login2000</dd>", "Логин"},
		},
		{route: "GET /useradd/export/:format", path: "/useradd/export/csv" + query + "&table=table-of-a-client", cookies: true},
		{route: "GET /useradd/export/:format", path: "/useradd/export/rejected.json?import=1", cookies: true},
		{route: "GET /useradd/export/:format", path: "/useradd/export/excel" + query, cookies: true},
		{route: "GET /useradd/templates/people.:format", path: "/useradd/templates/people.xlsx", cookies: true},
		{route: "GET /profile", path: "/profile" + query + "&open=1", cookies: true, shows: []string{"login-of-a-client", "anna"}},
		{route: "GET /useradd/imports/:id", path: "/useradd/imports/1?object=1", cookies: true},
		{route: "GET /useradd/upload", cookies: true},
		{route: "GET /account/password", cookies: true},
		{route: "POST /account/password", body: csrf + "&old=old-of-a-client&psw=password-of-a-client", headers: []string{"Content-Type", mediaForm, "X-Forwarded-For", "192.0.2.7"}, cookies: true},
		{route: "POST /register", body: csrf + "&login=login-of-a-client&email=of@a.client", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "POST /login", body: csrf + "&login=login-of-a-client&next=/next-of-a-client", headers: []string{"Content-Type", mediaForm, "X-Forwarded-For", "2001:db8::7"}, cookies: true},
		{route: "GET /login", path: "/login?next=/next-of-a-client", shows: []string{"/next-of-a-client"}},
		{route: "GET /register", path: "/register?lang=ru", shows: []string{`lang="ru"`}},
		{route: "GET /", headers: []string{"Cookie", "lang=ru"}, shows: []string{`lang="ru"`}},
		{route: "GET /logout", cookies: true},
		{route: "POST /logout", body: csrf, headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "GET /healthz"},
		{route: "GET /readyz"},
		{route: "GET /openapi.yaml"},
	}
}

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
	for i := range poisonCases("") {
		visitor, form := o.signedIn(t)
		c := poisonCases(form)[i]
		covered[c.route] = true
		if !c.cookies {
			visitor = client(t)
		}
		method, path, _ := strings.Cut(c.route, " ")
		if c.path != "" {
			path = c.path
		}
		o.mu.Lock()
		o.kept, o.poisoned, o.fails, o.created = nil, make(chan struct{}), c.fails, many
		if c.rejects {
			o.created = 0
		}
		o.mu.Unlock()
		got, body := o.request(t, visitor, method, path, c.body, append(c.headers, "X-Request-Id", forwardedID)...)
		name := fmt.Sprintf("%s %v", c.route, c.headers)
		assert.Less(t, got.StatusCode, http.StatusInternalServerError, name)
		assert.Equal(t, forwardedID, got.Header.Get("X-Request-Id"), name)
		for _, text := range c.shows {
			assert.Contains(t, body, text, name)
		}
		assert.NotContains(t, fmt.Sprint(got.Header, body), strings.Repeat(string(web.Poison), 2), name)
		o.mu.Lock()
		for _, kept := range o.kept {
			assert.Equal(t, kept.was, texts(kept.values), "%s: %s", name, kept.what)
		}
		o.mu.Unlock()
	}
	for _, route := range server.Routes() {
		assert.True(t, covered[route], "%s has no case", route)
	}
	log := o.log.String()
	assert.NotContains(t, log, strings.Repeat(string(web.Poison), 2))
	assert.Equal(t, 1, strings.Count(log, `msg="an import failed after its answer had begun" id=`+forwardedID+" "), "it outlived its request")
}

// Ids are made here. One that a trusted proxy gave to a request is kept, if it is one.
func TestRequestIDs(t *testing.T) {
	proxied, _ := serveOutside(t, nil)
	direct, _ := serveOutside(t, func(cfg *web.Config) { cfg.TrustedProxies = nil })
	const own = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	for id, isKept := range map[string]bool{
		"id": true, strings.Repeat("A.b-c_9", 9): true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a\tb": false, "a=b": false, `a"b`: false, "я": false, "../a": false, "a/b": false, "Bearer rollcall_A": false,
	} {
		got, _ := proxied.request(t, client(t), http.MethodGet, "/healthz", "", "X-Request-Id", id)
		if isKept {
			assert.Equal(t, id, got.Header.Get("X-Request-Id"))
			assert.Contains(t, proxied.log.String(), "id="+id+" ")
		} else {
			assert.Regexp(t, own, got.Header.Get("X-Request-Id"), "%q", id)
		}
		got, _ = direct.request(t, client(t), http.MethodGet, "/healthz", "", "X-Request-Id", id)
		assert.Regexp(t, own, got.Header.Get("X-Request-Id"), "%q", id)
	}
	first, _ := direct.request(t, client(t), http.MethodGet, "/healthz", "")
	second, _ := direct.request(t, client(t), http.MethodGet, "/healthz", "")
	assert.NotEqual(t, first.Header.Get("X-Request-Id"), second.Header.Get("X-Request-Id"))
}
