package browser_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const ownPassword = "другой корабль на рейде"

func TestAccountLife(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	v.register(anna())
	require.NotEmpty(t, v.text("main [role=status]"))
	profile := v.text("main")
	for _, own := range []string{"Ким", "Анна", "Петровна", "5 May 1990", "anna@example.com", "+79123456789"} {
		require.Contains(t, profile, own)
	}

	v.signOut()
	require.Equal(t, "/login", v.path())
	require.NotEmpty(t, v.text("main [role=status]"))
	v.signIn("anna@example.com", goodPassword)
	require.Equal(t, "/profile", v.path())

	elsewhere := p.visit(t)
	elsewhere.open("/profile#report")
	require.Equal(t, "/login?next=%2Fprofile", elsewhere.address())
	elsewhere.signIn("+7 912 345 67 89", goodPassword)
	require.Equal(t, "/profile#report", eval[string](elsewhere, `() => location.pathname + location.hash`))

	v.load(http.StatusOK, click(`main a[href="/account/password"]`))
	v.submit(http.StatusOK, fields{"old": goodPassword, "psw": ownPassword})
	require.Equal(t, "/profile", v.path(), "a change of password keeps the session")
	require.NotEmpty(t, v.text("main [role=status]"))

	elsewhere.load(http.StatusOK, chromedp.Reload())
	require.Equal(t, "/login?next=%2Fprofile", elsewhere.address(), "other sessions end")
	elsewhere.submit(http.StatusUnauthorized, fields{"login": "anna", "psw": goodPassword})
	elsewhere.signIn("anna", ownPassword)
	require.Equal(t, "/profile", elsewhere.path())
}

// Browsers keep pages for the way back, even those with Cache-Control: no-store.
func TestNoWayBackToTheProfileAfterSignOut(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	v.register(anna())
	v.signOut()
	v.signIn("anna", goodPassword)
	v.signOut()
	eval[bool](v, `() => { history.back(); return true }`)
	v.arrives("/login?next=%2Fprofile")
	require.NotContains(t, v.text("main"), "Анна")
}

// mayChange allows users to keep their temporary passwords.
const mayChange = "--temporary-passwords=may-change"

func TestTemporaryPasswordMustBeChanged(t *testing.T) {
	p := start(t)
	made := p.useradd(t, "lebedeva")
	v := p.visit(t)
	v.open("/useradd/imports/1")
	v.signIn(made.Login, made.Password)
	require.Equal(t, "/account/password", v.path())
	v.open("/profile")
	require.Equal(t, "/account/password", v.path(), "no page is reachable before the change")
	v.open("/useradd/imports/1")
	v.submit(http.StatusUnprocessableEntity, fields{"old": made.Password, "psw": "short"})
	v.submit(http.StatusOK, fields{"old": made.Password, "psw": ownPassword})
	require.Equal(t, "/useradd/imports/1", v.path(), "the page that was requested first")
	v.open("/profile")
	require.Equal(t, "/profile", v.path())

	elsewhere := p.visit(t)
	again := p.useradd(t, "orlova")
	v.signOut()
	v.signIn(again.Login, again.Password)
	elsewhere.open("/login")
	elsewhere.submit(http.StatusForbidden, fields{"login": again.Login, "psw": again.Password})
	require.Contains(t, elsewhere.text("main [role=alert]"), "already been used")
}

func TestTemporaryPasswordMayBeChanged(t *testing.T) {
	p := start(t, mayChange)
	made := p.useradd(t, "lebedeva")
	v := p.visit(t)
	v.open("/login")
	v.signIn(made.Login, made.Password)

	const prompt = `main section[aria-labelledby=own-password]`
	require.True(t, v.has(prompt), v.text("main"))
	v.load(http.StatusOK, click(prompt+` a[href="/account/password"]`))
	v.submit(http.StatusOK, fields{"old": made.Password, "psw": ownPassword})
	require.Equal(t, "/profile", v.path())
	require.False(t, v.has(prompt), v.text("main"))

	v.signOut()
	v.signIn(made.Login, ownPassword)
	require.Equal(t, "/profile", v.path())
	require.False(t, v.has(prompt), v.text("main"))
}

// followFromElsewhere follows a link on a page of another site.
func (v *visitor) followFromElsewhere(to string) {
	v.t.Helper()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,"><a href="%s">Look!</a>`, html.EscapeString(to))
	}))
	v.t.Cleanup(elsewhere.Close)
	at, err := url.Parse(elsewhere.URL)
	require.NoError(v.t, err)
	at.Host = "localhost:" + at.Port() // to a browser, localhost is another site than 127.0.0.1
	v.mu.Lock()
	v.hosts = append(v.hosts, at.Host)
	v.mu.Unlock()
	v.load(http.StatusOK, call(page.Navigate, page.NavigateParams{URL: at.String()}))
	v.load(http.StatusOK, click("a"))
}

func TestLinkDoesNotSignOut(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	v.register(anna())
	v.followFromElsewhere(p.url + "/logout")
	require.Equal(t, "/logout", v.path())
	v.open("/profile")
	require.Equal(t, "/profile", v.path())
	v.open("/logout") // as from a bookmark
	v.load(http.StatusOK, click(`main a[href="/profile"]`))
	require.Equal(t, "/profile", v.path())
	v.followFromElsewhere(p.url + "/logout")
	v.load(http.StatusOK, click(`main form[action="/logout"] button`))
	require.Equal(t, "/login", v.path())
	v.open("/profile")
	require.Equal(t, "/login", v.path())
}

func TestWithoutScripts(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	v.disableScripts()
	v.open("/register")
	require.False(t, v.has(".reveal"), "scripts are disabled")
	require.Equal(t, "English Русский", v.text(".languages"), "the links for browsers with scripts do not show")
	v.fill(fields{"lname": "Ким", "psw": goodPassword})
	v.load(http.StatusOK, click(".languages button[lang=ru]"))
	require.Equal(t, "Регистрация", v.text("h1"))
	require.Equal(t, "Ким", v.value("lname"), "the language switch keeps what was typed")
	require.Equal(t, "Сервер не возвращает пароли. Введите пароль ещё раз.", v.text("#psw-retype"))
	v.load(http.StatusOK, click(".languages button[lang=en]"))
	v.submit(http.StatusUnprocessableEntity, fields{"lname": "Ким"})
	v.submit(http.StatusOK, anna())
	require.Equal(t, "/profile", v.path())
	v.signOut()
	v.signIn("anna", goodPassword)
	require.Equal(t, "/profile", v.path())
	v.load(http.StatusOK, click(`main form[action="/logout"] button`))
	require.Equal(t, "/login", v.path())
	v.open("/profile")
	require.Equal(t, "/login", v.path())
}
