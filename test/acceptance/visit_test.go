package acceptance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
	"rollcall/test/visitor"
)

// A browser requests pages of a program.
type browser struct {
	*visitor.Browser

	p *program
}

func (p *program) browser(t *testing.T, headers ...string) *browser {
	t.Helper()
	b := visitor.New(t, p.url, headers...)
	b.Client.Transport = p.transport
	return &browser{b, p}
}

const goodPassword = "корабль на рейде"

func anna() map[string]string {
	return map[string]string{
		"lname": "Ким", "fname": "Анна", "patr": "Петровна", "birthday": "1990-02-28", "email": "Anna@example.com",
		"phone": "8 (912) 345-67-89", "login": "Anna", "psw": goodPassword,
	}
}

func with(fields map[string]string, pairs ...string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	return fields
}

// registered registers Anna, and returns her browser.
func (p *program) registered(t *testing.T) *browser {
	t.Helper()
	b := p.browser(t)
	got := b.Submit(t, "/register", anna())
	require.Equal(t, 303, got.Status, got.Text("main"))
	return b
}

// operator registers Anna as an operator, and returns her browser.
func (p *program) operator(t *testing.T) *browser {
	t.Helper()
	b := p.registered(t)
	p.grant(t, "anna")
	return b
}

// grant gives a user the operator role.
func (p *program) grant(t *testing.T, login string) {
	t.Helper()
	p.set(t, "insert into roles select id, 'operator' from users where login_key = '"+login+"'")
}

// signInFirst signs in with a temporary password and changes it.
func (b *browser) signInFirst(t *testing.T, login, temporary string) {
	t.Helper()
	got := b.SignIn(t, login, temporary)
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Equal(t, "/account/password", got.Location())
	got = b.Submit(t, "/account/password", map[string]string{"old": temporary, "psw": goodPassword})
	require.Equal(t, 303, got.Status, got.Text("main"))
}

// set executes a statement in the database.
func (p *program) set(t *testing.T, statement string) {
	t.Helper()
	pgtest.Query[struct{ N int }](t, p.database, "with done as ("+statement+" returning 1) select count(*)::int as n from done")
}
