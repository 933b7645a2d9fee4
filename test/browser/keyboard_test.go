package browser_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// maxTabs is more than the stops of any page. A focus that takes more is trapped.
const maxTabs = 100

// A stop is the element that has the focus.
type stop struct {
	Index    int    // index among the focusable elements in reading order; -1 for none
	What     string // HTML of the element
	Seen     bool   // it looks different with the focus
	InSight  bool   // it is within the window
	Form, ID string
}

// rememberLooks stores how the focusable elements look without the focus, and returns their number.
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

// tab presses Tab, and returns the element that has the focus then.
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

// walkThrough tabs through the page. It asserts that the focus visits every focusable element in reading order, is always
// visible, and leaves the page at the end.
func (v *visitor) walkThrough() {
	v.t.Helper()
	count := v.rememberLooks()
	eval[bool](v, `() => { document.body.tabIndex = -1; document.body.focus(); return true }`) // a heading may have it
	last := -1
	for range maxTabs {
		at := v.tab()
		if at.Index == -1 || at.Index < last {
			require.Equal(v.t, count-1, last, "last element before the focus went to %s", at.What)
			return
		}
		isPart := at.Index == last // parts of a date field are stops of their own
		if !isPart {
			require.Equal(v.t, last+1, at.Index, "the focus skips elements, and goes to %s", at.What)
		}
		require.True(v.t, at.Seen || isPart, "the focus is not visible at %s", at.What)
		require.True(v.t, at.InSight, "the focus is out of sight at %s", at.What)
		last = at.Index
	}
	require.Fail(v.t, "the focus is trapped", "at %s", v.focused().What)
}

// tabTo presses Tab until the focus is at the wanted element.
func (v *visitor) tabTo(what string, wanted func(stop) bool) {
	v.t.Helper()
	for range maxTabs {
		if wanted(v.tab()) {
			return
		}
	}
	require.Fail(v.t, "Tab does not reach it", what)
}

func TestKeyboardAlone(t *testing.T) {
	p := start(t)
	v := p.visit(t)

	v.open("/register")
	v.rememberLooks()
	skip := v.tab()
	require.Contains(t, skip.What, `href="#main"`)
	require.True(t, skip.Seen && skip.InSight, "the skip link is visible")
	v.do(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "lname", v.tab().ID, "the first field after the skip link")

	values := anna()
	values["birthday"] = "05051990" // equal day and month, so that their order does not matter
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
	v.tabTo("sign-out button", func(at stop) bool { return at.Form == "/logout" })
	v.load(http.StatusOK, chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "/login", v.path())
}

func TestFocusIsVisible(t *testing.T) {
	p := start(t, mayChange)
	made := p.useradd(t, "lebedeva")
	for _, as := range []look{{}, {phone: true, dark: true}, {forced: true}} {
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

func TestFocusIsVisibleOnUploads(t *testing.T) {
	p := start(t)
	v := visit(t, p.url, look{phone: true})
	p.registerOperator(v, anna())
	v.upload(caseFile(t, "A30-encoding-unclear/people.csv"))
	v.headed("Choose the encoding")
	v.walkThrough()
	v.upload(caseFile(t, "E03-sheet-per-class/people.xlsx"))
	v.headed("Checked, no one registered yet")
	v.walkThrough()
	for _, path := range []string{"/useradd/upload", "/useradd/uploads"} {
		v.open(path)
		v.walkThrough()
	}
}
