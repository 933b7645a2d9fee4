package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// hold runs a statement that locks what another statement needs, so that the other one waits. The returned function ends the lock.
func (p *program) hold(t *testing.T, statement string) (release func()) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), statement)
	require.NoError(t, err)
	return func() { require.NoError(t, db.Close(t.Context())) }
}

// holdImports makes imports and dry runs wait, because they cannot get their id.
func (p *program) holdImports(t *testing.T) (release func()) {
	t.Helper()
	return p.hold(t, "alter sequence codes_id_seq cache 1")
}

// key tabs to an element whose HTML has a text, and types keys there.
func (v *visitor) key(text, keys string) {
	v.t.Helper()
	v.rememberLooks()
	v.tabTo(text, func(at stop) bool { return strings.Contains(at.What, text) })
	v.do(chromedp.KeyEvent(keys))
}

// enter tabs to an element whose HTML has a text, and opens the page to which it leads.
func (v *visitor) enter(text string) {
	v.t.Helper()
	v.key(text, "")
	v.load(http.StatusOK, chromedp.KeyEvent(kb.Enter))
}

// An operator changes people with the keyboard alone: all that were found, then those who are ticked.
func TestManyPeopleAreChanged(t *testing.T) {
	p := start(t)
	v := visit(t, p.url, look{phone: true, dark: true})
	p.registerOperator(v, anna())
	people := make([]object, 12)
	for i := range people {
		people[i] = person(fmt.Sprintf("person%02d", i), object{"group": []string{"7А", "7Б"}[i%2]})
	}
	require.Equal(t, http.StatusOK, p.importAll(t, people...))
	check := func(state string) {
		t.Helper()
		v.isAccessible(state)
		v.fits(state)
	}

	v.enter(`href="/users"`)
	v.key(`id="q"`, "person")
	v.load(http.StatusOK, chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "Found: 12", v.text(".found [role=status]"))
	require.Equal(t, 12, strings.Count(v.download(`a[href^="/users/export/csv"]`).body, "\n")-1)
	v.enter(`formaction="/users/change/password"`)
	require.Equal(t, "12 people", v.text(".lead"))
	require.Contains(t, v.text(".selected"), "person")
	check("confirmation of a change")
	v.walkThrough()
	release := p.hold(t, "select from users where login = 'person11' for update")
	v.open(v.address())
	v.enter(`class="button`)
	changed := v.address()
	require.Equal(t, "Changing accounts", v.text("h1"))
	v.hasFocus("h1")
	check("change that is running")
	v.open(changed)
	require.Equal(t, "Changing accounts", v.text("h1"))
	require.Equal(t, "New temporary passwords: 12 people", v.text(".sheet-head .lead"))
	require.True(t, v.has("progress"))
	v.walkThrough()
	v.open(changed)
	v.enter(`class="button`)
	v.patientlyHeaded("Cancelled, no one changed")
	release()
	check("cancelled change")

	v.enter(`href="/users?q=person"`)
	v.key(`id="tick-all"`, " ")
	v.key(`name="id"`, " ")
	v.enter(`formaction="/users/change/password"`)
	require.Equal(t, "11 people", v.text(".lead"))
	require.Equal(t, "and 1 other", v.text(".selected li:last-child"))
	v.enter(`class="button`)
	v.headed("Done")
	v.hasFocus("h1")
	require.Equal(t, "Selected 11 Changed 11 Left out 0", v.text(".tally"))
	check("changed people")
	v.walkThrough()
	done := v.address()
	credentials, results := v.download(`a[href$="credentials.csv"]`), v.download(`a[href$="results.csv"]`)
	require.Contains(t, credentials.body, `"person11"`)
	require.NotContains(t, credentials.body, `"person00"`)
	require.Equal(t, 11, strings.Count(results.body, "New temporary password"))
	v.enter(`/slips"`)
	require.Len(t, v.texts("section"), 11)
	require.Equal(t, []string{"7А", "7Б"}, v.texts("nav a"))
	check("slips of groups")
	v.open(done)
	v.enter(`href="/audit"`)
	require.Equal(t, "Changed many accounts New temporary passwords Selected: 11, changed: 11 The people were ticked in the list",
		v.text(".audit .what:has(span ~ span)"))

	v.run("one person", func(t *testing.T) {
		v.load(http.StatusOK, click(`.audit a[href^="/users/"]`))
		page := v.address()
		v.load(http.StatusOK, click(`a[href$="/edit"]`))
		v.submit(http.StatusUnprocessableEntity, fields{"lname": "7"})
		v.isRejected("lname")
		v.submit(http.StatusOK, fields{"lname": "Ёлкина"})
		require.Contains(t, v.text("h1"), "Ёлкина")
		v.load(http.StatusOK, click(`a[href$="/password"]`))
		v.submit(http.StatusOK, nil)
		password := v.text("code")
		v.submit(http.StatusOK, nil)
		require.Equal(t, password, v.text("section .password"))
		v.load(http.StatusOK, click("header a"))
		for _, c := range []struct{ action, shown string }{
			{"require-change", "the person must choose a new password"}, {"suspend", "Suspended"}, {"restore", "Never signed in"}, {"delete", "People"},
		} {
			if c.action == "suspend" || c.action == "delete" {
				v.load(http.StatusOK, click(`.submit a[href$="/`+c.action+`"]`))
			}
			v.load(http.StatusOK, click(`form[action="`+page+"/"+c.action+`"] button`))
			require.Contains(t, v.text("main"), c.shown)
		}
		v.load(http.StatusNotFound, v.to(page))
	})
	for _, c := range []struct{ action, name, result string }{
		{"group", "Group set", "group=9"},
		{"require-change", "Must choose a new password", ""},
		{"suspend", "Suspended", "status=suspended"},
		{"restore", "Restored", "status=never_signed_in"},
		{"delete", "Deleted", ""},
	} {
		v.run(c.action, func(t *testing.T) {
			v.open("/users?q=person")
			v.do(click(".changes summary"))
			v.load(http.StatusOK, click(`[formaction$="/`+c.action+`"]`))
			if c.action == "group" {
				v.fill(fields{"new_group": "9"})
			}
			v.load(http.StatusOK, click(".submit button"))
			v.open(v.address()) // the script of the page would ask a second later
			v.patientlyHeaded("Done")
			require.Equal(t, "Selected 11 Changed 11 Left out 0", v.text(".tally"))
			require.Equal(t, 11, strings.Count(v.download(`a[href$="results.csv"]`).body, c.name))
			if c.result != "" {
				v.open("/users?q=person&" + c.result)
				require.Len(t, v.texts(".people tbody tr"), 11)
			}
		})
	}
	v.open("/users?q=person")
	require.Contains(t, v.text(".nothing"), "No one matches.")
}
