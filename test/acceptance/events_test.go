package acceptance_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

var securityEvent = regexp.MustCompile(`msg="security event" (.*) address=127\.0\.0\.1 id=[0-9a-f-]{36}`)

// securityEvents returns the logged events without address and request ID.
func (p *program) securityEvents() (all []string) {
	for _, match := range securityEvent.FindAllStringSubmatch(p.logged(), -1) {
		all = append(all, match[1])
	}
	return all
}

func TestSecurityEvents(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	_, secret, _ := command(t, "", "token", "create", "crm", "--database-url", p.database, "--data-dir", t.TempDir())
	b := p.registered(t)
	name := func() string { return regexp.MustCompile(`name=([0-9a-f]{16})`).FindStringSubmatch(p.logged())[1] }
	var seen []string
	happened := func(want ...string) {
		t.Helper()
		all := p.securityEvents()
		require.ElementsMatch(t, want, all[len(seen):])
		seen = all
	}
	happened("event=registration outcome=succeeded user=1")
	require.Equal(t, 401, p.browser(t).SignIn(t, "Anna", "a guess at it").Status)
	happened("event=sign_in outcome=failed name=" + name())
	other := p.browser(t)
	require.Equal(t, 303, other.SignIn(t, "Anna", goodPassword).Status)
	happened("event=sign_in outcome=succeeded user=1")
	require.Equal(t, 422, b.Submit(t, "/account/password", map[string]string{"old": "a guess at it", "psw": "another horse battery staple"}).Status)
	happened("event=password_change outcome=failed user=1")
	require.Equal(t, 303, b.Submit(t, "/account/password", map[string]string{"old": goodPassword, "psw": "another horse battery staple"}).Status)
	happened("event=password_change outcome=succeeded user=1")
	require.Equal(t, 403, b.Do(t, http.MethodPost, "/logout", "", "Origin", "https://evil.example").Status)
	happened("event=form outcome=forged code=cross_site")
	require.Equal(t, 403, p.post(t, "{}", "Sec-Fetch-Site", "cross-site").status)
	happened("event=form outcome=forged code=cross_site")
	require.Equal(t, 403, b.Get(t, "/useradd/upload").Status)
	happened("event=access outcome=denied code=not_operator user=1")
	require.Equal(t, 200, b.Get(t, "/useradd/export/json").Status)
	happened("event=export outcome=made user=1 file=json")
	require.Equal(t, 303, other.Send(t, "/logout", other.Get(t, "/logout"), nil).Status)
	happened() // the change of the password ended its session
	require.Equal(t, 303, b.Send(t, "/logout", b.Get(t, "/logout"), nil).Status)
	happened("event=sign_out outcome=succeeded user=1")
	require.Equal(t, 401, p.post(t, "{}").status)
	happened("event=token outcome=refused code=token_required")
	require.Equal(t, 401, p.post(t, "{}", "Authorization", "Bearer rollcall_x").status)
	happened("event=token outcome=refused code=token_invalid")
	require.Equal(t, 400, p.post(t, "{}", "Authorization", "Bearer "+strings.TrimSpace(secret)).status)
	happened("event=token outcome=used token=1")
	for range 10 {
		p.browser(t).SignIn(t, "boris", "a guess at it")
	}
	seen = p.securityEvents()
	require.Equal(t, 429, p.browser(t).SignIn(t, "boris", "a guess at it").Status)
	limited := p.securityEvents()[len(seen):]
	require.Len(t, limited, 2)
	require.Regexp(t, "^event=sign_in outcome=limited name=[0-9a-f]{16}$", limited[0])
	require.Equal(t, "event=limit outcome=reached code=attempts", limited[1])
	for _, personal := range []string{"Anna", "anna", "boris", "a guess", secret} {
		require.NotContains(t, p.logged(), personal)
	}
}

// A flood of events does not fill the disk or hide other events, and the log has its size.
func TestSecurityEventsUnderFlood(t *testing.T) {
	p := start(t, "--useradd-access", "token")
	const flood = 200
	began := time.Now()
	for range flood {
		require.Equal(t, 401, p.post(t, "{}").status)
	}
	took := int(time.Since(began)/time.Second) + 2
	require.Equal(t, 403, p.post(t, "{}", "Sec-Fetch-Site", "cross-site").status)
	events := p.securityEvents()
	require.LessOrEqual(t, len(events), 20*took+1)
	require.Less(t, len(events), flood)
	require.Equal(t, "event=form outcome=forged code=cross_site", events[len(events)-1])
	require.Eventually(t, func() bool {
		return strings.Contains(p.logged(), `msg="security events left out" event=token outcome=refused left_out=`)
	}, patience, 10*time.Millisecond)
}

// Changes of roles by command are logged where the command runs.
func TestRoleChangesAreLogged(t *testing.T) {
	p := start(t)
	p.registered(t)
	dir := t.TempDir()
	status, _, stderr := command(t, "", "user", "grant", "Anna", "operator", "--database-url", p.database, "--data-dir", dir)
	require.Zero(t, status)
	require.Contains(t, stderr, `msg="security event" event=role outcome=granted role=operator`)
	require.NotContains(t, stderr, "Anna")
	require.Len(t, pgtest.Query[struct{ Role string }](t, p.database, "select role from roles"), 1)
}
