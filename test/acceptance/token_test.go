package acceptance_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// token creates a token with 'rollcall token create'.
func (p *program) token(t *testing.T, name string, flags ...string) string {
	t.Helper()
	status, stdout, stderr := command(t, "", append([]string{"token", "create", name, "--database-url", p.database, "--data-dir", t.TempDir()}, flags...)...)
	require.Zero(t, status, stderr)
	secret := strings.TrimSuffix(stdout, "\n")
	require.Regexp(t, `^rollcall_[\w-]{43}$`, secret)
	require.NotContains(t, stderr, secret)
	return secret
}

func (p *program) revoke(t *testing.T, name string) {
	t.Helper()
	status, _, stderr := command(t, "", "token", "revoke", name, "--database-url", p.database, "--data-dir", t.TempDir())
	require.Zero(t, status, stderr)
}

// importTokens returns the token of each import, an empty string for an import without one.
func (p *program) importTokens(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, row := range pgtest.Query[struct{ Token *string }](t, p.database, "select token from codes order by id") {
		if row.Token == nil {
			all = append(all, "")
			continue
		}
		all = append(all, *row.Token)
	}
	return all
}

const (
	tokenRequired = "A token is required. Send it as Authorization: Bearer TOKEN."
	tokenInvalid  = "The token is unknown, expired or revoked. Ask the administrator for a new one."
)

func TestUseraddRequiresToken(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	crm, school := p.token(t, "crm"), p.token(t, "школа", "--expires", "never")
	expired := p.token(t, "expired", "--expires", "1h")
	p.set(t, "update access_tokens set expires_at = now() - interval '1 second' where name = 'expired'")
	revoked := p.token(t, "revoked")
	p.revoke(t, "revoked")

	for _, test := range []struct{ name, credentials string }{
		{"none", ""},
		{"another scheme", "Basic " + crm},
		{"token without a scheme", crm},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := p.post(t, person("a", `"phone":"9000000001"`), "Authorization", test.credentials)
			require.Equal(t, 401, got.status)
			require.Equal(t, tokenRequired, got.body)
			require.Equal(t, `Bearer realm="Rollcall"`, got.header.Get("WWW-Authenticate"))
		})
	}
	for _, test := range []struct{ name, token string }{
		{"expired", expired},
		{"revoked", revoked},
		{"unknown", "rollcall_" + strings.Repeat("A", 43)},
		{"empty", ""},
		{"changed", crm[:51] + "!"},
		{"truncated", crm[:51]},
		{"twice", crm + " " + crm},
		{"quoted", `"` + crm + `"`},
		{"with a parameter", crm + ", realm=x"},
		{"SQL", "' or true--"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := p.post(t, person("a", `"phone":"9000000001"`), "Authorization", "Bearer "+test.token, "Accept", "application/problem+json")
			require.Equal(t, 401, got.status)
			require.Contains(t, got.body, `"code":"token_invalid"`)
			require.Contains(t, got.body, tokenInvalid)
			require.Contains(t, got.header.Get("WWW-Authenticate"), `error="invalid_token"`)
			if test.token != "" {
				require.NotContains(t, fmt.Sprint(got), test.token)
			}
		})
	}
	require.Zero(t, p.count(t, "codes"), "a rejected request leaves no import")
	require.Equal(t, 405, p.do(t, http.MethodGet, "/useradd", nil).status)

	for n, credentials := range []string{"Bearer " + crm, "bearer " + school, "BEARER   " + crm + "  "} {
		got := p.post(t, person(fmt.Sprint("user", n), fmt.Sprintf(`"phone":"900000000%d"`, n)), "Authorization", credentials)
		require.Equal(t, 200, got.status, got.body)
	}
	require.Equal(t, 400, p.post(t, "", "Authorization", "Bearer "+crm).status)
	require.Equal(t, 415, p.post(t, "x", "Authorization", "Bearer "+crm, "Content-Encoding", "br").status)
	require.Equal(t, []string{"crm", "школа", "crm", "crm", "crm"}, p.importTokens(t))

	got := p.registered(t).Get(t, "/useradd/imports/2")
	require.Contains(t, got.Text("main"), "Sent with the token школа.")
	for _, secret := range []string{crm, school, expired, revoked} {
		require.NotContains(t, p.logged(), secret[len("rollcall_"):])
		require.NotContains(t, fmt.Sprint(pgtest.Query[struct{ Row string }](t, p.database, "select access_tokens::text as row from access_tokens")), secret)
	}
}

