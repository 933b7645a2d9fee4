package acceptance_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// generated imports a person, and returns the temporary password.
func (p *program) generated(t *testing.T, login string, headers ...string) string {
	t.Helper()
	got := p.post(t, person(login, fmt.Sprintf(`"email":"%s@example.com"`, login)), headers...)
	var credentials []struct{ Password string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &credentials), got.body)
	return credentials[0].Password
}

func TestTemporaryPasswordMayBeChanged(t *testing.T) {
	p := start(t, "--temporary-passwords", "may-change")
	password := p.generated(t, "boris")
	for range 2 { // browsers
		b := p.browser(t)
		require.Equal(t, "/profile", b.signIn(t, "boris", password).location())
		profile := b.get(t, "/profile")
		require.Equal(t, 200, profile.status)
		require.Equal(t, 1, profile.Find(`main a.button[href="/account/password"]`).Not(".quiet").Length(), "the page asks for a new password")
	}
	signedIn := p.browser(t)
	require.Equal(t, 303, signedIn.signIn(t, "boris", password).status)

	p.set(t, `update users set password_date = password_date - interval '30 days'`)
	expired := p.browser(t).signIn(t, "boris", password)
	require.Equal(t, 403, expired.status)
	require.Contains(t, expired.text("[role=alert]"), "has expired")
	wrong := p.browser(t).signIn(t, "boris", password+"x")
	require.Equal(t, 401, wrong.status, "without the right password the expiry is not revealed")

	p.set(t, `update users set password_date = now()`)
	b := p.browser(t)
	require.Equal(t, 303, b.signIn(t, "boris", password).status)
	changed := b.submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword})
	require.Equal(t, 303, changed.status, changed.text("main"))
	p.set(t, `update users set password_date = password_date - interval '90 days'`)
	require.Equal(t, 303, p.browser(t).signIn(t, "boris", goodPassword).status, "a chosen password does not expire")
	require.Nil(t, p.usedBy(t), "its first use is not stored")
}

// usedBy returns the stored mark of the browser that used the user's temporary password first.
func (p *program) usedBy(t *testing.T) []byte {
	t.Helper()
	return pgtest.Query[struct{ UsedBy []byte }](t, p.database, "select password_used_by as used_by from users")[0].UsedBy
}

// A user with a temporary password gets no other page before changing it.
func TestTemporaryPasswordMustBeChanged(t *testing.T) {
	p := start(t, "--useradd-access", "session")
	password := p.generated(t, "boris", "Authorization", "Bearer "+p.token(t, "crm"))
	b := p.browser(t)
	signedIn := b.send(t, "/login", b.get(t, "/login?next=/useradd/upload"), map[string]string{"login": "boris", "psw": password})
	require.Equal(t, 303, signedIn.status, signedIn.text("main"))
	require.Equal(t, "/account/password?next=%2Fuseradd%2Fupload", signedIn.location())
	p.grant(t, "boris")
	for _, c := range append([]struct{ method, path string }{{http.MethodGet, "/profile"}}, forOperators...) {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			refused := b.do(t, c.method, c.path, "")
			require.Equal(t, 303, refused.status, c.path)
			require.Regexp(t, `^/account/password(\?next=|$)`, refused.location(), c.path)
			plain := b.do(t, c.method, c.path, "", "Accept", "*/*")
			require.Equal(t, 403, plain.status, c.path)
			require.Equal(t, "Change the temporary password first, at /account/password.", plain.text("body"))
		})
	}
	form := b.get(t, signedIn.location())
	posted := b.do(t, http.MethodPost, "/useradd", person("c", `"phone":"9000000001"`), "Accept", "application/problem+json")
	require.Equal(t, 403, posted.status)
	require.Contains(t, posted.text("body"), `"code":"password_change_required"`)
	require.Equal(t, 1, p.count(t, "users"))

	home := b.get(t, "/?lang=ru")
	require.Equal(t, 200, home.status)
	require.Zero(t, home.Find(`[href^="/useradd"]`).Length())
	require.Equal(t, 200, b.get(t, home.Find("link[rel=stylesheet]").AttrOr("href", "")).status)
	require.Equal(t, "Придумайте свой пароль", b.get(t, "/account/password").text("h1"))
	b.get(t, "/?lang=en")
	require.Equal(t, "Choose your own password", form.text("h1"))
	require.Zero(t, form.Find(`main a[href="/profile"]`).Length())

	refused := b.send(t, "/account/password", form, map[string]string{"old": password, "psw": "short"})
	require.Equal(t, 422, refused.status)
	require.Equal(t, "Choose your own password", refused.text("h1"))
	changed := b.send(t, "/account/password", refused, map[string]string{"old": password, "psw": goodPassword})
	require.Equal(t, 303, changed.status, changed.text("main"))
	require.Equal(t, "/useradd/upload", changed.location(), "the page that was requested first")
	require.Equal(t, 200, b.get(t, "/useradd/upload").status)
	require.Equal(t, 200, b.get(t, "/profile").status)
	require.Zero(t, b.get(t, "/profile").Find(".urgent").Length())
	require.Equal(t, 401, p.browser(t).signIn(t, "boris", password).status)

	again := p.browser(t)
	require.Equal(t, "/profile", again.signIn(t, "boris", goodPassword).location())
	b.signOut(t)
}

