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

// attack is a page of another site that posts to /useradd in every way that a browser has for it.
const attack = `<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">
<form method="post" enctype="text/plain" action="TARGET/useradd"><input name="HEAD" value="TAIL"><button>Win!</button></form>
<iframe sandbox="allow-scripts" srcdoc="<script>fetch('TARGET/useradd', {method: 'POST', mode: 'no-cors', body: 'HEAD=TAIL'})</script>"></iframe>
<script>
const body = document.querySelector("input").name + "=" + document.querySelector("input").value;
fetch("TARGET/useradd", {method: "POST", mode: "no-cors", body});
fetch("TARGET/useradd", {method: "POST", mode: "no-cors", body: new URLSearchParams([[body, ""]])});
navigator.sendBeacon("TARGET/useradd", body);
</script>`

// The form and the scripts send JSON with an equals sign where it does no harm.
const (
	attackHead = `{"last_name":"Ким","first_name":"Анна","patronymic":"Петровна","login":"anna","email":"anna@example.com","x":"`
	attackTail = `"}`
)

// imports is how many the program has on record.
func (p *program) imports(t *testing.T) int {
	t.Helper()
	return pgtest.Query[struct{ N int }](t, p.database, "select count(*)::int as n from codes")[0].N
}

// attacker brings a visitor to the pages of an attack.
func attacker(t *testing.T, server string) *visitor {
	t.Helper()
	v := visit(t, server, look{})
	v.mu.Lock()
	defer v.mu.Unlock()
	v.isOff = true
	t.Cleanup(func() { v.expected = nil }) // and nothing is seen
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
		v.sees("every way is tried", func() bool { return strings.Count(p.logged(), "path=/useradd status=") == rejected })
	}
	require.Equal(t, rejected, strings.Count(p.logged(), "path=/useradd status=403"))
	require.Zero(t, p.imports(t))

	response, err := http.Post(p.url+"/useradd", "text/plain", strings.NewReader(attackHead+"="+attackTail))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode, "what the attack sends is a person")
}

// To the browser a page of a site whose name leads here by now is same-origin.
func TestRebindingLeadsNowhere(t *testing.T) {
	p := start(t)
	v := attacker(t, strings.Replace(p.url, "127.0.0.1", "rebound.test", 1))
	v.do(call(page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})) // the site's own page has no policy
	v.load(http.StatusMisdirectedRequest, v.to("/"))
	statuses := eval[[]int](v, `async body => Promise.all([
		fetch("/profile"), fetch("/useradd/export/json"), fetch("/openapi.yaml"), fetch("/useradd", {method: "POST", body}), fetch("/login", {method: "POST", body}),
	].map(async answer => (await answer).status))`, attackHead+attackTail)
	for _, status := range statuses {
		require.Equal(t, http.StatusMisdirectedRequest, status)
	}
	require.Zero(t, p.imports(t))
}
