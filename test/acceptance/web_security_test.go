package acceptance_test

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
	"rollcall/test/visitor"
)

func sessionCookie(got *visitor.Page) *http.Cookie {
	for _, cookie := range got.Cookies {
		if strings.HasSuffix(cookie.Name, "session") {
			return cookie
		}
	}
	return nil
}

func TestSessionCookie(t *testing.T) {
	p := start(t, "--trusted-proxy", "127.0.0.0/8")
	plain := sessionCookie(p.browser(t).Submit(t, "/register", anna()))
	require.NotNil(t, plain)
	require.Equal(t, "session", plain.Name)
	require.True(t, plain.HttpOnly)
	require.False(t, plain.Secure)
	require.Equal(t, http.SameSiteLaxMode, plain.SameSite)
	require.Equal(t, "/", plain.Path)
	require.Empty(t, plain.Domain)
	require.GreaterOrEqual(t, len(plain.Value), 26, "128 random bits")

	got := p.do(t, http.MethodGet, "/login", nil, "Accept", "text/html", "X-Forwarded-Proto", "https")
	require.Contains(t, got.header.Get("Set-Cookie"), "__Host-form=")
	require.Contains(t, strings.ToLower(got.header.Get("Set-Cookie")), "; secure")
	require.Contains(t, got.header.Get("Strict-Transport-Security"), "max-age=31536000")
	require.Empty(t, p.do(t, http.MethodGet, "/login", nil, "Accept", "text/html").header.Get("Strict-Transport-Security"))

	direct := start(t)
	got = direct.do(t, http.MethodGet, "/login", nil, "Accept", "text/html", "X-Forwarded-Proto", "https")
	require.NotContains(t, got.header.Get("Set-Cookie"), "__Host-", "headers of untrusted proxies are ignored")
}

// Visitors without an account leave nothing in the database.
func TestVisitorsStoreNothing(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	for _, path := range []string{"/", "/login", "/register", "/nowhere"} {
		b.Get(t, path)
	}
	b.SignIn(t, "Anna", "a guess at it")
	require.Zero(t, p.count(t, "sessions"))
}

func TestInvalidSessionCookies(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	own := b.Cookie("session")
	stored := pgtest.Query[struct{ K string }](t, p.database, "select k from sessions")
	require.Len(t, stored, 1)
	require.NotEqual(t, own, stored[0].K, "a stored ID opens no session")
	for _, c := range []struct {
		name  string
		value string
	}{
		{"forged", strings.Repeat("A", 26)},
		{"altered", own[:25] + "!"},
		{"from the table", stored[0].K},
		{"empty", ""},
		{"long", strings.Repeat("x", 3000)},
		{"SQL", "' or true--"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, 401, p.do(t, http.MethodGet, "/profile", nil, "Cookie", "session="+c.value).status)
		})
	}

	const fixed = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	victim := p.browser(t, "Cookie", "session="+fixed)
	signedIn := p.browser(t)
	got := signedIn.Send(t, "/login", signedIn.Get(t, "/login"), map[string]string{"login": "Anna", "psw": goodPassword}, "Cookie", "session="+fixed+"; form="+signedIn.Cookie("form"))
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.NotEqual(t, fixed, sessionCookie(got).Value, "a sign-in never keeps the ID of the client")
	require.False(t, victim.IsSignedIn(t))

	before := b.Cookie("session")
	require.Equal(t, 303, b.Send(t, "/logout", b.Get(t, "/profile"), nil).Status)
	require.Equal(t, 303, b.SignIn(t, "Anna", goodPassword).Status)
	require.NotEqual(t, before, b.Cookie("session"))

	p.set(t, "update sessions set e = 1")
	require.False(t, b.IsSignedIn(t), "the session has expired")
	p.set(t, "delete from users")
	require.Equal(t, 401, b.SignIn(t, "Anna", goodPassword).Status)
}

func TestSessionOfDeletedUser(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	p.set(t, "delete from users")
	require.False(t, b.IsSignedIn(t))
	require.Zero(t, p.count(t, "sessions"))
}

func TestSessionExpires(t *testing.T) {
	for _, flag := range []string{"--session-idle", "--session-lifetime"} {
		p := start(t, flag, "1s")
		b := p.registered(t)
		if flag == "--session-lifetime" { // requests do not extend it
			require.Eventually(t, func() bool { return !b.IsSignedIn(t) }, 20*time.Second, 50*time.Millisecond)
			continue
		}
		id := b.Cookie("session")
		require.Eventually(t, func() bool {
			rows := pgtest.Query[struct{ Old bool }](t, p.database, "select e <= extract(epoch from now()) as old from sessions")
			return len(rows) == 1 && rows[0].Old
		}, 20*time.Second, 50*time.Millisecond)
		require.Equal(t, 401, p.do(t, http.MethodGet, "/profile", nil, "Cookie", "session="+id).status)
	}
}