func TestTemporaryPasswordLeadsToTheProfile(t *testing.T) {
	p := start(t)
	password := p.generated(t, "boris")
	b := p.browser(t)
	require.Equal(t, "/account/password", b.signIn(t, "boris", password).location())
	require.Equal(t, "/account/password", b.get(t, "/login").location())
	b.signOut(t)
	b.signInFirst(t, "boris", password)
	profile := b.get(t, "/profile?notice=password_changed")
	require.Equal(t, "Your password has been changed.", profile.text("[role=status]"))
	for _, next := range []string{"https://evil.example/", "//evil.example"} {
		got := b.submit(t, "/account/password", map[string]string{"old": goodPassword, "psw": "another password of mine", "next": next})
		require.Equal(t, 303, got.status, got.text("main"))
		require.Equal(t, "/profile?notice=password_changed", got.location())
		b.submit(t, "/account/password", map[string]string{"old": "another password of mine", "psw": goodPassword})
	}
}

// keeping returns a browser with only the named cookies of this one.
func (b *browser) keeping(t *testing.T, names ...string) *browser {
	t.Helper()
	at, err := url.Parse(b.p.url)
	require.NoError(t, err)
	again := b.p.browser(t)
	for _, name := range names {
		require.NotEmpty(t, b.cookie(name), name)
		again.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: b.cookie(name)}})
	}
	return again
}

// A temporary password works in one browser only, repeatedly. Another browser gets an explanation.
func TestTemporaryPasswordIsUsedOnce(t *testing.T) {
	p := start(t)
	password := p.generated(t, "boris")
	b := p.browser(t)
	form := b.get(t, "/login")
	require.Equal(t, 401, b.send(t, "/login", form, map[string]string{"login": "boris", "psw": "a guess at it"}).status)
	require.Nil(t, p.usedBy(t), "a wrong guess does not use the password up")
	for range 3 { // the answers to the first clicks are lost
		clicked := b.keeping(t, "form")
		require.Equal(t, 303, clicked.send(t, "/login", form, map[string]string{"login": "boris", "psw": password}).status)
	}
	require.Len(t, p.usedBy(t), sha256.Size)
	require.Equal(t, 303, b.signIn(t, "boris", password).status)

	elsewhere := p.browser(t)
	used := elsewhere.signIn(t, "boris", password)
	require.Equal(t, 403, used.status)
	require.Contains(t, used.text("[role=alert]"), "has already been used in another browser")
	require.Empty(t, elsewhere.cookie("session"))
	require.Empty(t, elsewhere.cookie("device"))
	problem := p.browser(t).signIn(t, "boris", password, "Accept", "application/problem+json")
	require.Equal(t, 403, problem.status)
	require.Contains(t, problem.text("body"), `"code":"password_used"`)
	require.Equal(t, 401, p.browser(t).signIn(t, "boris", password+"x").status, "without the right password its use is not revealed")

	closed := b.keeping(t, "device") // a closed browser keeps this cookie only
	closed.signInFirst(t, "boris", password)
	require.Nil(t, p.usedBy(t))
	require.Equal(t, 303, elsewhere.signIn(t, "boris", goodPassword).status, "a chosen password works anywhere")
}

// The session of a temporary password ends with the password.
func TestSessionOfATemporaryPassword(t *testing.T) {
	p := start(t, "--temporary-password-lifetime", "1h", "--session-idle", "48h")
	b := p.browser(t)
	require.Equal(t, 303, b.signIn(t, "boris", p.generated(t, "boris")).status)
	left := pgtest.Query[struct{ Seconds float64 }](t, p.database, "select (e - extract(epoch from now()))::float8 as seconds from sessions")
	require.Len(t, left, 1)
	require.InDelta(t, time.Hour.Seconds(), left[0].Seconds, 60)
	require.Equal(t, 200, b.get(t, "/account/password").status)
	p.set(t, "update users set password_date = password_date - interval '1 hour'")
	require.Equal(t, "/login?next=%2Faccount%2Fpassword", b.get(t, "/account/password").location())
	require.Zero(t, p.count(t, "sessions"))
}
