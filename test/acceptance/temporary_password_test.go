package acceptance_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// temporaryPassword imports a person, and returns the temporary password.
func (p *program) temporaryPassword(t *testing.T, login string, headers ...string) string {
	t.Helper()
	got := p.post(t, person(login, fmt.Sprintf(`"email":"%s@example.com"`, login)), headers...)
	var credentials []struct{ Password string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &credentials), got.body)
	return credentials[0].Password
}

func TestTemporaryPasswordMayBeChanged(t *testing.T) {
	p := start(t, "--temporary-passwords", "may-change")
	password := p.temporaryPassword(t, "boris")
	for range 2 { // browsers
		b := p.browser(t)
		require.Equal(t, "/profile", b.SignIn(t, "boris", password).Location())
		profile := b.Get(t, "/profile")
		require.Equal(t, 200, profile.Status)
		require.Equal(t, 1, profile.Find(`main a.button[href="/account/password"]`).Not(".quiet").Length(), "the page asks for a new password")
	}
	signedIn := p.browser(t)
	require.Equal(t, 303, signedIn.SignIn(t, "boris", password).Status)

	p.set(t, `update users set password_date = password_date - interval '30 days'`)
	expired := p.browser(t).SignIn(t, "boris", password)
	require.Equal(t, 403, expired.Status)
	require.Contains(t, expired.Text("[role=alert]"), "has expired")
	wrong := p.browser(t).SignIn(t, "boris", password+"x")
	require.Equal(t, 401, wrong.Status, "without the right password the expiry is not revealed")

	p.set(t, `update users set password_date = now()`)
	b := p.browser(t)
	require.Equal(t, 303, b.SignIn(t, "boris", password).Status)
	changed := b.Submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword})
	require.Equal(t, 303, changed.Status, changed.Text("main"))
	p.set(t, `update users set password_date = password_date - interval '90 days'`)
	require.Equal(t, 303, p.browser(t).SignIn(t, "boris", goodPassword).Status, "a chosen password does not expire")
	require.Nil(t, p.usedBy(t), "its first use is not stored")
}

// Names and temporary passwords are typed, or copied from a message or a document.
func TestTypingForgives(t *testing.T) {
	p := start(t, "--temporary-passwords", "may-change")
	got := p.post(t, person("Boris", `"email":"boris@example.com","phone":"+79123456789"`))
	var credentials []struct{ Password string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &credentials), got.body)
	password := credentials[0].Password
	for _, c := range []struct{ name, identity, password string }{
		{"Blanks", "\u00a0boris ", " " + password + "\u00a0"},
		{"Capitals", "BORIS", strings.ToUpper(password)},
		{"NoDashes", "boris", strings.ReplaceAll(password, "-", "")},
		{"OtherDashes", "boris", strings.ReplaceAll(password, "-", "\u2014")},
		{"BlanksForDashes", "boris", strings.ReplaceAll(password, "-", " ")},
		{"InvisibleMarks", "\u200bboris\ufeff", "\u202a" + password + "\u202c"},
		{"EmailWithMarks", "\u200eboris@example.com\u00ad", password},
		{"PhoneWithMarks", "\u202a+7 912 345\u201167\u201189\u202c", password},
	} {
		t.Run(c.name, func(t *testing.T) {
			signedIn := p.browser(t).SignIn(t, c.identity, c.password)
			require.Equal(t, "/profile", signedIn.Location(), signedIn.Text("main"))
		})
	}
}

// usedBy returns the stored mark of the browser that used the user's temporary password first.
func (p *program) usedBy(t *testing.T) []byte {
	t.Helper()
	return pgtest.Query[struct{ UsedBy []byte }](t, p.database, "select password_used_by as used_by from users")[0].UsedBy
}

// A user with a temporary password gets no other page before changing it.
func TestTemporaryPasswordMustBeChanged(t *testing.T) {
	p := start(t, "--useradd-access", "session")
	password := p.temporaryPassword(t, "boris", "Authorization", "Bearer "+p.token(t, "crm"))
	b := p.browser(t)
	signedIn := b.Send(t, "/login", b.Get(t, "/login?next=/useradd/upload"), map[string]string{"login": "boris", "psw": password})
	require.Equal(t, 303, signedIn.Status, signedIn.Text("main"))
	require.Equal(t, "/account/password?next=%2Fuseradd%2Fupload", signedIn.Location())
	p.grant(t, "boris")
	for _, c := range append([]struct{ method, path string }{{http.MethodGet, "/profile"}}, forOperators...) {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			rejected := b.Do(t, c.method, c.path, "")
			require.Equal(t, 303, rejected.Status, c.path)
			require.Regexp(t, `^/account/password(\?next=|$)`, rejected.Location(), c.path)
			plain := b.Do(t, c.method, c.path, "", "Accept", "*/*")
			require.Equal(t, 403, plain.Status, c.path)
			require.Equal(t, "Change the temporary password first, at /account/password.", plain.Text("body"))
		})
	}
	form := b.Get(t, signedIn.Location())
	posted := b.Do(t, http.MethodPost, "/useradd", person("c", `"phone":"9000000001"`), "Accept", "application/problem+json")
	require.Equal(t, 403, posted.Status)
	require.Contains(t, posted.Text("body"), `"code":"password_change_required"`)
	require.Equal(t, 1, p.count(t, "users"))

	home := b.Get(t, "/?lang=ru")
	require.Equal(t, 200, home.Status)
	require.Zero(t, home.Find(`[href^="/useradd"]`).Length())
	require.Equal(t, 200, b.Get(t, home.Find("link[rel=stylesheet]").AttrOr("href", "")).Status)
	require.Equal(t, "Придумайте свой пароль", b.Get(t, "/account/password").Text("h1"))
	require.Regexp(t, `^\d+ \S+ \d{4} г\., \d\d:\d\d .*UTC`, b.Get(t, "/account/password").Text(".lead time[datetime]"), "the end of the temporary password")
	b.Get(t, "/?lang=en")
	require.Equal(t, "Choose your own password", form.Text("h1"))
	require.Zero(t, form.Find(`main a[href="/profile"]`).Length())

	rejected := b.Send(t, "/account/password", form, map[string]string{"old": password, "psw": "short"})
	require.Equal(t, 422, rejected.Status)
	require.Equal(t, "Choose your own password", rejected.Text("h1"))
	changed := b.Send(t, "/account/password", rejected, map[string]string{"old": password, "psw": goodPassword})
	require.Equal(t, 303, changed.Status, changed.Text("main"))
	require.Equal(t, "/useradd/upload", changed.Location(), "the page that was requested first")
	require.Equal(t, 200, b.Get(t, "/useradd/upload").Status)
	require.Equal(t, 200, b.Get(t, "/profile").Status)
	require.Zero(t, b.Get(t, "/profile").Find(".urgent").Length())
	require.Equal(t, 401, p.browser(t).SignIn(t, "boris", password).Status)

	again := p.browser(t)
	require.Equal(t, "/profile", again.SignIn(t, "boris", goodPassword).Location())
	b.SignOut(t)
}

