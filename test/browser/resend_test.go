package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// line sets the conditions of the visitor's network: the latency of a request in milliseconds, and whether there is no network.
func (v *visitor) line(latency float64, offline bool) {
	v.t.Helper()
	const throughput = 50 << 10
	v.do(call(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
		{Latency: latency, Offline: offline, DownloadThroughput: throughput, UploadThroughput: throughput},
	}}))
}

// submitThrice fills in the form of a page, clicks its button three times, and waits for the next page.
func (v *visitor) submitThrice(next string, values fields) {
	v.t.Helper()
	v.fill(values)
	eval[bool](v, `() => {
		const button = document.querySelector("main form .submit button[type=submit]");
		for (let i = 0; i < 3; i++) button.click();
		return true;
	}`)
	v.arrives(next)
	v.do(chromedp.WaitVisible(chromedp.CSS("footer")))
}

// On a slow line, users click more than once.
func TestFormsSentThreeTimes(t *testing.T) {
	for _, hasScripts := range []bool{true, false} {
		t.Run(fmt.Sprint("scripts ", hasScripts), func(t *testing.T) {
			p := start(t)
			v := attacker(t, p.url) // the browser reports the requests that it breaks off
			if !hasScripts {
				v.disableScripts()
			}
			v.line(400, false)
			v.open("/register")
			v.submitThrice("/profile", anna())
			require.NotEmpty(t, v.text("main [role=status]"))
			require.Equal(t, 1, pgtest.Query[struct{ N int }](t, p.database, "select count(*)::int as n from users")[0].N)
			v.open("/account/password")
			v.submitThrice("/profile", fields{"old": goodPassword, "psw": ownPassword})
			v.load(http.StatusOK, click(`header form[action="/logout"] button`))
			v.open("/login?next=/help")
			v.submitThrice("/help", fields{"login": "anna", "psw": ownPassword})
			v.open("/logout")
			v.submitThrice("/login", nil)
			v.open("/profile")
			require.Equal(t, "/login", v.path())
			if hasScripts {
				for _, path := range []string{"/register", "/account/password", "/login"} {
					require.Equal(t, 1, strings.Count(p.logged(), "method=POST path="+path+" "), "the button waits")
				}
			}
		})
	}
}

// isUnsent asserts that a form has come to nothing, for a reason, and is still filled in.
func (v *visitor) isUnsent(reason string, kept fields) {
	v.t.Helper()
	v.do(chromedp.WaitVisible(chromedp.CSS(".unsent")))
	require.Contains(v.t, v.text(".unsent"), reason)
	require.Len(v.t, v.texts(".unsent"), 1)
	require.True(v.t, eval[bool](v, `() => document.activeElement.matches(".unsent") && document.title.startsWith("Error: ")`))
	require.Equal(v.t, "Send again", v.text("main form .submit button[type=submit]"))
	for name, value := range kept {
		require.Equal(v.t, value, v.value(name), name)
	}
}

// A form stays filled in, with its passwords, while the server cannot be reached or another server answers.
func TestNothingTypedIsLost(t *testing.T) {
	p := start(t)
	target, err := url.Parse(p.url)
	require.NoError(t, err)
	var broken atomic.Int64 // status that the proxy answers forms with; 0 for none
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := int(broken.Load()); status != 0 && r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			fmt.Fprint(w, "<!doctype html><title>Proxy</title><main><form id=other></form><h1>Bad gateway</h1></main>")
			return
		}
		httputil.NewSingleHostReverseProxy(target).ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	v := attacker(t, proxy.URL)
	v.open("/register")
	require.Equal(t, "English Русский", v.text(".languages"), "the buttons for browsers without scripts do not show")
	const button = "main form .submit button[type=submit]"
	v.fill(anna())
	for _, c := range []struct {
		status int
		reason string
	}{
		{403, "A server on the way blocked the request (error 403)."},
		{408, "Sending took too long (error 408)."},
		{413, "The form is too large (error 413)."},
		{429, "There were too many requests (error 429)."},
		{500, "The server is unavailable (error 500)."},
		{502, "The server is unavailable (error 502)."},
		{200, "The response didn't come from Rollcall (status 200)."},
	} {
		broken.Store(int64(c.status))
		v.do(click(button))
		v.sees(c.reason, func() bool { return strings.Contains(v.text(".unsent"), c.reason) })
		v.isUnsent(c.reason, anna())
	}
	broken.Store(0)
	v.line(0, true)
	v.do(click(button))
	v.sees("the reason", func() bool { return strings.Contains(v.text(".unsent"), "The server can't be reached.") })
	v.isUnsent("The server can't be reached. Check your connection.", anna())
	v.isAccessible("form that was not sent")

	t.Log("the language switch keeps what was typed, passwords included")
	v.line(0, false)
	v.do(click(`a[hreflang=ru]`))
	v.sees("Russian", func() bool { return v.language() == "ru" })
	require.Equal(t, "Регистрация", v.text("h1"))
	require.Equal(t, "/register", v.address())
	for name, value := range anna() {
		require.Equal(t, value, v.value(name), name)
	}
	require.True(t, v.has("button[aria-controls=psw]"), "scripts work on the page in another language")
	v.load(http.StatusOK, click(button))
	require.Equal(t, "/profile", v.path())

	t.Log("a button has nothing to keep")
	broken.Store(http.StatusBadGateway)
	v.open("/logout")
	v.do(click(button))
	v.sees("the reason alone", func() bool { return v.text(".unsent") == "Сервер недоступен (ошибка 502)." })
	broken.Store(0)

	t.Log("the session is over")
	v.open("/account/password")
	elsewhere := p.visit(t)
	elsewhere.open("/login")
	elsewhere.signIn("anna", goodPassword)
	elsewhere.open("/account/password")
	elsewhere.submit(http.StatusOK, fields{"old": goodPassword, "psw": ownPassword})
	v.fill(fields{"old": ownPassword, "psw": goodPassword})
	v.do(click(button))
	v.sees("the reason", func() bool {
		return strings.Contains(v.text(".unsent"), "Сеанс завершён. Войдите и отправьте форму ещё раз.")
	})
	require.Equal(t, "/login?next=%2Faccount%2Fpassword", eval[string](v, `() => document.querySelector(".unsent a[target=_blank]").getAttribute("href")`))
	require.Equal(t, goodPassword, v.value("psw"))
	require.Equal(t, "Отправить ещё раз", v.text(button))

	t.Log("the back button")
	busy := eval[string](v, `() => {
		const form = document.querySelector("main form");
		form.setAttribute("aria-busy", "true");
		dispatchEvent(new PageTransitionEvent("pageshow"));
		return form.getAttribute("aria-busy");
	}`)
	require.Equal(t, "false", busy, "a page that the browser has kept does not wait")

	t.Log("a filter that was not sent")
	p.useradd(t, "lebedeva")
	elsewhere.open("/profile?status=200")
	elsewhere.fill(fields{"login": "half a lo"})
	elsewhere.do(click(`a[hreflang=ru]`), chromedp.WaitVisible(chromedp.CSS("html[lang=ru] footer")))
	require.Equal(t, "/profile?status=200", elsewhere.address())
	require.Equal(t, "half a lo", elsewhere.value("login"))
}
