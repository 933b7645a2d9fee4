package browser_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// maxTabs is more than any page takes; a focus that goes round for longer is trapped.
const maxTabs = 100

// stop is where the focus is.
type stop struct {
	Index    int    // among all that can have it, in the order of reading; -1 when nothing has it
	What     string // its HTML
	Seen     bool   // it looks otherwise than without the focus
	InSight  bool
	Form, ID string
}

// rememberLooks keeps how all that can have the focus looks without it.
func (v *visitor) rememberLooks() (count int) {
	v.t.Helper()
	return eval[int](v, `() => {
		window.ring = element => {
			const style = getComputedStyle(element);
			const isDrawn = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && !/, 0\)$/.test(style.outlineColor);
			return (isDrawn ? style.outline : "") + style.boxShadow;
		};
		window.stops = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex]")].filter(
			element => element.tabIndex >= 0 && element.checkVisibility());
		window.unfocused = new Map(stops.map(element => [element, ring(element)]));
		return stops.length;
	}`)
}

// tab presses Tab, and says where that led.
func (v *visitor) tab() stop {
	v.t.Helper()
	v.do(chromedp.KeyEvent(kb.Tab))
	return v.focused()
}

func (v *visitor) focused() stop {
	v.t.Helper()
	return eval[stop](v, `() => {
		const element = document.activeElement, box = element.getBoundingClientRect();
		return {
			index: stops.indexOf(element), what: element.outerHTML.slice(0, 120), seen: ring(element) !== unfocused.get(element),
			inSight: box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth,
			form: element.form?.getAttribute("action") ?? "", id: element.id,
		};
	}`)
}

// walkThrough goes from the start of the page to its end by Tab, and asserts that all that can be used is come by, in
// order, that one always sees where one is, and that the way leads out again.
func (v *visitor) walkThrough() {
	v.t.Helper()
	count := v.rememberLooks()
	last := -1
	for range maxTabs {
		at := v.tab()
		if at.Index == -1 || at.Index < last {
			require.Equal(v.t, count-1, last, "the last that had the focus, before it went to %s", at.What)
			return
		}
		isPart := at.Index == last // of a date, which has a stop for each; the browser itself shows where its calendar is
		if !isPart {
			require.Equal(v.t, last+1, at.Index, "the focus skips some, and goes to %s", at.What)
		}
		require.True(v.t, at.Seen || isPart, "one does not see that this has the focus: %s", at.What)
		require.True(v.t, at.InSight, "this has the focus, out of sight: %s", at.What)
		last = at.Index
	}
	require.Fail(v.t, "the focus is trapped", "at %s", v.focused().What)
}

// tabTo presses Tab until the focus is where it is wanted.
func (v *visitor) tabTo(what string, wanted func(stop) bool) {
	v.t.Helper()
	for range maxTabs {
		if wanted(v.tab()) {
			return
		}
	}
	require.Fail(v.t, "Tab does not lead there", what)
}

func TestKeyboardAlone(t *testing.T) {
	p := start(t)
	v := p.visit(t)

	v.open("/register")
	v.rememberLooks()
	skip := v.tab()
	require.Contains(t, skip.What, `href="#main"`)
	require.True(t, skip.Seen && skip.InSight, "the skip link is hidden")
	v.do(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "lname", v.tab().ID, "the first field after the skip link")

	values := anna()
	values["birthday"] = "05051990" // a day and a month that every order of the two can do with
	for _, name := range []string{"lname", "fname", "patr", "birthday", "email", "phone", "login", "psw"} {
		if v.focused().ID != name {
			v.tabTo(name, func(at stop) bool { return at.ID == name })
		}
		v.do(chromedp.KeyEvent(values[name]))
	}
	v.load(http.StatusOK, chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "/profile", v.path())
	require.Contains(t, v.text("main"), "5 May 1990")

	v.rememberLooks()
	v.tabTo("signing out", func(at stop) bool { return at.Form == "/logout" })
	v.load(http.StatusOK, chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "/login", v.path())
}

func TestFocusIsSeenAllTheWay(t *testing.T) {
	p := start(t, mayChange)
	made := p.useradd(t, "lebedeva")
	for _, as := range []look{{}, {phone: true, dark: true}} {
		t.Run(as.String(), func(t *testing.T) {
			v := visit(t, p.url, as)
			for _, path := range []string{"/", "/register", "/login"} {
				v.open(path)
				v.walkThrough()
			}
			v.open("/login")
			v.signIn(made.Login, made.Password)
			v.walkThrough()
			v.open("/account/password")
			v.walkThrough()
		})
	}
}
