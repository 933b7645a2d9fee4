package acceptance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/user"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/bootstrap"
	"rollcall/test/pgtest"
)

// audit runs 'rollcall audit' with the program's database.
func (p *program) audit(t *testing.T, flags ...string) []string {
	t.Helper()
	status, stdout, stderr := command(t, "", append([]string{"audit", "--data-dir", t.TempDir(), "--database-url", p.database}, flags...)...)
	require.Zero(t, status, stderr)
	return strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
}

// An audited entry is the part of an entry that is the same in each run.
type audited struct {
	Actor, Action string
	User          int64
	Import        int64
	From          bool // an address and a request
	Before, After string
}

// audited returns the entries, without those of starts of the server.
func (p *program) audited(t *testing.T, flags ...string) (all []audited) {
	t.Helper()
	for _, line := range p.audit(t, append([]string{"--json"}, flags...)...) {
		var entry struct {
			Time  time.Time
			Actor struct {
				Kind, Login, Name string
				ID                int64
			}
			Action           string
			User             struct{ ID int64 }
			Import           int64
			Address, Request string
			Before, After    json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		require.WithinDuration(t, time.Now(), entry.Time, time.Minute)
		require.Equal(t, entry.Address != "", entry.Request != "")
		if entry.Action == "server.started" {
			continue
		}
		actor := strings.TrimSpace(entry.Actor.Kind + " " + entry.Actor.Login + entry.Actor.Name)
		all = append(all, audited{actor, entry.Action, entry.User.ID, entry.Import, entry.Address == "127.0.0.1", string(entry.Before), string(entry.After)})
	}
	return all
}

func TestAuditHasEveryAction(t *testing.T) {
	p := start(t, "--useradd-access", "token", "--keep-answers", "24h", "--trusted-proxy", "192.0.2.0/24")
	account, err := user.Current()
	require.NoError(t, err)
	cli := "command " + account.Username
	secret := p.token(t, "crm", "--expires", "never")
	b := p.registered(t)
	require.Equal(t, 401, p.browser(t).SignIn(t, "Anna", "a guess at it").Status)
	require.Equal(t, 401, p.browser(t).SignIn(t, "nobody", "a guess at it").Status)
	require.Equal(t, 422, b.Submit(t, "/account/password", map[string]string{"old": "a guess at it", "psw": "another horse battery staple"}).Status)
	require.Equal(t, 303, b.Submit(t, "/account/password", map[string]string{"old": goodPassword, "psw": "another horse battery staple"}).Status)
	require.Equal(t, 303, p.browser(t).SignIn(t, "anna", "another horse battery staple").Status)
	status, _, _ := p.user(t, "grant", "anna", "operator")
	require.Zero(t, status)
	status, _, _ = p.user(t, "revoke", "anna", "operator")
	require.Equal(t, 1, status, "the last operator")
	people := `[{"last_name":"Ким","first_name":"Вера","patronymic":"Ивановна","login":"vera","email":"vera@example.com"},{"login":"x"}]`
	require.Equal(t, 200, p.post(t, people, "Authorization", "Bearer "+secret).status)
	require.Equal(t, 400, p.post(t, people, "Authorization", "Bearer "+secret).status)
	require.Equal(t, 400, p.post(t, "{", "Authorization", "Bearer "+secret).status)
	require.Equal(t, 401, p.post(t, people).status, "leaves no entry")
	require.Equal(t, 200, b.Get(t, "/useradd/export/csv").Status)
	require.Equal(t, 200, b.Get(t, "/useradd/export/rejected.json?import=1").Status)
	p.revoke(t, "crm")
	operator := `{"role":"operator"}`
	require.Equal(t, []audited{
		{cli, "token.created", 0, 0, false, "", `{"name":"crm","scopes":["useradd"],"token":1}`},
		{"visitor", "registration.succeeded", 1, 0, true, "", ""},
		{"user Anna", "sign_in.succeeded", 1, 0, true, "", ""},
		{"visitor", "sign_in.failed", 1, 0, true, "", ""},
		{"visitor", "sign_in.failed", 0, 0, true, "", ""},
		{"user Anna", "password_change.failed", 1, 0, true, "", ""},
		{"user Anna", "password_change.succeeded", 1, 0, true, "", ""},
		{"user Anna", "sign_in.succeeded", 1, 0, true, "", ""},
		{cli, "role.granted", 1, 0, false, "", operator},
		{"token crm", "import.succeeded", 0, 1, true, "", `{"records":2,"registered":1,"rejected":1,"status":200}`},
		{"token crm", "import.failed", 0, 2, true, "", `{"records":2,"registered":0,"rejected":2,"status":400}`},
		{"token crm", "import.failed", 0, 3, true, "", `{"status":400}`},
		{"user Anna", "export.made", 0, 0, true, "", `{"file":"csv-codes"}`},
		{"user Anna", "export.made", 0, 1, true, "", `{"file":"rejected.json"}`},
		{cli, "token.revoked", 0, 0, false, "", `{"name":"crm","token":1}`},
	}, p.audited(t))

	started := p.audit(t, "--action", "server")
	require.Len(t, started, 1)
	require.Contains(t, started[0], "command ("+account.Username+")\tserver.started\t-\t-\tafter={")
	require.Contains(t, started[0], `"useradd-access":"token"`)
	require.Contains(t, started[0], `"trusted-proxy":"[192.0.2.0/24]"`)
	for _, name := range []string{"database-url", "secret", "keep-answers", "max-body", "default-region", "time-zone"} {
		require.NotContains(t, started[0], name, "a secret, or the default")
	}
	for _, entry := range pgtest.Query[struct{ Entry string }](t, p.database, "select audit::text as entry from audit") {
		for _, name := range []string{"Anna", "anna", "vera", "nobody", goodPassword, secret} {
			require.NotContains(t, entry.Entry, name)
		}
	}
}

func TestAuditCommandSelectsEntries(t *testing.T) {
	p := start(t)
	p.registered(t)
	p.post(t, "{")
	status, _, _ := p.user(t, "grant", "anna", "operator")
	require.Zero(t, status)
	for _, c := range []struct {
		flags   string
		actions []string
	}{
		{"--person anna", []string{"registration.succeeded", "sign_in.succeeded", "role.granted"}},
		{"--person 1", []string{"registration.succeeded", "sign_in.succeeded", "role.granted"}},
		{"--person 99", nil},
		{"--person ANNA --action role", []string{"role.granted"}},
		{"--action import.failed", []string{"import.failed"}},
		{"--actor command --person 1", []string{"role.granted"}},
		{"--actor visitor", []string{"registration.succeeded", "import.failed"}},
		{"--actor anna", []string{"sign_in.succeeded"}},
		{"--since 1h --action role", []string{"role.granted"}},
		{"--since 2100-01-01", nil},
		{"--since 2100-01-01T12:00:00Z", nil},
	} {
		t.Run(c.flags, func(t *testing.T) {
			_, stdout, _ := command(t, "", append([]string{"audit", "--data-dir", t.TempDir(), "--database-url", p.database}, strings.Fields(c.flags)...)...)
			var got []string
			for line := range strings.Lines(stdout) {
				got = append(got, strings.Split(line, "\t")[2])
			}
			require.Equal(t, c.actions, got)
		})
	}
	for flags, message := range map[string]string{
		"--person boris": `invalid --person "boris": no user has this login; use the id of a deleted user`,
		"--actor boris":  `invalid --actor "boris"`,
		"--action sign":  `invalid --action "sign": expected one of sign_in.succeeded, `,
		"--since soon":   `invalid --since "soon": expected a date`,
	} {
		t.Run(flags, func(t *testing.T) {
			status, _, stderr := command(t, "", append([]string{"audit", "--data-dir", t.TempDir(), "--database-url", p.database}, strings.Fields(flags)...)...)
			require.Equal(t, 2, status)
			require.Contains(t, stderr, message)
		})
	}
}

func TestAuditCommandFollows(t *testing.T) {
	p := start(t)
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- bootstrap.Run(ctx, []string{"audit", "--follow", "--action", "registration", "--data-dir", t.TempDir(), "--database-url", p.database},
			strings.NewReader(""), writer, io.Discard)
	}()
	lines := bufio.NewReader(reader)
	for n := range 2 {
		page := p.browser(t).Submit(t, "/register", map[string]string{
			"lname": "Ким", "fname": "Анна", "patr": "Петровна", "email": fmt.Sprintf("a%d@example.com", n), "login": fmt.Sprintf("anna%d", n), "psw": goodPassword,
		})
		require.Equal(t, 303, page.Status)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, fmt.Sprintf("registration.succeeded\tuser:%d (anna%d)\t127.0.0.1\t", n+1, n))
	}
	stop()
	require.Zero(t, <-ended)
}

