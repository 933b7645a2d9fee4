package acceptance_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
	"rollcall/test/visitor"
)

func TestRegisterSignsInAndShowsTheProfile(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	got := b.Submit(t, "/register", with(anna(), "birthday", "28.02.1990"))
	require.Equal(t, 303, got.Status, got.Text("main"))
	profile := b.Get(t, got.Location())
	require.Equal(t, "/profile", strings.Split(got.Location(), "?")[0])
	require.NotEmpty(t, profile.Text("[role=status]"))
	for _, own := range []string{"Ким", "Анна", "Петровна", "28 February 1990", "Anna@example.com", "+79123456789"} {
		require.Contains(t, profile.Text("dl"), own)
	}
	type row struct{ Login, Email, Phone, Fname, Birthday, Hash string }
	rows := pgtest.Query[row](t, p.database, `select login, email, phone, fname, birthday::text, left(password_hash, 30) as hash
		from users join profiles on user_id = users.id`)
	require.Equal(t, []row{{"Anna", "Anna@example.com", "79123456789", "Анна", "1990-02-28", "$argon2id$v=19$m=19456,t=2,p=1"}}, rows)
	require.NotContains(t, p.logged(), "Anna")
	require.Zero(t, p.count(t, "codes"), "a registration is no import")
	require.Equal(t, 303, b.Get(t, "/register").Status, "a signed-in user need not register")
	require.Equal(t, 303, b.Get(t, "/login").Status)
}