func TestInvalidForms(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{"application/json", `{"login":"a"}`, 415},
		{"multipart/form-data; boundary=x", "--x--", 415},
		{"", "login=a", 415},
		{"application/x-www-form-urlencoded", "login=" + strings.Repeat("a", 16<<10), 413},
		{"application/x-www-form-urlencoded", "login=%zz", 400},
	} {
		t.Run(c.kind, func(t *testing.T) {
			got := b.Do(t, http.MethodPost, "/login", c.body, "Content-Type", c.kind)
			require.Equal(t, c.status, got.Status)
			require.NotEmpty(t, got.Text("h1"))
		})
	}
	// The unread rest of a body is not the next request.
	smuggled := "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	got := raw(t, p, "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: "+strconv.Itoa(len(smuggled))+"\r\n\r\n"+smuggled)
	require.Equal(t, 1, strings.Count(got, "HTTP/1.1 "), got)
	got = raw(t, p, "GET /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: "+strconv.Itoa(len(smuggled))+"\r\n\r\n"+smuggled)
	require.Equal(t, 1, strings.Count(got, "HTTP/1.1 "), got)
}

// A client that stalls in the middle of a body gets 408, on every route.
func TestBodyTimeout(t *testing.T) {
	p := start(t, "--client-timeout", "100ms")
	for _, c := range []struct {
		path  string
		media string
	}{
		{"/useradd", "application/json"},
		{"/login", "application/x-www-form-urlencoded"},
		{"/register", "application/x-www-form-urlencoded"},
	} {
		t.Run(c.path, func(t *testing.T) {
			conn := begin(t, p, "POST "+c.path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: "+c.media+"\r\nContent-Length: 100\r\n\r\n[")
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.Regexp(t, "^HTTP/1.1 408 ", string(answer))
		})
	}
}

func TestNextStaysOnThisSite(t *testing.T) {
	p := start(t)
	p.registered(t)
	for _, c := range []struct {
		next string
		want string
	}{
		{"/account/password", "/account/password"},
		{"/profile?page=2&x=%D1%8F", "/profile?page=2&x=%D1%8F"},
		{"https://evil.example/", "/profile"},
		{"//evil.example", "/profile"},
		{"/\\evil.example", "/profile"},
		{"/\t/evil.example", "/profile"},
		{"/%0d%0aSet-Cookie:a=b", "/%0d%0aSet-Cookie:a=b"},
		{"/\r\nSet-Cookie: a=b", "/profile"},
		{"javascript:alert(1)", "/profile"},
		{"\\\\evil.example", "/profile"},
		{"profile", "/profile"},
		{"http:evil.example", "/profile"},
		{"/profile\x00", "/profile"},
		{"///evil.example/..", "/profile"},
		{"https:/evil.example", "/profile"},
		{"/@evil.example", "/@evil.example"},
		{"//user@evil.example/login", "/profile"},
	} {
		t.Run(c.next, func(t *testing.T) {
			b := p.browser(t)
			got := b.Submit(t, "/login", map[string]string{"login": "Anna", "psw": goodPassword, "next": c.next})
			require.Equal(t, 303, got.Status)
			require.Equal(t, c.want, got.Location())
			require.Empty(t, got.Header.Get("a"))
		})
	}
	b := p.browser(t)
	got := b.Get(t, "/account/password")
	require.Equal(t, 303, got.Status)
	login := b.Get(t, got.Location())
	require.NotEmpty(t, login.Text("[role=status]"))
	back := b.Send(t, "/login", login, map[string]string{"login": "Anna", "psw": goodPassword})
	require.Equal(t, "/account/password", back.Location())
}

func TestSecurityHeaders(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	for _, path := range []string{"/", "/profile", "/account/password", "/nowhere", "/static/style.css"} {
		header := b.Get(t, path).Header
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.NotContains(t, header.Get("Content-Security-Policy"), "unsafe")
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "DENY", header.Get("X-Frame-Options"), path)
		require.Equal(t, "same-origin", header.Get("Referrer-Policy"), path)
		require.NotEmpty(t, header.Get("X-Request-Id"), path)
		require.Empty(t, header.Get("Server"), path)
		if !strings.HasPrefix(path, "/static") {
			require.Equal(t, "no-store", header.Get("Cache-Control"), path)
			require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"), path)
		}
	}
	home := b.Get(t, "/")
	style := home.Find("link[rel=stylesheet]").AttrOr("href", "")
	got := b.Get(t, style)
	require.Equal(t, 200, got.Status)
	require.Contains(t, got.Header.Get("Cache-Control"), "max-age=31536000")
	require.Zero(t, home.Find("[style], style, script:not([src])").Length(), "no inline code")
	for _, path := range []string{"/static/../views.go", "/static/%2e%2e/views.go", "/static/", "/static/nothing.css"} {
		require.Equal(t, 404, b.Get(t, path).Status, path)
	}

	api := p.post(t, person("boris", `"phone":"9000000001"`))
	require.Equal(t, 200, api.status)
	require.Empty(t, api.header.Get("Set-Cookie"), "/useradd sets no cookies")
}

func TestErrorPages(t *testing.T) {
	p := start(t)
	for _, c := range []struct {
		language string
		title    string
	}{
		{"en", "Page not found"},
		{"ru", "Страница не найдена"},
	} {
		t.Run(c.language, func(t *testing.T) {
			got := p.browser(t, "Accept-Language", c.language).Get(t, "/nowhere")
			require.Equal(t, 404, got.Status)
			require.Equal(t, c.language, got.Find("html").AttrOr("lang", ""))
			require.Equal(t, c.title, got.Text("h1"))
			require.Contains(t, got.Text("main"), got.Header.Get("X-Request-Id"))
		})
	}
	b := p.browser(t)
	for _, path := range []string{"/profile", "/useradd", "/", "/healthz"} {
		got := b.Do(t, http.MethodDelete, path, "")
		require.Equal(t, 405, got.Status, path)
		require.NotEmpty(t, got.Header.Get("Allow"), path)
		require.NotEmpty(t, got.Text("h1"))
	}
	signedIn := p.registered(t)
	require.Equal(t, "Anna", signedIn.Get(t, "/nowhere").Text("a.who"), "the user stays signed in")
	problem := p.do(t, http.MethodGet, "/nowhere", nil, "Accept", "application/problem+json, text/html")
	require.Equal(t, "application/problem+json", problem.header.Get("Content-Type"))
	require.Contains(t, problem.body, `"code":"not_found"`)
	unsigned := p.do(t, http.MethodGet, "/profile", nil, "Accept", "application/problem+json")
	require.Equal(t, 401, unsigned.status)
	require.Contains(t, unsigned.body, `"code":"unauthorized"`)
	require.Equal(t, 401, p.do(t, http.MethodGet, "/profile", nil).status)
	for _, path := range []string{`/<script>alert(1)</script>`, `/"onload=x`, "/%00", "/%ff%fe", "/?lang=<b>", "/" + strings.Repeat("a", 2000)} {
		got := b.Get(t, strings.NewReplacer("<", "%3C", ">", "%3E", `"`, "%22").Replace(path))
		require.Contains(t, []int{200, 404}, got.Status)
		require.NotContains(t, got.HTML, "<script>alert")
	}
}

// The reason of an internal error is in the log, not on the page.
func TestInternalErrorPage(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "alter table profiles rename to elsewhere")
	require.NoError(t, err)
	got := b.Get(t, "/profile")
	require.Equal(t, 500, got.Status)
	require.Contains(t, got.Text("main"), got.Header.Get("X-Request-Id"))
	require.NotContains(t, got.HTML, "profiles")
	require.Contains(t, p.logged(), got.Header.Get("X-Request-Id"))
	require.Equal(t, 404, b.Get(t, "/nowhere").Status, "an error page needs no user data")
}

