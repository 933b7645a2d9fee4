package acceptance_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

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
	t.Parallel() // most of its time is waiting
	for _, flag := range []string{"--session-idle", "--session-lifetime"} {
		p := start(t, flag, "1s")
		b := p.registered(t)
		if flag == "--session-lifetime" { // requests do not extend it
			require.Eventually(t, func() bool { return !b.IsSignedIn(t) }, patience, 50*time.Millisecond)
			continue
		}
		id := b.Cookie("session")
		require.Eventually(t, func() bool {
			rows := pgtest.Query[struct{ Old bool }](t, p.database, "select e <= extract(epoch from now()) as old from sessions")
			return len(rows) == 1 && rows[0].Old
		}, patience, 50*time.Millisecond)
		require.Equal(t, 401, p.do(t, http.MethodGet, "/profile", nil, "Cookie", "session="+id).status)
	}
}