func TestTokenOfAnotherScope(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	reader, both := p.token(t, "reader", "--scope", "users:read,users:write"), p.token(t, "both", "--scope", "useradd,users:read")
	got := p.post(t, person("a", `"phone":"9000000001"`), "Authorization", "Bearer "+reader, "Accept", "application/problem+json")
	require.Equal(t, 403, got.status)
	require.Contains(t, got.body, `"code":"token_scope"`)
	require.Equal(t, `Bearer realm="Rollcall", error="insufficient_scope", scope="useradd"`, got.header.Get("WWW-Authenticate"))
	require.Zero(t, p.count(t, "codes"), "a rejected request leaves no import")
	require.Equal(t, 200, p.post(t, person("a", `"phone":"9000000001"`), "Authorization", "Bearer "+both).status)
}

// A retry gets the passwords of an import only with the token of that import.
func TestAnswerIsOfItsToken(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	crm, school := p.token(t, "crm"), p.token(t, "school")
	send := func(token string) answer {
		return p.post(t, person("a", `"phone":"9000000001"`), "Idempotency-Key", "key", "Authorization", "Bearer "+token)
	}
	first := send(crm)
	require.Equal(t, 200, first.status)
	others := send(school)
	require.Equal(t, 400, others.status, "another token has a result of its own")
	require.Empty(t, others.header.Get("Idempotent-Replayed"))
	require.Equal(t, "true", send(school).header.Get("Idempotent-Replayed"))
	require.Equal(t, first.body, send(crm).body)

	p.revoke(t, "crm")
	again := send(p.token(t, "crm"))
	require.Equal(t, 400, again.status, "a new token of the same name does not get the result")
	require.Empty(t, again.header.Get("Idempotent-Replayed"))
}

// Imports and idempotency keys belong to the user who sent them.
func TestAnswerIsOfItsUser(t *testing.T) {
	p := start(t, "--useradd-access", "session")
	send := func(b *browser) answer {
		return p.post(t, person("a", `"phone":"9000000001"`), "Idempotency-Key", "key", "Cookie", "session="+b.Cookie("session"), "Sec-Fetch-Site", "same-origin")
	}
	first := p.registered(t)
	second := p.browser(t)
	require.Equal(t, 303, second.Submit(t, "/register", with(anna(), "login", "other", "email", "o@example.com", "phone", "")).Status)
	passwords := send(first)
	require.Equal(t, 200, passwords.status)
	require.Equal(t, 400, send(second).status)
	require.Equal(t, passwords.body, send(first).body)
	require.Equal(t, 400, p.post(t, "[", "Cookie", "session="+first.Cookie("session"), "Sec-Fetch-Site", "same-origin").status)
	users := pgtest.Query[struct{ Login string }](t, p.database, "select login from codes left join users on users.id = user_id order by codes.id")
	require.Equal(t, []struct{ Login string }{{"Anna"}, {"other"}, {"Anna"}}, users)
}

func TestSeveralCredentials(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	crm := p.token(t, "crm")
	for _, other := range []string{"Bearer " + crm, "Bearer x", "Basic eDp5"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/useradd", strings.NewReader("{}"))
		require.NoError(t, err)
		request.Header["Authorization"] = []string{"Bearer " + crm, other}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, 401, response.StatusCode, other)
	}
	got := p.post(t, "{}", "Authorization", "Bearer "+strings.Repeat("x", 100<<10))
	require.Contains(t, []int{400, 401, 431}, got.status)
	require.Equal(t, 400, p.post(t, "{}", "Authorization", "Bearer "+crm).status, "the server still answers")
	require.Equal(t, []string{"crm"}, p.importTokens(t))
}

// The server rejects a request without a token before it receives the file.
func TestTokenIsRequiredBeforeFile(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	for _, head := range []string{"Content-Length: 1000000000", "Transfer-Encoding: chunked"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = fmt.Fprintf(conn, "POST /useradd HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n1", head) // the server waits for the first byte
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, head)
		defer answer.Body.Close()
		require.Equal(t, 401, answer.StatusCode, head)
		require.True(t, answer.Close, "the rest of the body would be read as another request")
	}
	got := p.post(t, strings.Repeat(" ", 20<<20))
	require.Equal(t, 401, got.status, "a client that sends the whole file can read the response")
	require.Equal(t, tokenRequired, got.body)
}

