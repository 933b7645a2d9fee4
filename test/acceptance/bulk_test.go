package acceptance_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
	"rollcall/test/visitor"
)

// Everyone of an import who never signed in gets a new slip. The passwords and sessions of the others stay.
func TestNewSlipsForThoseWhoNeverSignedIn(t *testing.T) {
	const people, signedIn = 100, 2
	p := start(t, "--useradd-access", "token")
	operator := p.operator(t)
	records := make([]string, people)
	for n := range records {
		records[n] = fmt.Sprintf(`{"last_name":"Ли","first_name":"Яна","patronymic":"Петровна","login":"user%d","phone":"9%09d","group":"%dА"}`, n, n, n%11+1)
	}
	got := p.post(t, "["+strings.Join(records, ",")+"]", "Authorization", "Bearer "+p.token(t, "school"))
	require.Equal(t, 200, got.status)
	var old []struct{ Login, Password string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &old))
	var sessions []*browser
	for _, credential := range old[:signedIn] {
		b := p.browser(t)
		b.signInFirst(t, credential.Login, credential.Password)
		sessions = append(sessions, b)
	}
	p.set(t, fmt.Sprintf("update users set password_used_by = 'x' where id between %d and %d", signedIn+2, people/2+1)) // as if they had signed in, too
	p.set(t, fmt.Sprintf("update directory set standing = 2 where user_id between %d and %d", signedIn+2, people/2+1))

	const address = "/users/change/password?import=1&status=never_signed_in"
	confirm := operator.Get(t, address)
	require.Equal(t, "50 people", confirm.Text(".lead"))
	started := operator.Send(t, confirm.Find("form[method=post][action^='/users/change/']").AttrOr("action", ""), confirm, nil)
	require.Equal(t, 303, started.Status, started.Text("main"))
	done := operator.waitFor(t, started.Location(), func(page *visitor.Page) bool { return page.Find("[data-watch]").Length() == 0 })
	require.Equal(t, "Done", done.Text("h1"), done.Text("main"))
	sheet, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(operator.Get(t, started.Location()+"/credentials.csv").HTML, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, sheet, people/2+1)
	fresh := map[string]string{}
	for _, row := range sheet[1:] {
		fresh[row[3]] = row[4]
	}
	require.Equal(t, people/2, operator.Get(t, started.Location()+"/slips?part=all").Find(".row h3").Length())

	for _, credential := range []struct{ Login, Password string }{old[people/2], old[people-1]} {
		require.NotEqual(t, credential.Password, fresh[credential.Login])
		require.Equal(t, 401, p.browser(t).SignIn(t, credential.Login, credential.Password).Status, "the old password works no more")
		p.browser(t).signInFirst(t, credential.Login, fresh[credential.Login])
	}
	for i, b := range sessions {
		require.True(t, b.IsSignedIn(t), "%d", i)
	}
	require.True(t, operator.IsSignedIn(t))
	require.Equal(t, "48 people", operator.Get(t, address).Text(".lead"), "two have signed in")
	entries := pgtest.Query[struct {
		Action string
		Count  int64
	}](t, p.database, "select action, count(*) from audit where action in ('account.password_replaced', 'bulk_change.made') group by 1 order by 1")
	require.EqualValues(t, people/2, entries[0].Count)
	require.EqualValues(t, 1, entries[1].Count)
	require.Contains(t, operator.Get(t, "/audit?action=bulk_change").Text("main"), "Changed many accounts")
	after := pgtest.Query[struct{ After string }](t, p.database, "select after::text from audit where action = 'bulk_change.made'")
	require.JSONEq(t, `{"action":"password","changed":50,"import":1,"selected":50,"status":"never_signed_in"}`, after[0].After)
}