// A registration or a change of password succeeds even if the session cannot be stored.
func TestSuccessIsReportedWithoutASession(t *testing.T) {
	p := start(t)
	database, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer database.Close(context.Background())
	away := func(statement string) {
		_, err := database.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	const begin = "alter table sessions add constraint away check (false) not valid"
	const end = "alter table sessions drop constraint away"
	b := p.browser(t)
	away(begin)
	got := b.Submit(t, "/register", anna())
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Equal(t, "You're registered. Now sign in.", b.Get(t, got.Location()).Text("[role=status]"))
	away(end)
	require.Equal(t, 303, b.SignIn(t, anna()["login"], anna()["psw"]).Status)
	form := b.Get(t, "/account/password")
	away(begin)
	const changed = "another horse battery staple"
	got = b.Send(t, "/account/password", form, map[string]string{"old": anna()["psw"], "psw": changed})
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Equal(t, "Your password has been changed. Sign in with the new one.", b.Get(t, got.Location()).Text("[role=status]"))
	away(end)
	require.Equal(t, 303, b.SignIn(t, anna()["login"], changed).Status)
	require.True(t, b.IsSignedIn(t))
}

func TestConcurrentRegistrationsOfOneLogin(t *testing.T) {
	p := start(t, "--trusted-proxy", "127.0.0.1")
	statuses := map[int]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range 8 {
		b := p.browser(t, "X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i))
		form := b.Get(t, "/register")
		group.Go(func() {
			got := b.Send(t, "/register", form, with(anna(), "phone", fmt.Sprintf("91200000%02d", i), "email", ""))
			mu.Lock()
			defer mu.Unlock()
			statuses[got.Status]++
			if got.Status != 303 {
				require.Equal(t, "Login belongs to another user.", got.Text("#login-error"))
			}
		})
	}
	group.Wait()
	require.Equal(t, map[int]int{303: 1, 422: 7}, statuses)
	require.Equal(t, 1, p.count(t, "users"))
}

func TestSignInByLoginEmailAndPhone(t *testing.T) {
	p := start(t)
	p.registered(t)
	for _, name := range []string{"Anna", "ANNA", " anna ", "anna@EXAMPLE.com", "+7 912 345-67-89", "9123456789"} {
		b := p.browser(t)
		got := b.SignIn(t, name, goodPassword)
		require.Equal(t, 303, got.Status, name)
		require.True(t, b.IsSignedIn(t), name)
	}
}

// A login must not be another person's email or phone in any spelling. A login older than this rule does not take precedence over
// the contact.
func TestOneNameOneAccount(t *testing.T) {
	p := start(t)
	p.registered(t)
	const password = "another password of mine"
	other := with(anna(), "email", "other@example.com", "phone", "", "psw", password)
	for _, login := range []string{"anna@example.com", "ANNA@example.com", "+7(912)345-67-89", "89123456789", "8-912-345-67-89"} {
		rejected := p.browser(t).Submit(t, "/register", with(other, "login", login))
		require.Equal(t, 422, rejected.Status, login)
		require.Equal(t, "Login looks like an email or phone number, but doesn't match the one given.", rejected.Text("#login-error"))
		imported := p.post(t, person(login, `"email":"other@example.com"`), "Accept", "application/problem+json")
		require.Equal(t, 400, imported.status)
		require.Contains(t, imported.body, `"field":"login","code":"is_contact"`)
	}
	require.Equal(t, 303, p.browser(t).Submit(t, "/register", with(other, "login", "Other@example.com")).Status, "a login may be the person's own email")

	p.set(t, `update users set login = '89123456789', login_key = '89123456789' where email = 'other@example.com'`)
	require.Equal(t, 303, p.browser(t).SignIn(t, "89123456789", goodPassword).Status)
	require.Equal(t, 401, p.browser(t).SignIn(t, "89123456789", password).Status)
	require.Equal(t, 303, p.browser(t).SignIn(t, "other@example.com", password).Status, "the user with the old login signs in by email")
}

func TestChangePassword(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	other := p.browser(t)
	require.Equal(t, 303, other.SignIn(t, "Anna", goodPassword).Status)
	for _, c := range []struct{ old, chosen, field, message string }{
		{"", "a fine new password", "old", "Old password is required."},
		{"wrong", "a fine new password", "old", ""},
		{goodPassword, "short", "psw", ""},
		{goodPassword, "password", "psw", ""},
		{goodPassword, "my anna password", "psw", ""},
		{goodPassword, goodPassword, "psw", ""},
	} {
		t.Run(c.field+" "+c.chosen, func(t *testing.T) {
			got := b.Submit(t, "/account/password", map[string]string{"old": c.old, "psw": c.chosen})
			require.Equal(t, 422, got.Status)
			require.NotEmpty(t, got.Text("#"+c.field+"-error"))
			require.NotContains(t, got.HTML, goodPassword)
		})
	}
	id := b.Cookie("session")
	got := b.Submit(t, "/account/password", map[string]string{"old": goodPassword, "psw": "a fine new password"})
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.NotEmpty(t, b.Get(t, got.Location()).Text("[role=status]"))
	require.NotEqual(t, id, b.Cookie("session"), "the session has a new ID")
	require.True(t, b.IsSignedIn(t))
	require.False(t, other.IsSignedIn(t), "other sessions end")
	require.Equal(t, 401, p.browser(t).SignIn(t, "Anna", goodPassword).Status)
	require.Equal(t, 303, p.browser(t).SignIn(t, "Anna", "a fine new password").Status)
}

// weakHash is the hash of "correct horse battery" with 64 KiB and one pass.
const weakHash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$1pk8vr95xlyUOMT8nKyALDY/GpuPmtxvrrZzTpylHvU"

// A sign-in renews a hash that is weaker than today's, and sessions continue.
func TestWeakHashIsRenewed(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	p.set(t, `update users set password_hash = '`+weakHash+`'`)
	require.Equal(t, 303, p.browser(t).SignIn(t, "Anna", "correct horse battery").Status)
	hash := pgtest.Query[struct{ Hash string }](t, p.database, "select password_hash as hash from users")[0].Hash
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash)
	require.True(t, b.IsSignedIn(t))
	require.Equal(t, 303, p.browser(t).SignIn(t, "Anna", "correct horse battery").Status)
}

func TestAttemptsAreLimited(t *testing.T) {
	p := start(t, "--trusted-proxy", "127.0.0.1")
	p.registered(t)
	for _, login := range []string{"Anna", "nobody"} {
		guesser := p.browser(t, "X-Forwarded-For", "203.0.113.7")
		for range 10 {
			require.Equal(t, 401, guesser.SignIn(t, login, "a guess at it").Status, login)
		}
		got := guesser.SignIn(t, login, goodPassword)
		require.Equal(t, 429, got.Status, "%s, with the right password too", login)
		seconds, err := strconv.Atoi(got.Header.Get("Retry-After"))
		require.NoError(t, err)
		require.InDelta(t, 60, seconds, 20, "one attempt a minute, part of which has passed")
		require.Contains(t, got.Text("[role=alert]"), "1 minute")
		problem := p.browser(t, "X-Forwarded-For", "203.0.113.7").SignIn(t, login, goodPassword, "Accept", "application/problem+json")
		require.Equal(t, 429, problem.Status)
		require.Contains(t, problem.Text("body"), `"code":"attempts"`)
	}
	owner := p.browser(t, "X-Forwarded-For", "198.51.100.1")
	require.Equal(t, 303, owner.SignIn(t, "Anna", goodPassword).Status, "the owner signs in from another address")
	forged := p.browser(t, "X-Forwarded-For", "192.0.2.1, 203.0.113.7")
	require.Equal(t, 429, forged.SignIn(t, "Anna", goodPassword).Status, "addresses that the client itself puts into the header are ignored")
	for range 11 {
		require.Equal(t, 303, p.browser(t, "X-Forwarded-For", "198.51.100.1").SignIn(t, "Anna", goodPassword).Status, "the right password meets no limit")
	}
	stored := pgtest.Query[struct{ Row string }](t, p.database, "select limits::text as row from limits")
	require.NotEmpty(t, stored)
	for _, row := range stored {
		require.NotContains(t, row.Row, "203.0.113.7")
	}
}

// Guesses from any address do not lock a user out of a browser used before.
func TestGuessesDoNotLockOutTheOwner(t *testing.T) {
	p := start(t)
	owner := p.registered(t)
	owner.SignOut(t)
	stranger := p.browser(t)
	require.Equal(t, 303, stranger.Submit(t, "/register", with(anna(), "login", "boris", "email", "", "phone", "9000000001")).Status)
	stranger.SignOut(t)
	for range 10 {
		require.Equal(t, 401, stranger.SignIn(t, "Anna", "a guess at it").Status)
	}
	require.Equal(t, 429, stranger.SignIn(t, "Anna", goodPassword).Status, "another user's device cookie")
	require.Equal(t, 429, p.browser(t).SignIn(t, "Anna", goodPassword).Status)
	require.Equal(t, 429, p.browser(t, "Cookie", "device="+strings.Repeat("A", 56)).SignIn(t, "Anna", goodPassword).Status, "a forged device cookie")
	require.Equal(t, 303, owner.SignIn(t, "Anna", goodPassword).Status)

	at, _ := url.Parse(p.url)
	thief := p.browser(t)
	thief.Client.Jar.SetCookies(at, []*http.Cookie{{Name: "device", Value: owner.Cookie("device")}})
	for range 10 {
		require.Equal(t, 401, thief.SignIn(t, "Anna", "a guess at it").Status)
	}
	require.Equal(t, 429, thief.SignIn(t, "Anna", goodPassword).Status, "a stolen device cookie gives few attempts")
}

func TestDeviceCookie(t *testing.T) {
	p := start(t, "--trusted-proxy", "127.0.0.1")
	find := func(got *visitor.Page, name string) *http.Cookie {
		i := slices.IndexFunc(got.Cookies, func(cookie *http.Cookie) bool { return cookie.Name == name })
		require.GreaterOrEqual(t, i, 0, name)
		return got.Cookies[i]
	}
	b := p.browser(t)
	first := find(b.Submit(t, "/register", anna()), "device")
	require.True(t, first.HttpOnly)
	require.False(t, first.Secure)
	require.Equal(t, http.SameSiteLaxMode, first.SameSite)
	require.Equal(t, "/", first.Path)
	require.Empty(t, first.Domain)
	require.Equal(t, 180*24*60*60, first.MaxAge)
	b.SignOut(t)
	require.Equal(t, first.Value, find(b.SignIn(t, "Anna", goodPassword), "device").Value, "the browser keeps its cookie")
	b.SignOut(t)
	other := b.Submit(t, "/register", with(anna(), "login", "boris", "email", "", "phone", "9000000001"))
	require.True(t, strings.HasSuffix(find(other, "device").Value, "."+first.Value), "two users share the browser")

	secure := p.browser(t, "X-Forwarded-Proto", "https")
	form := secure.Get(t, "/login")
	got := secure.Send(t, "/login", form, map[string]string{"login": "Anna", "psw": goodPassword}, "Cookie", "__Host-form="+form.Cookies[0].Value)
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.True(t, find(got, "__Host-device").Secure)
	require.Equal(t, 401, p.browser(t).SignIn(t, "Anna", "a guess").Status)
	for _, cookie := range p.browser(t).SignIn(t, "Anna", "a guess").Cookies {
		require.NotEqual(t, "device", cookie.Name)
	}
}

func TestSignOut(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	stolen := b.Cookie("session")
	got := b.Send(t, "/logout", b.Get(t, "/profile"), nil)
	require.Equal(t, 303, got.Status)
	require.Equal(t, "/login", strings.Split(got.Location(), "?")[0])
	require.NotEmpty(t, b.Get(t, got.Location()).Text("[role=status]"))
	require.False(t, b.IsSignedIn(t))
	require.Equal(t, 401, p.do(t, http.MethodGet, "/profile", nil, "Cookie", "session="+stolen).status, "the server has ended the session")
	require.Zero(t, p.count(t, "sessions"))

	require.Equal(t, 303, b.SignIn(t, "Anna", goodPassword).Status)
	for _, site := range []string{"cross-site", "same-origin", "none"} {
		asks := b.Get(t, "/logout", "Sec-Fetch-Site", site)
		require.Equal(t, 200, asks.Status)
		require.Equal(t, 1, asks.Find(`main form[action="/logout"]`).Length(), "a link asks for confirmation")
		require.True(t, b.IsSignedIn(t))
	}
	require.Equal(t, 303, b.Send(t, "/logout", b.Get(t, "/logout"), nil).Status)
	require.False(t, b.IsSignedIn(t))
}