// An upload is imported in the background. Its entry has the user, and the request that started it.
func TestAuditOfUpload(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	b.follow(t, p.setupLink(t))
	require.Equal(t, 303, b.Submit(t, "/register", anna()).Status)
	address := b.upload(t, "people.json", annaBorisAndSeven())
	page := b.waitFor(t, address, headed(isChecked))
	started := b.Send(t, address+"/start", page, nil)
	require.Equal(t, 303, started.Status)
	b.waitFor(t, address, headed(isImported))
	require.Equal(t, 200, b.Get(t, address+"/credentials.csv").Status)
	require.Equal(t, 200, b.Get(t, address+"/slips").Status)
	all := p.audited(t)
	require.Len(t, all, 6)
	require.Equal(t, audited{"user Anna", "role.granted", 1, 0, true, "", `{"role":"operator"}`}, all[2], "by the setup link")
	require.Equal(t, []string{"user Anna", "import.succeeded"}, []string{all[3].Actor, all[3].Action})
	id := all[3].Import
	require.NotZero(t, id)
	require.Equal(t, []audited{
		{"user Anna", "export.made", 0, id, true, "", `{"file":"credentials.csv"}`},
		{"user Anna", "export.made", 0, id, true, "", `{"file":"slips"}`},
	}, all[4:])
	require.Contains(t, p.audit(t, "--action", "import")[0], "request="+started.Header.Get("X-Request-Id"))

	var answer struct{ Entries []struct{ Action string } }
	require.NoError(t, json.Unmarshal([]byte(b.Get(t, "/audit", "Accept", "application/json").HTML), &answer))
	require.Len(t, answer.Entries, 7, "and the start of the server")
	require.Equal(t, "export.made", answer.Entries[0].Action)
	require.Equal(t, 7, b.Get(t, "/audit").Find(".audit tbody tr").Length())
	require.Equal(t, 200, b.Get(t, "/audit/export/csv?person=anna").Status)
	require.JSONEq(t, `{"file":"audit.csv"}`, p.audited(t)[6].After)
}

// Imports that share a transaction have entries of their own.
func TestAuditOfConcurrentImports(t *testing.T) {
	p := start(t)
	const imports = 60
	var all sync.WaitGroup
	for n := range imports {
		all.Go(func() { p.post(t, person(fmt.Sprintf("user%d", n%50), fmt.Sprintf(`"email":"u%d@example.com"`, n))) })
	}
	all.Wait()
	rows := pgtest.Query[struct{ Entries, Requests, Right int }](t, p.database, `
		select count(*)::int as entries, count(distinct request)::int as requests,
			count(*) filter (where c.created = (after ->> 'registered')::bigint and action = case when c.code = 200 then 'import.succeeded' else 'import.failed' end)::int as right
		from audit a join codes c on c.id = a.import_id`)
	require.Equal(t, imports, rows[0].Entries)
	require.Equal(t, imports, rows[0].Requests)
	require.Equal(t, imports, rows[0].Right)
}
