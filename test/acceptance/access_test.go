package acceptance_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every route follows its rule in the table of routes.
func TestEveryRouteHasItsRule(t *testing.T) {
	table, err := os.ReadFile("../../adapters/web/testdata/routes.txt")
	require.NoError(t, err)
	values := strings.NewReplacer("/users/:id", "/users/999999", ":id", "1", ":format", "json")
	for _, access := range []string{"any", "operators"} {
		p := start(t, "--reports-access", access)
		cookies := map[string]string{"visitor": "", "operator": "session=" + p.operator(t).Cookie("session")}
		user := p.browser(t)
		require.Equal(t, 303, user.Submit(t, "/register", with(anna(), "login", "user", "email", "", "phone", "9000000001")).Status)
		cookies["user"] = "session=" + user.Cookie("session")
		newcomer := p.browser(t)
		require.Equal(t, 303, newcomer.SignIn(t, "newcomer", p.temporaryPassword(t, "newcomer")).Status)
		p.grant(t, "newcomer") // the role has no effect before the password is changed
		cookies["newcomer"] = "session=" + newcomer.Cookie("session")
		reader, importer := p.token(t, "reader", "--scope", "users:read"), p.token(t, "importer")
		for line := range strings.Lines(string(table)) {
			row := strings.Fields(line)
			if len(row) != 3 || row[0] == "#" {
				continue
			}
			for who, cookie := range cookies {
				got := p.do(t, row[0], values.Replace(row[1]), nil, "Accept", "application/problem+json", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
				require.Equal(t, expectedDenial(row[2], who, access), denial(t, got), "%s %s, %s, reports for %s", row[0], row[1], who, access)
			}
			if !strings.HasPrefix(row[2], "users-") {
				continue
			}
			for token, code := range map[string]string{"unknown": "token_invalid", importer: "token_scope", reader: map[string]string{"users-write": "token_scope"}[row[2]]} {
				got := p.do(t, row[0], values.Replace(row[1]), nil, "Accept", "application/problem+json", "Authorization", "Bearer "+token)
				require.Equal(t, code, denial(t, got), "%s %s with a token", row[0], row[1])
			}
		}
	}
}

// expectedDenial returns the code with which a rule denies a request, or an empty string.
func expectedDenial(rule, who, access string) string {
	switch {
	case rule == "all", rule == "useradd", rule == "register": // open by default
		return ""
	case rule == "setup":
		return "setup_code"
	case who == "visitor":
		return "unauthorized"
	case rule == "signed-in":
		return ""
	case who == "newcomer":
		return "password_change_required"
	case rule == "users", who == "operator", rule == "readers" && access == "any":
		return ""
	}
	return "not_operator"
}

// denial returns the code of an answer that denies access, or an empty string.
func denial(t *testing.T, got answer) string {
	t.Helper()
	var problem struct{ Code string }
	if got.header.Get("Content-Type") == "application/problem+json" {
		require.NoError(t, json.Unmarshal([]byte(got.body), &problem))
	}
	switch problem.Code {
	case "unauthorized", "password_change_required", "not_operator", "registration_closed", "setup_code", "token_invalid", "token_scope":
		return problem.Code
	}
	return ""
}

// forOperators are the requests that need the operator role if reports do.
var forOperators = []struct{ method, path string }{
	{http.MethodGet, "/useradd/imports/1"},
	{http.MethodGet, "/useradd/export/xlsx"},
	{http.MethodGet, "/useradd/export/txt"},
	{http.MethodGet, "/useradd/export/csv?table=bad_users"},
	{http.MethodGet, "/useradd/export/json"},
	{http.MethodGet, "/useradd/export/excel"},
	{http.MethodGet, "/useradd/export/rejected.json?import=1"},
	{http.MethodGet, "/audit"},
	{http.MethodGet, "/audit/export/csv"},
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
	for _, c := range forOperators {
		got := b.Do(t, c.method, c.path, "")
		require.Equal(t, 403, got.Status, c.path)
		require.Equal(t, "This page is for operators", got.Text("h1"), c.path)
		require.Contains(t, got.Text("main"), "ask the administrator for the operator role")
		russian := b.Do(t, c.method, c.path, "", "Accept-Language", "ru")
		require.Equal(t, "Эта страница для операторов", russian.Text("h1"), c.path)
		plain := b.Do(t, c.method, c.path, "", "Accept", "*/*")
		require.Equal(t, 403, plain.Status)
		require.Equal(t, "text/plain; charset=utf-8", plain.Header.Get("Content-Type"))
		require.Contains(t, plain.Text("body"), "Only operators may do this.")
		problem := b.Do(t, c.method, c.path, "", "Accept", "application/problem+json")
		require.Contains(t, problem.Text("body"), `"status":403`)
		require.Contains(t, problem.Text("body"), `"code":"not_operator"`)
		require.Equal(t, 401, p.do(t, c.method, c.path, nil).status, "visitors learn nothing of the role")
	}
	profile := b.Get(t, "/profile?page=2&login=two")
	require.Equal(t, 200, profile.Status)
	require.Contains(t, profile.Text("dl.data"), "Anna@example.com")
	require.Zero(t, profile.Find("#report").Length())
	require.Zero(t, profile.Find(`[href^="/useradd"], [action^="/useradd"]`).Length())
	require.NotContains(t, profile.HTML, "1 of 2 users")
	require.Zero(t, b.Get(t, "/").Find(`[href^="/useradd"]`).Length())

	status, _, stderr := p.user(t, "grant", "ANNA", "operator")
	require.Zero(t, status, stderr)
	require.Contains(t, b.Get(t, "/profile").Text("#report"), "1 of 2 users", "the role takes effect with the next request")
	require.NotZero(t, b.Get(t, "/").Find(`[href="/useradd/upload"]`).Length())
	require.NotZero(t, b.Get(t, "/profile?open=1").Find(`[href^="/useradd/export/rejected."]`).Length())
	for _, c := range forOperators {
		got := b.Do(t, c.method, c.path, "")
		require.NotEqual(t, 401, got.Status, c.path)
		require.NotEqual(t, "This page is for operators", got.Text("h1"), c.path)
	}
	require.Equal(t, 200, b.Get(t, "/useradd/export/json").Status)

	status, _, stderr = p.user(t, "revoke", "anna", "operator")
	require.Equal(t, 1, status)
	require.Equal(t, "rollcall: \"anna\" is the last operator; grant the role to another user first\n", stderr)
	require.Equal(t, 200, b.Get(t, "/useradd/export/json").Status)
	p.grant(t, "boris")
	status, _, stderr = p.user(t, "revoke", "anna", "operator")
	require.Zero(t, status, stderr)
	require.Equal(t, 403, b.Get(t, "/useradd/export/json").Status)
	require.Zero(t, b.Get(t, "/profile").Find("#report").Length())
}

// By default every signed-in user sees reports, as the contract says.
func TestReportsAreForAllSignedInUsers(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	require.Equal(t, 200, p.post(t, person("boris", `"phone":"9000000001"`)).status)
	require.Equal(t, 400, p.post(t, person("BORIS", `"phone":"9000000002"`)).status)
	require.NotZero(t, b.Get(t, "/profile").Find("#report table").Length())
	for _, path := range []string{"/useradd/imports/1", "/useradd/export/json"} {
		require.Equal(t, 200, b.Get(t, path).Status, path)
	}
	for _, path := range []string{"/profile?open=2", "/useradd/imports/2"} {
		got := b.Get(t, path)
		require.Contains(t, got.Text(".rejections"), "Login belongs to another user.", path)
		require.Zero(t, got.Find(`[href^="/useradd/export/rejected."], [href="/useradd/upload"]`).Length(), path)
	}
	t.Setenv("ROLLCALL_REPORTS_ACCESS", "operators")
	require.Equal(t, 403, start(t).registered(t).Get(t, "/useradd/export/json").Status)
	t.Setenv("ROLLCALL_REPORTS_ACCESS", "everybody")
	status, _, stderr := command(t, "", "serve")
	require.NotZero(t, status)
	require.Contains(t, stderr, "--reports-access")
	require.NotContains(t, strings.ToLower(stderr), "panic")
}