// An import continues if its token is revoked while the file is received.
func TestTokenRevokedDuringImport(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	crm := p.token(t, "crm")
	body := person("a", `"phone":"9000000001"`)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /useradd HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", crm, len(body), body[:10])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return p.count(t, "access_tokens where used_at is not null") == 1 }, time.Minute, 10*time.Millisecond)
	p.revoke(t, "crm")
	_, err = fmt.Fprint(conn, body[10:])
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, 200, answer.StatusCode)
	require.Equal(t, []string{"crm"}, p.importTokens(t))
	require.Equal(t, 401, p.post(t, body, "Authorization", "Bearer "+crm).status)
}

func TestUseraddTakesSessions(t *testing.T) {
	p := start(t, "--useradd-access", "session")
	crm := p.token(t, "crm")
	b := p.registered(t)
	session := "session=" + b.Cookie("session")
	body := person("a", `"phone":"9000000001"`)
	for _, c := range []struct {
		name    string
		status  int
		headers []string
	}{
		{"visitor", 401, nil},
		{"unknown session", 401, []string{"Cookie", "session=AAAAAAAAAAAAAAAAAAAAAAAAAA", "Sec-Fetch-Site", "same-origin"}},
		{"session and no header", 403, []string{"Cookie", session}},
		{"page of another site", 403, []string{"Cookie", session, "Sec-Fetch-Site", "cross-site"}},
		{"page of another site in an old browser", 403, []string{"Cookie", session, "Origin", "https://evil.example"}},
		{"page of a sandbox", 403, []string{"Cookie", session, "Origin", "null"}},
		{"page of a sister site", 403, []string{"Cookie", session, "Sec-Fetch-Site", "same-site"}},
		{"invalid token besides a session", 401, []string{"Cookie", session, "Sec-Fetch-Site", "same-origin", "Authorization", "Bearer " + crm + "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := p.post(t, body, c.headers...)
			require.Equal(t, c.status, got.status)
			require.Equal(t, c.status == 401, got.header.Get("WWW-Authenticate") != "")
		})
	}
	require.Zero(t, p.count(t, "codes"))
	require.Equal(t, 200, p.post(t, body, "Cookie", session, "Sec-Fetch-Site", "same-origin", "Origin", p.url).status)
	require.Equal(t, 400, p.post(t, "{}", "Cookie", session, "Origin", p.url).status, "an old browser")
	require.Equal(t, 200, p.post(t, person("b", `"phone":"9000000002"`), "Authorization", "Bearer "+crm).status)
	require.Equal(t, 400, p.post(t, "{}", "Cookie", session, "Sec-Fetch-Site", "same-origin", "Authorization", "Basic eDp5").status, "credentials of a proxy are not a token")
	require.Equal(t, []string{"", "", "crm", ""}, p.importTokens(t))

	operators := start(t, "--useradd-access", "session", "--reports-access", "operators")
	b = operators.registered(t)
	headers := []string{"Cookie", "session=" + b.Cookie("session"), "Sec-Fetch-Site", "same-origin"}
	require.Equal(t, 403, operators.post(t, body, headers...).status)
	status, _, stderr := operators.user(t, "grant", "anna", "operator")
	require.Zero(t, status, stderr)
	require.Equal(t, 200, operators.post(t, body, headers...).status)

	closed := start(t, "--useradd-access", "token")
	b = closed.registered(t)
	require.Equal(t, 401, closed.post(t, body, "Cookie", "session="+b.Cookie("session"), "Sec-Fetch-Site", "same-origin").status)
}

func TestUseraddIsOpenByDefault(t *testing.T) {
	p := start(t)
	require.Equal(t, 200, p.post(t, person("a", `"phone":"9000000001"`), "Authorization", "Bearer of news").status)
	require.Equal(t, []string{""}, p.importTokens(t))
}

