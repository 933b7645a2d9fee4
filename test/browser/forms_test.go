package browser_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// badValues break a rule in every field of the registration.
func badValues() fields {
	return fields{
		"lname": strings.Repeat("Ким", 30), "fname": " ", "patr": strings.Repeat("а", 100), "birthday": "2999-05-05",
		"email": "anna at example", "phone": "12", "login": "an na", "psw": "short",
	}
}

// shown is how a field that was refused, or not, meets the eye and the ear.
type shown struct {
	Error     string // what can be read beside it
	Described bool   // it points to that
	Invalid   bool
	Near      bool // that stands right below it
}

func (v *visitor) shown(name string) shown {
	v.t.Helper()
	return eval[shown](v, `name => {
		const field = document.getElementById(name), error = document.getElementById(name + "-error");
		return {
			error: error?.innerText.trim() ?? "",
			described: (field.getAttribute("aria-describedby") ?? "").split(" ").includes(name + "-error"),
			invalid: field.getAttribute("aria-invalid") === "true",
			near: error !== null && Math.abs(error.getBoundingClientRect().top - field.getBoundingClientRect().bottom) < 40,
		};
	}`, name)
}

// isRefused asserts that of the form's fields the named ones, and no others, say what is wrong with them, and that the
// first of them has the focus.
func (v *visitor) isRefused(names ...string) {
	v.t.Helper()
	all := eval[[]string](v, `() => [...document.querySelectorAll("main form .field input")].map(field => field.id)`)
	require.Subset(v.t, all, names)
	refused := map[string]bool{}
	for _, name := range names {
		refused[name] = true
	}
	for _, name := range all {
		got := v.shown(name)
		if !refused[name] {
			require.Equal(v.t, shown{}, got, name)
			continue
		}
		require.NotEmpty(v.t, got.Error, name)
		require.Equal(v.t, shown{Error: got.Error, Described: true, Invalid: true, Near: true}, got, name)
	}
	require.NotEmpty(v.t, v.text("main [role=alert]"))
	v.hasFocus(names[0])
}

// hasFocus waits until the field has the focus, which a browser gives it some time after the page is there.
func (v *visitor) hasFocus(name string) {
	v.t.Helper()
	got := eval[string](v, `name => new Promise(resolve => {
		const end = performance.now() + 2000;
		const look = () => document.activeElement.id === name || performance.now() > end ?
			resolve(document.activeElement.id) : requestAnimationFrame(look);
		look();
	})`, name)
	require.Equal(v.t, name, got, "focus")
}

func TestEveryViolationStandsBesideItsField(t *testing.T) {
	p := start(t)
	v := p.visit(t)

	t.Log("nothing is entered")
	v.open("/register")
	v.submit(http.StatusUnprocessableEntity, nil)
	v.isRefused("lname", "fname", "patr", "email", "login", "psw")

	t.Log("everything is wrong")
	bad := badValues()
	v.submit(http.StatusUnprocessableEntity, bad)
	v.isRefused("lname", "fname", "patr", "birthday", "email", "phone", "login", "psw")
	for name, entered := range bad {
		if name == "psw" {
			entered = ""
		}
		require.Equal(t, entered, v.value(name), "what was entered as %s", name)
	}

	t.Log("one field is wrong, and it is mended")
	almost := anna()
	almost["phone"] = "12"
	v.submit(http.StatusUnprocessableEntity, almost)
	v.isRefused("phone")
	v.submit(http.StatusOK, fields{"phone": "+7 912 345-67-89", "psw": goodPassword})
	require.Equal(t, "/profile", v.path())

	t.Log("somebody else has it all")
	other := p.visit(t)
	other.open("/register")
	other.submit(http.StatusUnprocessableEntity, anna())
	other.isRefused("email", "phone", "login")

	t.Log("a change of password")
	v.open("/account/password")
	v.submit(http.StatusUnprocessableEntity, nil)
	v.isRefused("old", "psw")
	v.submit(http.StatusUnprocessableEntity, fields{"old": "not this one", "psw": goodPassword + "!"})
	v.isRefused("old")
	v.submit(http.StatusUnprocessableEntity, fields{"old": goodPassword, "psw": "short"})
	v.isRefused("psw")
	for _, name := range []string{"old", "psw"} {
		require.Empty(t, v.value(name), name)
	}
}

func TestWrongCredentials(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	for _, entered := range []fields{
		{"login": "anna", "psw": goodPassword}, // nobody has registered
		{"login": "", "psw": ""},
	} {
		v.open("/login")
		v.submit(http.StatusUnauthorized, entered)
		require.NotEmpty(t, v.text("main [role=alert]"))
		require.Equal(t, entered["login"], v.value("login"))
		require.Empty(t, v.value("psw"))
	}
}

func TestPasswordCanBeShown(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	v.open("/login")
	kind := func() string { return eval[string](v, `() => document.getElementById("psw").type`) }
	const button = `button[aria-controls=psw]`
	v.fill(fields{"login": "nobody", "psw": "a secret"})
	require.Equal(t, "password", kind())
	v.do(click(button))
	require.Equal(t, "text", kind())
	require.True(t, v.has(button+"[aria-pressed=true]"))
	require.Equal(t, "a secret", v.value("psw"))
	v.do(click(button))
	require.Equal(t, "password", kind())
	require.True(t, v.has(button+"[aria-pressed=false]"))
}
