package browser_test

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// axeSource is axe-core, the accessibility checker. The debugging protocol loads it, so that no policy of the page applies.
//
//go:embed axe.min.js
var axeSource string

// An axeViolation is a rule that a page breaks, with the elements.
type axeViolation struct {
	ID, Help string
	Nodes    []struct {
		Target         []string
		FailureSummary string
	}
}

// findViolations returns the violations of a page.
const findViolations = `async () => {
	if (!window.axe) loadAxe();
	document.getAnimations().forEach(animation => animation.finish()); // colours in transition are not those of the design
	const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
	const found = await axe.run({runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
	return found.violations.map(({id, help, nodes}) => ({id, help, nodes: nodes.map(
		({target, failureSummary}) => ({target: target.map(String), failureSummary}))}));
}`

// isAccessible asserts that the page in its current state follows every rule of WCAG 2.1, levels A and AA, that axe can check.
func (v *visitor) isAccessible(name string) {
	v.t.Helper()
	if !v.hasAxe {
		v.do(call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: "window.loadAxe = () => {" + axeSource + "\n}", RunImmediately: new(true),
		}))
		v.hasAxe = true
	}
	violations := eval[[]axeViolation](v, findViolations)
	for _, violation := range violations {
		var where strings.Builder
		for _, node := range violation.Nodes {
			fmt.Fprintf(&where, "\n  %s: %s", strings.Join(node.Target, " "), node.FailureSummary)
		}
		require.Fail(v.t, fmt.Sprintf("%s: %s: %s%s", name, violation.ID, violation.Help, where.String()))
	}
}

// fits asserts that the page is no wider than a phone, and otherwise names the elements that are.
func (v *visitor) fits(name string) {
	v.t.Helper()
	require.Empty(v.t, eval[[]string](v, `width => document.scrollingElement.scrollWidth <= width ? [] :
		[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1).map(
			e => e.tagName + "." + e.className + " to " + e.getBoundingClientRect().right + ": " + e.innerText)`, phoneWidth),
		"%s is wider than a phone", name)
}

// TestEveryPageIsAccessible opens every page in each of its states. Each pair of language, screen and colour scheme occurs.
func TestEveryPageIsAccessible(t *testing.T) {
	for _, language := range []string{"ru", "en"} {
		t.Run(language, func(t *testing.T) {
			p := start(t)
			temporary := p.useradd(t, "lebedeva-of-the-long-login-that-fills-a-phone.line")
			looks := []look{
				{language: language, phone: true, dark: language == "en"},
				{language: language, dark: language == "ru"},
			}
			v := visit(t, p.url, looks[0])
			check := func(state string) {
				t.Helper()
				require.Equal(t, language, v.language(), state)
				for _, as := range looks {
					name := fmt.Sprintf("%s (%s)", state, as)
					v.look(as)
					v.isAccessible(name)
					if as.phone {
						v.fits(name)
					}
				}
			}

			v.open("/")
			check("main page")
			v.open("/help")
			check("contents of the manual")
			v.open("/help/formats")
			check("page of the manual")
			v.load(http.StatusNotFound, v.to("/nowhere"))
			check("unknown page")
			v.open("/profile")
			check("sign-in before another page")
			v.submit(http.StatusUnauthorized, fields{"login": "nobody", "psw": "wrong"})
			check("wrong credentials")
			v.submit(http.StatusOK, fields{"login": temporary.Login, "psw": temporary.Password})
			check("temporary password that must be changed")
			v.open("/")
			check("main page, signed in with a temporary password")
			v.open("/account/password")
			v.submit(http.StatusUnprocessableEntity, fields{"old": "wrong", "psw": "short"})
			check("rejected change of a temporary password")
			v.submit(http.StatusOK, fields{"old": temporary.Password, "psw": ownPassword})
			v.open("/")
			check("main page, signed in")
			v.open("/account/password")
			check("change of password")
			v.submit(http.StatusUnprocessableEntity, fields{"old": "wrong", "psw": "short"})
			check("rejected change of password")
			v.signOut()
			check("signed out")
			v.open("/register")
			check("registration")
			v.submit(http.StatusUnprocessableEntity, badValues())
			check("rejected registration")
			v.submit(http.StatusOK, anna())
			check("profile")
			pgtest.Query[struct{}](t, p.database, "insert into roles select id, 'operator' from users where login = $1", anna()["login"])
			v.open("/users/1")
			check("account")
			v.open("/users/1/edit")
			v.submit(http.StatusUnprocessableEntity, fields{"lname": "7"})
			check("rejected edit of an account")
			v.open("/users/1/delete")
			check("confirmation of a deletion")
			v.open("/users/1/password")
			v.submit(http.StatusOK, nil)
			check("new temporary password")
			v.open("/users/change/group")
			v.submit(http.StatusUnprocessableEntity, fields{"new_group": "--"})
			check("rejected change of many people")
			v.followFromElsewhere(p.url + "/logout")
			check("confirmation of signing out")

			p = start(t, mayChange)
			temporary = p.useradd(t, "lebedeva")
			v = visit(t, p.url, looks[0])
			v.open("/login")
			v.submit(http.StatusOK, fields{"login": temporary.Login, "psw": temporary.Password})
			check("profile with a temporary password")
		})
	}
}

func TestReducedMotion(t *testing.T) {
	p := start(t)
	v := visit(t, p.url, look{dark: true})
	for _, path := range []string{"/", "/register", "/login"} {
		v.open(path)
		for _, dark := range []bool{false, true} {
			v.look(look{dark: dark}) // changes all colours
			moves := eval[[]string](v, `() => [...new Set(document.getAnimations().map(a => a.effect.target.className))]`)
			require.Empty(t, moves, "%s: a transition or an animation of these classes", path)
		}
	}
}