// A server that other machines can reach logs what its flags permit to anyone.
func TestOpenAccessIsLogged(t *testing.T) {
	const posts, sees = "POST /useradd is open to anyone who can reach this address", "anyone who registers may see reports"
	for _, test := range []struct {
		flags       string
		posts, sees int
	}{
		{"--listen 127.0.0.1:0", 0, 0},
		{"--listen 0.0.0.0:0", 1, 1},
		{"--listen 0.0.0.0:0 --useradd-access token", 0, 1},
		{"--listen 0.0.0.0:0 --reports-access operators", 1, 0},
		{"--listen 0.0.0.0:0 --registration closed", 1, 0},
	} {
		t.Run(test.flags, func(t *testing.T) {
			log := start(t, strings.Fields(test.flags)...).logged()
			require.Equal(t, test.posts, strings.Count(log, posts))
			require.Equal(t, test.sees, strings.Count(log, sees))
		})
	}
}

func TestRegistrationIsClosed(t *testing.T) {
	p := start(t, "--registration", "closed")
	b := p.browser(t)
	got := b.Get(t, "/register")
	require.Equal(t, 403, got.Status)
	require.Equal(t, "Registration is closed", got.Text("h1"))
	require.Contains(t, got.Text("main"), "Ask the administrator for an account")
	got = b.Get(t, "/register", "Accept-Language", "ru")
	require.Equal(t, "Регистрация закрыта", got.Text("h1"))
	for _, path := range []string{"/", "/login", "/register", "/nowhere"} {
		require.Zero(t, b.Get(t, path).Find(`a[href="/register"]`).Length(), path)
		require.NotZero(t, b.Get(t, path).Find(`a[href="/login"]`).Length(), path)
	}
	got = b.Do(t, http.MethodPost, "/register", "login=anna", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, 403, got.Status)
	require.Contains(t, got.Text("[role=alert]"), "Registration is closed. Ask the administrator for an account")
	answer := p.do(t, http.MethodPost, "/register", strings.NewReader(strings.Repeat("x", 1<<20)), "Accept", "application/problem+json")
	require.Equal(t, 403, answer.status)
	require.Contains(t, answer.body, `"code":"registration_closed"`)
	require.Zero(t, p.count(t, "users"))
	require.Equal(t, 200, p.post(t, person("a", `"phone":"9000000001"`)).status, "POST /useradd still registers")
}

func TestTokenCommands(t *testing.T) {
	p := start(t)
	run := func(args ...string) (status int, stdout, stderr string) {
		t.Helper()
		return command(t, "", append(append([]string{"token"}, args...), "--database-url", p.database, "--data-dir", t.TempDir())...)
	}
	status, stdout, _ := run("list")
	require.Zero(t, status)
	require.Equal(t, "NAME  SCOPES  CREATED  EXPIRES  LAST USED  STATE\n", stdout)
	p.token(t, "crm")
	p.token(t, "old", "--expires", "12h")
	p.token(t, "Школа", "--expires", "never", "--scope", "users:write,users:read")
	p.set(t, "update access_tokens set expires_at = now() - interval '1 hour' where name = 'old'")
	status, stdout, stderr := run("revoke", "crm")
	require.Zero(t, status, stderr)
	require.Equal(t, "crm is revoked\n", stdout)
	_, stdout, _ = run("list", "--time-zone", "Europe/Moscow")
	lines := strings.Split(stdout, "\n")
	require.Len(t, lines, 5)
	const moment = `\d{4}-\d\d-\d\d \d\d:\d\d MSK \(UTC\+3\)`
	require.Regexp(t, `^crm +useradd +`+moment+` +`+moment+` +never +revoked `+moment+`$`, lines[1])
	require.Regexp(t, `^old +useradd +`+moment+` +`+moment+` +never +expired$`, lines[2])
	require.Regexp(t, `^Школа +users:read,users:write +`+moment+` +never +never +valid$`, lines[3])

	for _, test := range []struct {
		args   []string
		stderr string
	}{
		{[]string{"revoke", "crm"}, `no valid token "crm": it does not exist, or was revoked before`},
		{[]string{"create", "Школа"}, "a token with this name exists: revoke it first"},
		{[]string{"create", "two words"}, `invalid token name "two words": expected 1 to 50 letters`},
		{[]string{"create", "a", "--scope", "users"}, `invalid scope "users": expected useradd, users:read or users:write`},
		{[]string{"create", "a", "--expires", "0d"}, `invalid duration "0d": use a value such as 90d or 12h, or "never"`},
		{[]string{"create", "a", "--expires=-1h"}, `invalid duration "-1h"`},
		{[]string{"create", "a", "--expires", "99999999d"}, `invalid duration "99999999d"`},
		{[]string{"create", "a", "--expires", "9999999999999d"}, `invalid duration "9999999999999d"`},
		{[]string{"create", "a", "--expires", "soon"}, `invalid duration "soon"`},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			status, stdout, stderr := run(test.args...)
			require.NotZero(t, status)
			require.NotContains(t, stdout, "rollcall_")
			require.Contains(t, stderr, test.stderr)
		})
	}
	p.token(t, "crm") // the name is free again
	require.Equal(t, 4, p.count(t, "access_tokens"))
}

