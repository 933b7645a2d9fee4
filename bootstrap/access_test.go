package bootstrap_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forReaders is what only those get to who see reports.
var forReaders = []struct{ method, path string }{
	{http.MethodGet, "/useradd/imports/1"},
	{http.MethodGet, "/useradd/export/xlsx"},
	{http.MethodGet, "/useradd/export/txt"},
	{http.MethodGet, "/useradd/export/csv?table=bad_users"},
	{http.MethodGet, "/useradd/export/json"},
	{http.MethodGet, "/useradd/export/excel"},
	{http.MethodGet, "/useradd/export/rejected.json?import=1"},
	{http.MethodGet, "/useradd/upload"},
	{http.MethodPost, "/useradd/upload"},
	{http.MethodGet, "/useradd/uploads/x"},
	{http.MethodPost, "/useradd/uploads/x/start"},
	{http.MethodPost, "/useradd/uploads/x/cancel"},
	{http.MethodGet, "/useradd/uploads/x/progress"},
	{http.MethodGet, "/useradd/uploads/x/credentials.csv"},
	{http.MethodGet, "/useradd/uploads/x/slips"},
	{http.MethodGet, "/useradd/templates/people.csv"},
}

func TestReportsAreForOperators(t *testing.T) {
	p := start(t, "--reports-access", "operators")
	b := p.registered(t)
	require.Equal(t, 200, p.post(t, `[`+person("boris", `"phone":"9000000001"`)+`,`+person("two words", `"phone":"9000000002"`)+`]`).status)
	for _, c := range forReaders {
		got := b.do(t, c.method, c.path, "")
		assert.Equal(t, 403, got.status, c.path)
		assert.Equal(t, "This page is for operators", got.text("h1"), c.path)
		assert.Contains(t, got.text("main"), "ask whoever runs this server")
		russian := b.do(t, c.method, c.path, "", "Accept-Language", "ru")
		assert.Equal(t, "Эта страница для операторов", russian.text("h1"), c.path)
		plain := b.do(t, c.method, c.path, "", "Accept", "*/*")
		assert.Equal(t, 403, plain.status)
		assert.Equal(t, "text/plain", plain.header.Get("Content-Type"))
		assert.Contains(t, plain.text("body"), "Only operators may see this.")
		problem := b.do(t, c.method, c.path, "", "Accept", "application/problem+json")
		assert.Contains(t, problem.text("body"), `"status":403`)
		assert.Contains(t, problem.text("body"), `"code":"not_operator"`)
		assert.Equal(t, 401, p.do(t, c.method, c.path, nil).status, "who is not signed in is not told more than before")
	}
	profile := b.get(t, "/profile?page=2&login=two")
	assert.Equal(t, 200, profile.status)
	assert.Contains(t, profile.text("dl.data"), "Anna@example.com")
	assert.Zero(t, profile.Find("#report").Length())
	assert.Zero(t, profile.Find(`[href^="/useradd"], [action^="/useradd"]`).Length())
	assert.NotContains(t, profile.html, "1 of 2 users")
	assert.Zero(t, b.get(t, "/").Find(`[href^="/useradd"]`).Length())

	status, _, stderr := p.user(t, "grant", "ANNA", "operator")
	require.Zero(t, status, stderr)
	assert.Contains(t, b.get(t, "/profile").text("#report"), "1 of 2 users", "from the next request on")
	assert.NotZero(t, b.get(t, "/").Find(`[href="/useradd/upload"]`).Length())
	for _, c := range forReaders {
		got := b.do(t, c.method, c.path, "")
		assert.NotEqual(t, 401, got.status, c.path)
		assert.NotEqual(t, "This page is for operators", got.text("h1"), c.path)
	}
	assert.Equal(t, 200, b.get(t, "/useradd/export/json").status)

	status, _, stderr = p.user(t, "revoke", "anna", "operator")
	require.Zero(t, status, stderr)
	assert.Equal(t, 403, b.get(t, "/useradd/export/json").status)
	assert.Zero(t, b.get(t, "/profile").Find("#report").Length())
}

// By default whoever is signed in sees them, as the contract has it.
func TestReportsAreForAnybodySignedIn(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	require.Equal(t, 200, p.post(t, person("boris", `"phone":"9000000001"`)).status)
	assert.NotZero(t, b.get(t, "/profile").Find("#report table").Length())
	for _, path := range []string{"/useradd/imports/1", "/useradd/export/json", "/useradd/upload"} {
		assert.Equal(t, 200, b.get(t, path).status, path)
	}
	t.Setenv("ROLLCALL_REPORTS_ACCESS", "operators")
	assert.Equal(t, 403, start(t).registered(t).get(t, "/useradd/upload").status)
	t.Setenv("ROLLCALL_REPORTS_ACCESS", "everybody")
	status, _, stderr := command(t, "", "serve")
	assert.NotZero(t, status)
	assert.Contains(t, stderr, "--reports-access")
	assert.NotContains(t, strings.ToLower(stderr), "panic")
}
