package browser_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// attack is a page of another site that posts to /useradd in every way that browsers offer.
const attack = `<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">
<form method="post" enctype="text/plain" action="TARGET/useradd"><input name="HEAD" value="TAIL"><button>Win!</button></form>
<iframe sandbox="allow-scripts" srcdoc="<script>fetch('TARGET/useradd', {method: 'POST', mode: 'no-cors', body: 'HEAD=TAIL'})</script>"></iframe>
<script>
const body = document.querySelector("input").name + "=" + document.querySelector("input").value;
fetch("TARGET/useradd", {method: "POST", mode: "no-cors", body});
fetch("TARGET/useradd", {method: "POST", mode: "no-cors", body: new URLSearchParams([[body, ""]])});
navigator.sendBeacon("TARGET/useradd", body);
</script>`

// The form and the scripts send JSON that contains an equals sign.
const (
	attackHead = `{"last_name":"Ким","first_name":"Анна","patronymic":"Петровна","login":"anna","email":"anna@example.com","x":"`
	attackTail = `"}`
)

// imports returns the number of stored imports.
func (p *program) imports(t *testing.T) int {
	t.Helper()
	return pgtest.Query[struct{ N int }](t, p.database, "select count(*)::int as n from codes")[0].N
}

// attacker returns a visitor that reports no errors.
func attacker(t *testing.T, server string) *visitor {
	t.Helper()
	v := visit(t, server, look{})
	v.mu.Lock()
	defer v.mu.Unlock()
	v.isOff = true
	t.Cleanup(func() { v.expected = nil }) // the watch sees nothing
	return v
}

func TestOtherSitesCannotPost(t *testing.T) {
	p := start(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		replace := strings.NewReplacer("TARGET", p.url, "HEAD", html.EscapeString(attackHead), "TAIL", html.EscapeString(attackTail))
		fmt.Fprint(w, replace.Replace(attack))
	}))
	t.Cleanup(elsewhere.Close)
	at, err := url.Parse(elsewhere.URL)
	require.NoError(t, err)
	rejected := 0
	for _, name := range []string{"evil.localhost", "localhost", "127.0.0.1", "evil.test"} {
		v := attacker(t, "http://"+name+":"+at.Port())
		v.load(http.StatusOK, v.to("/"))
		const ways = 5
		rejected += ways
		v.load(http.StatusForbidden, click("button"))
		require.Contains(t, v.text("body"), "The request did not come from a page of this server.")
		v.sees("every request", func() bool { return strings.Count(p.logged(), "path=/useradd status=") == rejected })
	}
	require.Equal(t, rejected, strings.Count(p.logged(), "path=/useradd status=403"))
	require.Zero(t, p.imports(t))

	response, err := http.Post(p.url+"/useradd", "text/plain", strings.NewReader(attackHead+"="+attackTail))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode, "the attack sends a valid person")
}

// To the browser, a page of a site whose name now resolves to this server is same-origin.
func TestDNSRebinding(t *testing.T) {
	p := start(t)
	v := attacker(t, strings.Replace(p.url, "127.0.0.1", "rebound.test", 1))
	v.do(call(page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})) // the page of the other site has no policy
	v.load(http.StatusMisdirectedRequest, v.to("/"))
	statuses := eval[[]int](v, `async body => Promise.all([
		fetch("/profile"), fetch("/useradd/export/json"), fetch("/openapi.yaml"), fetch("/useradd", {method: "POST", body}), fetch("/login", {method: "POST", body}),
	].map(async answer => (await answer).status))`, attackHead+attackTail)
	for _, status := range statuses {
		require.Equal(t, http.StatusMisdirectedRequest, status)
	}
	require.Zero(t, p.imports(t))
}