func TestTemporaryPasswordLeadsToTheProfile(t *testing.T) {
	p := start(t)
	password := p.temporaryPassword(t, "boris")
	b := p.browser(t)
	require.Equal(t, "/account/password", b.SignIn(t, "boris", password).Location())
	require.Equal(t, "/account/password", b.Get(t, "/login").Location())
	b.SignOut(t)
	b.signInFirst(t, "boris", password)
	profile := b.Get(t, "/profile")
	require.Equal(t, "Your password has been changed.", profile.Text("[role=status]"))
	for _, next := range []string{"https://evil.example/", "//evil.example"} {
		got := b.Submit(t, "/account/password", map[string]string{"old": goodPassword, "psw": "another password of mine", "next": next})
		require.Equal(t, 303, got.Status, got.Text("main"))
		require.Equal(t, "/profile", got.Location())
		b.Submit(t, "/account/password", map[string]string{"old": "another password of mine", "psw": goodPassword})
	}
}

// keeping returns a browser with only the named cookies of this one.
func (b *browser) keeping(t *testing.T, names ...string) *browser {
	t.Helper()
	at, err := url.Parse(b.p.url)
	require.NoError(t, err)
	again := b.p.browser(t)
	for _, name := range names {
		require.NotEmpty(t, b.Cookie(name), name)
		again.Client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: b.Cookie(name)}})
	}
	return again
}

// A temporary password works in one browser only, repeatedly. Another browser gets an explanation.
func TestTemporaryPasswordIsUsedOnce(t *testing.T) {
	p := start(t)
	password := p.temporaryPassword(t, "boris")
	b := p.browser(t)
	form := b.Get(t, "/login")
	require.Equal(t, 401, b.Send(t, "/login", form, map[string]string{"login": "boris", "psw": "a guess at it"}).Status)
	require.Nil(t, p.usedBy(t), "a wrong guess does not use the password up")
	for range 3 { // the answers to the first clicks are lost
		clicked := b.keeping(t, "form")
		require.Equal(t, 303, clicked.Send(t, "/login", form, map[string]string{"login": "boris", "psw": password}).Status)
	}
	require.Len(t, p.usedBy(t), sha256.Size)
	require.Equal(t, 303, b.SignIn(t, "boris", password).Status)

	elsewhere := p.browser(t)
	used := elsewhere.SignIn(t, "boris", password)
	require.Equal(t, 403, used.Status)
	require.Contains(t, used.Text("[role=alert]"), "has already been used in another browser")
	require.Empty(t, elsewhere.Cookie("session"))
	require.Empty(t, elsewhere.Cookie("device"))
	problem := p.browser(t).SignIn(t, "boris", password, "Accept", "application/problem+json")
	require.Equal(t, 403, problem.Status)
	require.Contains(t, problem.Text("body"), `"code":"password_used"`)
	require.Equal(t, 401, p.browser(t).SignIn(t, "boris", password+"x").Status, "without the right password its use is not revealed")

	closed := b.keeping(t, "device") // a closed browser keeps this cookie only
	closed.signInFirst(t, "boris", password)
	require.Nil(t, p.usedBy(t))
	require.Equal(t, 303, elsewhere.SignIn(t, "boris", goodPassword).Status, "a chosen password works anywhere")
}

// The session of a temporary password ends with the password.
func TestSessionOfATemporaryPassword(t *testing.T) {
	p := start(t, "--temporary-password-lifetime", "1h", "--session-idle", "48h")
	b := p.browser(t)
	require.Equal(t, 303, b.SignIn(t, "boris", p.temporaryPassword(t, "boris")).Status)
	left := pgtest.Query[struct{ Seconds float64 }](t, p.database, "select (e - extract(epoch from now()))::float8 as seconds from sessions")
	require.Len(t, left, 1)
	require.InDelta(t, time.Hour.Seconds(), left[0].Seconds, 60)
	require.Equal(t, 200, b.Get(t, "/account/password").Status)
	p.set(t, "update users set password_date = password_date - interval '1 hour'")
	require.Equal(t, "/login?next=%2Faccount%2Fpassword", b.Get(t, "/account/password").Location())
	require.Zero(t, p.count(t, "sessions"))
}
