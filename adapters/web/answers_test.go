package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web"
	"rollcall/adapters/web/guard"
)

// A routeCase is a request to a route, with texts that identify a client.
type routeCase struct {
	route   string
	path    string // the route's, if empty
	body    string
	headers []string
	fails   bool
	rejects bool     // every record
	shows   []string // texts of the answer
	cookies bool
}

func (c routeCase) name() string { return fmt.Sprintf("%s %v", c.route, c.headers) }

const (
	mediaMultipart = "multipart/form-data; boundary=x"
	forwardedID    = "id-of-a-client"
)

func routeCases() []routeCase {
	const file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.of-a-client.csv\"\r\n\r\nlogin\r\n--x--\r\n"
	post := func(accept string) []string {
		return []string{
			"Accept", accept, "Authorization", "Bearer token-of-a-client", "Idempotency-Key", "key-of-a-client", "Content-Type", "text/csv; charset=charset-of-a-client",
			"Accept-Language", "ru", "Prefer", "handling=strict",
		}
	}
	problem := "text/csv" + ", application/problem+json"
	html := []string{"Accept", "text/html"}
	const query = "?login=login-of-a-client&reason=login:taken&from=2026-01-02&status=400&sort=oldest"
	return []routeCase{
		{route: "POST /useradd", headers: post("application/json"), shows: []string{`{"login":"login2000","password":"secret"}]`}},
		{route: "POST /useradd", headers: post("application/x-ndjson"), shows: []string{`"login":"login2000"`, `"status":"done"`}},
		{route: "POST /useradd", headers: post("application/x-ndjson"), fails: true, shows: []string{`"status":"failed"`, `"request_id":"` + forwardedID + `"`}},
		{route: "POST /useradd", headers: post("text/csv"), shows: []string{"2000 login2000"}},
		{route: "POST /useradd", headers: post(problem), rejects: true, shows: []string{`"object_id":2000`, `"request_id":"` + forwardedID + `"`}},
		{route: "POST /useradd", headers: append(post("*/*"), "Content-Encoding", "br"), shows: []string{"Content-Encoding"}},
		{route: "POST /useradd", path: "/useradd?dry_run=perhaps", headers: post("*/*"), shows: []string{"dry_run"}},
		{route: "POST /useradd/upload", body: file, headers: []string{"Content-Type", mediaMultipart}, cookies: true},
		{route: "GET /useradd/uploads", cookies: true},
		{
			route: "POST /useradd/uploads", body: "start=upload-of-a-client&cancel=other-of-a-client", headers: []string{"Content-Type", mediaForm},
			cookies: true,
		},
		{route: "GET /useradd/uploads/:id", path: "/useradd/uploads/upload-of-a-client", cookies: true, shows: []string{"/useradd/uploads/upload-of-a-client/start"}},
		{route: "POST /useradd/uploads/:id/start", path: "/useradd/uploads/upload-of-a-client/start", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "POST /useradd/uploads/:id/cancel", path: "/useradd/uploads/upload-of-a-client/cancel", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "GET /useradd/uploads/:id/progress", path: "/useradd/uploads/upload-of-a-client/progress", cookies: true},
		{route: "GET /useradd/uploads/:id/credentials.:format", path: "/useradd/uploads/upload-of-a-client/credentials.csv", cookies: true, shows: []string{"2000 login2000"}},
		{route: "GET /useradd/uploads/:id/results.:format", path: "/useradd/uploads/change-of-a-client/results.csv", cookies: true, shows: []string{"2000 login2000"}},
		{
			route: "GET /useradd/uploads/:id/slips", path: "/useradd/uploads/upload-of-a-client/slips", headers: []string{"X-Forwarded-Host", "host-of-a-client.example", "Accept-Language", "ru"},
			cookies: true, shows: []string{"<dd>http://host-of-a-client.example/login</dd>", `href="/useradd/uploads/upload-of-a-client"`, "<dd>login2000</dd>", "Логин"},
		},
		{route: "GET /useradd/export/:format", path: "/useradd/export/csv" + query + "&table=table-of-a-client", cookies: true},
		{route: "GET /useradd/export/rejected.:format", path: "/useradd/export/rejected.json?import=1", cookies: true},
		{route: "GET /useradd/export/:format", path: "/useradd/export/excel" + query, cookies: true},
		{route: "GET /audit", path: "/audit?person=1&action=role", cookies: true},
		{route: "GET /audit/export/csv", path: "/audit/export/csv?person=1&action=role", cookies: true},
		{route: "GET /useradd/templates/people.:format", path: "/useradd/templates/people.xlsx", cookies: true},
		{route: "GET /profile", path: "/profile" + query + "&open=1", cookies: true, shows: []string{"login-of-a-client", "anna"}},
		{route: "GET /useradd/imports/:id", path: "/useradd/imports/1?object=1", cookies: true},
		{route: "GET /useradd/upload", cookies: true},
		{route: "GET /account/password", cookies: true},
		{route: "POST /account/password", body: "old=old-of-a-client&psw=password-of-a-client", headers: []string{"Content-Type", mediaForm, "X-Forwarded-For", "192.0.2.7"}, cookies: true},
		{route: "POST /register", body: "login=login-of-a-client&email=of@a.client", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "POST /login", body: "login=login-of-a-client&next=/next-of-a-client", headers: []string{"Content-Type", mediaForm, "X-Forwarded-For", "2001:db8::7"}, cookies: true},
		{route: "GET /login", path: "/login?next=/next-of-a-client", shows: []string{"/next-of-a-client"}},
		{route: "GET /register", path: "/register?lang=ru", shows: []string{`lang="ru"`}},
		{route: "GET /", headers: []string{"Cookie", "lang=ru"}, shows: []string{`lang="ru"`}},
		{route: "GET /help", path: "/help?lang=ru", shows: []string{`href="/help/api"`, `<html lang="ru">`}},
		{route: "GET /help/:page", path: "/help/retry", headers: []string{"Accept-Language", "ru"}, shows: []string{"Idempotency-Key", `aria-current="page"`}},
		{route: "GET /logout", cookies: true},
		{route: "POST /logout", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{
			route: "GET /users", path: "/users?q=text-of-a-client&group=7A&after=place-of-a-client&count=1", headers: html, cookies: true,
			shows: []string{"anna", `value="text-of-a-client"`, "more than 10,000", "Continue the search", "1 person of a recent import"},
		},
		{
			route: "GET /users", path: "/users?q=text-of-a-client", headers: []string{"Authorization", "Bearer token-of-a-client"},
			shows: []string{`{"users":[{"id":1,"login":"anna"`, `"next":"next-of-a-page"`},
		},
		{route: "GET /users/count", path: "/users/count?q=text-of-a-client", cookies: true, shows: []string{`{"count":10000,"more":true}`}},
		{route: "GET /users/export/:format", path: "/users/export/csv?q=text-of-a-client&group=7A", cookies: true, shows: []string{"file"}},
		{
			route: "GET /users/change/:action", path: "/users/change/group?q=text-of-a-client&group=7A", headers: html, cookies: true,
			shows: []string{"q=text-of-a-client", `name="new_group"`},
		},
		{
			route: "POST /users/change/:action", path: "/users/change/group?q=text-of-a-client&group=7A", body: "users=2000&new_group=group-of-a-client",
			headers: append([]string{"Content-Type", mediaForm}, html...), cookies: true,
		},
		{route: "GET /users/:id", path: "/users/1", headers: html, cookies: true, shows: []string{"anna", "Active"}},
		{route: "GET /users/:id", path: "/users/1", headers: []string{"Authorization", "Bearer token-of-a-client"}, shows: []string{`"login":"anna"`}},
		{
			route: "PATCH /users/:id", path: "/users/1", body: `{"last_name":"name-of-a-client"}`,
			headers: []string{"Authorization", "Bearer token-of-a-client", "Content-Type", "application/json", "If-Match", `"of-a-client"`},
		},
		{
			route: "PATCH /users/:id", path: "/users/1", body: `{"last_name":"name-of-a-client"}`, shows: []string{`"login":"anna"`},
			headers: []string{"Authorization", "Bearer token-of-a-client", "Content-Type", "application/json"},
		},
		{route: "DELETE /users/:id", path: "/users/1", headers: []string{"Authorization", "Bearer token-of-a-client"}},
		{route: "GET /users/:id/edit", path: "/users/1/edit", headers: html, cookies: true, shows: []string{`value="anna"`}},
		{
			route: "POST /users/:id/edit", path: "/users/1/edit", body: "lname=name-of-a-client&was=data-of-a-client", headers: append([]string{"Content-Type", mediaForm}, html...),
			cookies: true, shows: []string{"name-of-a-client"},
		},
		{route: "GET /users/:id/password", path: "/users/1/password", headers: html, cookies: true, shows: []string{`name="salt"`}},
		{
			route: "POST /users/:id/password", path: "/users/1/password", body: "salt=c2FsdC1vZi1hLWNsaWVudA&made=1", headers: append([]string{"Content-Type", mediaForm}, html...),
			cookies: true, shows: []string{"secret", "c2FsdC1vZi1hLWNsaWVudA"},
		},
		{route: "POST /users/:id/password", path: "/users/1/password", headers: []string{"Authorization", "Bearer token-of-a-client"}, shows: []string{`{"login":"anna","password":"secret"}`}},
		{route: "GET /users/:id/suspend", path: "/users/1/suspend", headers: html, cookies: true, shows: []string{"anna"}},
		{route: "POST /users/:id/suspend", path: "/users/1/suspend", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "POST /users/:id/end-sessions", path: "/users/1/end-sessions", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "POST /users/:id/restore", path: "/users/1/restore", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "POST /users/:id/require-change", path: "/users/1/require-change", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "GET /users/:id/delete", path: "/users/1/delete", headers: html, cookies: true, shows: []string{"anna"}},
		{route: "POST /users/:id/delete", path: "/users/1/delete", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "GET /setup", path: "/setup?code=code-of-a-client"},
		{route: "GET /setup", headers: []string{"Cookie", "setup=code-of-a-client"}, shows: []string{"First operator"}},
		{route: "POST /setup", headers: []string{"Content-Type", mediaForm}, cookies: true},
		{route: "GET /healthz"},
		{route: "GET /readyz"},
		{route: "GET /openapi.yaml"},
	}
}

func (r *recorder) send(t *testing.T, visitor *http.Client, c routeCase, headers ...string) answer {
	t.Helper()
	method, path, _ := strings.Cut(c.route, " ")
	if c.path != "" {
		path = c.path
	}
	return r.request(t, visitor, method, path, c.body, append(c.headers, headers...)...)
}

// Answers contain personal data or passwords: caches keep none of them, and browsers do not guess their type.
func TestHeadersOfEveryAnswer(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		r, _ := serveRecorder(t, func(cfg *web.Config) {
			cfg.Guard.Hosts = guard.Hosts{Loopback: true, Names: []string{"host-of-a-client.example"}}
		})
		check := func(t *testing.T, got answer, cache string) {
			t.Helper()
			require.Equal(t, cache, got.header.Get("Cache-Control"))
			require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
			require.Equal(t, "DENY", got.header.Get("X-Frame-Options"))
			require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
			require.Equal(t, scheme == "https", got.header.Get("Strict-Transport-Security") != "")
			if media := got.header.Get("Content-Type"); strings.HasPrefix(media, "text/plain") {
				require.Equal(t, "text/plain; charset=utf-8", media)
			}
		}
		for _, c := range routeCases() {
			t.Run(scheme+" "+c.name(), func(t *testing.T) {
				got := r.send(t, r.signedIn(t, "X-Forwarded-Proto", scheme), c)
				require.Less(t, got.status, http.StatusInternalServerError)
				cache := "no-store"
				if c.route == "GET /openapi.yaml" {
					cache = ""
				}
				check(t, got, cache)
			})
		}
		stranger := client("X-Forwarded-Proto", scheme)
		for _, c := range []struct {
			status             int
			method, path, body string
			headers            []string
		}{
			{http.StatusUnauthorized, http.MethodPost, "/useradd", "{}", nil},
			{http.StatusForbidden, http.MethodPost, "/useradd", "{}", []string{"Origin", "https://evil.example"}},
			{http.StatusMisdirectedRequest, http.MethodPost, "/useradd", "{}", []string{"X-Forwarded-Host", "evil.example"}},
			{http.StatusRequestEntityTooLarge, http.MethodPost, "/useradd", strings.Repeat(" ", 2<<20), []string{"Authorization", "Bearer x"}},
			{http.StatusMethodNotAllowed, http.MethodPut, "/useradd", "", nil},
			{http.StatusNotFound, http.MethodGet, "/nowhere", "", nil},
			{http.StatusNotFound, http.MethodGet, "/static/nothing.css", "", nil},
			{http.StatusUnauthorized, http.MethodGet, "/profile", "", nil},
			{http.StatusSeeOther, http.MethodGet, "/profile", "", []string{"Accept", "text/html"}},
			{http.StatusForbidden, http.MethodPost, "/login", "", []string{"Sec-Fetch-Site", "cross-site"}},
		} {
			t.Run(fmt.Sprintf("%s %d %s %s", scheme, c.status, c.method, c.path), func(t *testing.T) {
				got := r.request(t, stranger, c.method, c.path, c.body, c.headers...)
				require.Equal(t, c.status, got.status)
				check(t, got, "no-store")
			})
		}
		got := r.request(t, stranger, http.MethodGet, "/static/style.css", "")
		check(t, got, "public, max-age=31536000")
	}
}