func TestLanguageIsRemembered(t *testing.T) {
	p := start(t)
	b := p.browser(t, "Accept-Language", "de, ru;q=0.8, en;q=0.5")
	home := b.Get(t, "/login?next=/account/password")
	require.Equal(t, "ru", home.Find("html").AttrOr("lang", ""))
	english := home.Find("a[hreflang=en]").AttrOr("href", "")
	got := b.Get(t, "/login"+english)
	require.Equal(t, "en", got.Find("html").AttrOr("lang", ""))
	require.Equal(t, "/account/password", got.Find("[name=next]").AttrOr("value", ""), "the language switch stays on the page")
	require.Equal(t, "en", b.Get(t, "/register").Find("html").AttrOr("lang", ""))
	require.Equal(t, "ru", b.Get(t, "/register?lang=ru").Find("html").AttrOr("lang", ""))
	require.Equal(t, "ru", b.Get(t, "/register?lang=xx").Find("html").AttrOr("lang", ""))
	refused := b.Submit(t, "/register", map[string]string{"login": "два слова"})
	require.Equal(t, "ru", refused.Find("html").AttrOr("lang", ""))
	require.Regexp(t, `[а-я]`, refused.Text("#login-error"))
	api := p.do(t, http.MethodPost, "/useradd", strings.NewReader("{}"), "Accept-Language", "ru", "Cookie", "lang=ru")
	require.Equal(t, noneCreated, api.body, "answers of /useradd are in English")
}

// raw sends bytes on a new connection, and returns the whole answer.
func raw(t *testing.T, p *program, request string) string {
	t.Helper()
	conn := begin(t, p, request)
	require.NoError(t, conn.CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(answer)
}

// begin sends bytes on a new connection, which stays open.
func begin(t *testing.T, p *program, request string) *net.TCPConn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	return conn.(*net.TCPConn)
}