// The token commands work with the embedded database, whether or not the server runs.
func TestTokensOfEmbeddedDatabase(t *testing.T) {
	dir := pgtest.Dir(t)
	t.Setenv("DATABASE_URL", "")
	t.Setenv("ROLLCALL_DATA_DIR", dir)
	for _, args := range [][]string{{"token", "create", "crm"}, {"user", "list"}} {
		status, _, stderr := command(t, "", args...)
		require.Equal(t, 1, status, args)
		require.Contains(t, stderr, "no database in "+dir)
	}
	require.NoDirExists(t, filepath.Join(dir, "postgres"))

	serve := []string{"serve", "--listen", "127.0.0.1:0", "--useradd-access", "token"}
	p := &program{}
	p.run(t, serve...)
	status, running, stderr := command(t, "", "token", "create", "running")
	require.Zero(t, status, stderr)
	require.Equal(t, 400, p.post(t, "{}", "Authorization", "Bearer "+strings.TrimSpace(running)).status)
	require.Zero(t, p.stop())

	status, stopped, stderr := command(t, "", "token", "create", "stopped")
	require.Zero(t, status, stderr)
	status, _, stderr = command(t, "", "token", "revoke", "running")
	require.Zero(t, status, stderr)
	require.NoFileExists(t, filepath.Join(dir, "postgres", "data", "postmaster.pid"))

	linked := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, linked))
	p = &program{}
	p.run(t, serve...)
	require.Equal(t, 400, p.post(t, "{}", "Authorization", "Bearer "+strings.TrimSpace(stopped)).status)
	require.Equal(t, 401, p.post(t, "{}", "Authorization", "Bearer "+strings.TrimSpace(running)).status)
	status, stdout, stderr := command(t, "", "token", "list", "--data-dir", linked)
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^stopped .* valid$`, stdout)
}

func TestSendWithToken(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	crm := p.token(t, "crm")
	t.Setenv("ROLLCALL_SERVER", p.url)
	large := "[" + strings.Repeat(" ", 20<<20) + person("a", `"phone":"9000000001"`) + "]"
	for _, token := range []string{"", crm + "x"} {
		t.Setenv("ROLLCALL_TOKEN", token)
		status, stdout, stderr := command(t, large, "send", "-")
		require.Equal(t, 1, status)
		require.Contains(t, stdout, "-: 401 Unauthorized\n")
		require.Contains(t, stdout, "set ROLLCALL_TOKEN to the token")
		require.Empty(t, stderr)
	}
	t.Setenv("ROLLCALL_TOKEN", crm)
	status, stdout, stderr := command(t, large, "send", "-")
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "registered 1 of 1 records")
	require.NotContains(t, stdout+stderr, crm)

	t.Setenv("ROLLCALL_TOKEN", "")
	status, _, stderr = command(t, person("b", `"phone":"9000000002"`), "send", "--token", crm, "-")
	require.Zero(t, status, stderr)
	status, _, stderr = command(t, "{}", "send", "--token", crm+"\n", "-")
	require.NotZero(t, status)
	require.Contains(t, stderr, "--token must be visible ASCII characters")
	require.NotContains(t, stderr, crm)
	_, stdout, _ = command(t, "", "send", "--help")
	require.NotContains(t, stdout, crm)
	require.Equal(t, []string{"crm", "crm"}, p.importTokens(t))
}
