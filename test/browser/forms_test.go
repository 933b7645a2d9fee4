package browser_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// badValues returns values that break a rule in every field of the registration.
func badValues() fields {
	return fields{
		"lname": strings.Repeat("Ким", 40), "fname": " ", "patr": strings.Repeat("а", 101), "birthday": "2999-05-05",
		"email": "anna at example", "phone": "12", "login": "an na", "psw": "short",
	}
}

// shown describes how the page shows the error of a field.
type shown struct {
	Error     string // text of the error; empty for none
	Described bool   // aria-describedby names the error
	Invalid   bool   // aria-invalid is true
	Near      bool   // the error is right below the field
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

// isRejected asserts that the named fields, and no others, show an error, and that a summary with links to them has the focus.
func (v *visitor) isRejected(names ...string) {
	v.t.Helper()
	all := eval[[]string](v, `() => [...document.querySelectorAll("main form .field input")].map(field => field.id)`)
	require.Subset(v.t, all, names)
	invalid := map[string]bool{}
	for _, name := range names {
		invalid[name] = true
	}
	for _, name := range all {
		got := v.shown(name)
		if !invalid[name] {
			require.Equal(v.t, shown{}, got, name)
			continue
		}
		require.NotEmpty(v.t, got.Error, name)
		require.Equal(v.t, shown{Error: got.Error, Described: true, Invalid: true, Near: true}, got, name)
	}
	v.hasFocus("main [role=alert]")
	require.Contains(v.t, eval[string](v, `() => document.title`), "Error: ")
	require.Equal(v.t, "#"+strings.Join(names, " #"), eval[string](v, `() =>
		[...document.activeElement.querySelectorAll("a")].map(link => link.getAttribute("href")).join(" ")`))
	last := names[len(names)-1]
	v.do(click(`main [role=alert] a[href="#` + last + `"]`))
	v.hasFocus("#" + last)
	require.True(v.t, eval[bool](v, `name => document.querySelector("label[for=" + name + "]").getBoundingClientRect().top >= 0`, last),
		"the label is in sight")
}

// hasFocus waits until the element has the focus, which the browser sets some time after loading the page.
func (v *visitor) hasFocus(selector string) {
	v.t.Helper()
	require.True(v.t, eval[bool](v, `selector => new Promise(resolve => {
		const end = performance.now() + 2000;
		const look = () => document.activeElement.matches(selector) || performance.now() > end ?
			resolve(document.activeElement.matches(selector)) : requestAnimationFrame(look);
		look();
	})`, selector), "focus at %s", selector)
}

func TestErrorsStandAtTheirFields(t *testing.T) {
	p := start(t)
	v := p.visit(t)

	t.Log("an empty form")
	v.open("/register")
	v.submit(http.StatusUnprocessableEntity, nil)
	v.isRejected("lname", "fname", "patr", "email", "login", "psw")

	t.Log("errors in all fields")
	bad := badValues()
	v.submit(http.StatusUnprocessableEntity, bad)
	v.isRejected("lname", "fname", "patr", "birthday", "email", "phone", "login", "psw")
	for name, entered := range bad {
		if name == "psw" {
			entered = ""
		}
		require.Equal(t, entered, v.value(name), "the form keeps %s", name)
	}

	t.Log("an error in one field, then corrected")
	almost := anna()
	almost["phone"] = "12"
	v.submit(http.StatusUnprocessableEntity, almost)
	v.isRejected("phone")
	v.submit(http.StatusOK, fields{"phone": "+7 912 345-67-89", "psw": goodPassword})
	require.Equal(t, "/profile", v.path())

	t.Log("email, phone and login of another user")
	other := p.visit(t)
	other.open("/register")
	taken := anna()
	taken["psw"] = "another password"
	other.submit(http.StatusUnprocessableEntity, taken)
	other.isRejected("email", "phone", "login")

	t.Log("a change of password")
	v.open("/account/password")
	v.submit(http.StatusUnprocessableEntity, nil)
	v.isRejected("old", "psw")
	v.submit(http.StatusUnprocessableEntity, fields{"old": "not this one", "psw": goodPassword + "!"})
	v.isRejected("old")
	v.submit(http.StatusUnprocessableEntity, fields{"old": goodPassword, "psw": "short"})
	v.isRejected("psw")
	for _, name := range []string{"old", "psw"} {
		require.Empty(t, v.value(name), name)
	}
}

func TestWrongCredentials(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	for _, entered := range []fields{
		{"login": "anna", "psw": goodPassword}, // there is no such user
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
