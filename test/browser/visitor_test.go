package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience bounds each step of a visitor.
const patience = 20 * time.Second

type (
	// An action is a step in the browser.
	action = chromedp.Action[chromedp.Void]

	// A look is a language, a screen and a colour scheme. The zero value means English, desktop and light.
	look struct {
		language string
		phone    bool
		dark     bool
		forced   bool // the user's own colours replace those of pages
	}
)

const (
	phoneWidth, phoneHeight     = 390, 844
	desktopWidth, desktopHeight = 1280, 800
)

func (l look) String() string {
	screen, scheme := "desktop", "light"
	if l.phone {
		screen = "phone"
	}
	if l.dark {
		scheme = "dark"
	}
	if l.forced {
		scheme += " forced"
	}
	return strings.Join([]string{l.language, screen, scheme}, " ")
}

// A visitor has its own browser context, with its own cookies, and a watch on its pages.
type visitor struct {
	*watch

	t        *testing.T
	ctx      context.Context
	url      string   // URL of the server
	expected []string // expected rejections, as the watch has them

	hasNoScripts bool
	hasAxe       bool // each page that it opens can load axe
}

// visit returns a visitor of a server, which has opened no page yet.
func visit(t *testing.T, server string, as look) *visitor {
	t.Helper()
	browser, err := chromium()
	require.NoError(t, err)
	at, err := url.Parse(server)
	require.NoError(t, err)
	v := &visitor{watch: &watch{hosts: []string{at.Host}}, t: t, url: server}
	ctx, leave := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(v.see))
	t.Cleanup(leave)
	require.NoError(t, chromedp.Do(ctx)) // the tab lives as long as this context
	v.ctx = ctx
	t.Cleanup(v.finish)

	v.do(call(audits.Enable, cdp.Empty{}))
	v.do(call(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	if as.language == "" {
		as.language = "en"
	}
	agent := eval[string](v, `() => navigator.userAgent`)
	v.do(call(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: as.language}))
	v.look(as)
	return v
}

func (p *program) visit(t *testing.T) *visitor {
	t.Helper()
	return visit(t, p.url, look{})
}

// run runs a subtest in which the visitor continues.
func (v *visitor) run(name string, subtest func(t *testing.T)) {
	parent := v.t
	defer func() { v.t = parent }()
	parent.Run(name, func(t *testing.T) {
		v.t = t
		subtest(t)
	})
}

// look changes the screen and the colour scheme of the page.
func (v *visitor) look(as look) {
	v.t.Helper()
	if as.phone {
		v.do(chromedp.EmulateViewport(phoneWidth, phoneHeight, chromedp.EmulateMobile, chromedp.EmulateTouch))
	} else {
		v.do(chromedp.EmulateViewport(desktopWidth, desktopHeight))
	}
	scheme, forced := "light", "none"
	if as.dark {
		scheme = "dark"
	}
	if as.forced {
		forced = "active"
	}
	v.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "forced-colors", Value: forced},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}}))
}

// finish asserts that the watch has seen no errors, and saves a screenshot of a failed test.
func (v *visitor) finish() {
	defer v.saveScreenshot()
	_, err := run(v, chromedp.Evaluate[bool]("true")) // by then the watch has all earlier events
	require.NoError(v.t, err)
	wrong, rejected := v.seen()
	require.Empty(v.t, wrong, "errors of pages")
	require.Equal(v.t, v.expected, rejected, "rejected requests")
}

// saveScreenshot saves a screenshot if the test has failed.
func (v *visitor) saveScreenshot() {
	if !v.t.Failed() {
		return
	}
	shot, err := run(v, chromedp.FullScreenshot(100))
	if err != nil {
		v.t.Logf("no screenshot: %v", err)
		return
	}
	// the folder of the test is removed when it ends
	file := filepath.Join(os.TempDir(), "rollcall-"+strings.NewReplacer("/", "-", " ", "_").Replace(v.t.Name())+".png")
	v.t.Logf("screenshot: %s", file)
	require.NoError(v.t, os.WriteFile(file, shot, 0o600))
}

// run takes a step, with a timeout.
func run[T any](v *visitor, step chromedp.Action[T]) (T, error) {
	ctx, stop := context.WithTimeout(v.ctx, patience)
	defer stop()
	return chromedp.Run(ctx, step)
}

func (v *visitor) do(steps ...action) {
	v.t.Helper()
	_, err := run(v, chromedp.Steps(steps...))
	require.NoError(v.t, err)
}

// load takes steps that load another page, and asserts its status.
func (v *visitor) load(status int, steps ...action) {
	v.t.Helper()
	ctx, stop := context.WithTimeout(v.ctx, patience)
	defer stop()
	got, err := chromedp.RunResponse(ctx, steps...)
	require.NoError(v.t, err)
	require.NotNil(v.t, got, "no page was loaded")
	if status >= http.StatusBadRequest {
		v.expected = append(v.expected, rejection(got))
	}
	if int(got.Status) != status {
		require.Equal(v.t, status, int(got.Status), "%s: %s", got.URL, v.text("main"))
	}
}

func (v *visitor) open(path string) { v.t.Helper(); v.load(http.StatusOK, v.to(path)) }

// to returns the step of entering an address.
func (v *visitor) to(path string) action {
	return call(page.Navigate, page.NavigateParams{URL: v.url + path})
}

// fill replaces the values of fields.
func (v *visitor) fill(values fields) {
	v.t.Helper()
	for name, value := range values {
		if name == "birthday" { // TestKeyboardAlone types a date
			eval[bool](v, `(name, value) => { document.getElementById(name).value = value; return true }`, name, value)
			continue
		}
		eval[bool](v, `name => { const field = document.getElementById(name); field.focus(); field.select(); return true }`, name)
		v.do(typed(value))
	}
}

// typed returns the step of typing into the focused element.
func typed(text string) action {
	if text == "" {
		return chromedp.KeyEvent("\b")
	}
	return call(input.InsertText, input.InsertTextParams{Text: text})
}

// click returns the step of clicking the first element of a selector.
func click(selector string) action { return chromedp.Click(chromedp.CSS(selector)) }

// clickNow clicks the first element of a selector in one step, where a script replaces elements at any time.
func (v *visitor) clickNow(selector string) {
	v.t.Helper()
	eval[bool](v, `selector => { document.querySelector(selector).click(); return true }`, selector)
}

// submit fills in and sends the form of the page.
func (v *visitor) submit(status int, values fields) {
	v.t.Helper()
	v.fill(values)
	v.press(status, "main form .submit button[type=submit]")
}

// press clicks a button that sends a form, and waits for the next page. Scripts load no page if the server rejects the form: they show
// the answer in place of the page.
func (v *visitor) press(status int, button string) {
	v.t.Helper()
	if status < http.StatusBadRequest || v.hasNoScripts {
		v.load(status, click(button))
		return
	}
	action := eval[string](v, `button => {
		window.before = document.body;
		return document.querySelector(button).form.getAttribute("action");
	}`, button)
	v.expected = append(v.expected, fmt.Sprint(status, " ", action))
	v.do(click(button))
	eval[bool](v, `() => new Promise(resolve => {
		const look = () => document.body === window.before && !document.querySelector(".unsent") ? requestAnimationFrame(look) : resolve(true);
		look();
	})`)
}

func (v *visitor) disableScripts() {
	v.t.Helper()
	v.hasNoScripts = true
	v.do(call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
}

// signIn signs in on the sign-in page.
func (v *visitor) signIn(login, password string) {
	v.t.Helper()
	v.submit(http.StatusOK, fields{"login": login, "psw": password})
}

func (v *visitor) signOut() {
	v.t.Helper()
	v.load(http.StatusOK, click(`header form[action="/logout"] button`))
}

// register opens the registration and registers an account.
func (v *visitor) register(values fields) {
	v.t.Helper()
	v.open("/register")
	v.submit(http.StatusOK, values)
	require.Equal(v.t, "/profile", v.path())
}

// address returns the path and the query of the page.
func (v *visitor) address() string {
	return eval[string](v, `() => location.pathname + location.search`)
}

// arrives waits until the page has an address, after steps that load do not cover.
func (v *visitor) arrives(address string) {
	v.t.Helper()
	seen := ""
	isThere := func() bool {
		var err error
		seen, err = run(v, chromedp.Location())
		return err == nil && strings.TrimPrefix(seen, v.url) == address
	}
	if !until(patience/4, isThere) {
		require.Fail(v.t, "wrong address", "at %s instead of %s:\n%s", seen, address, v.text("main"))
	}
}

func (v *visitor) path() string { return eval[string](v, `() => location.pathname`) }

func (v *visitor) has(selector string) bool {
	return eval[bool](v, `selector => document.querySelector(selector) !== null`, selector)
}

// text returns the visible text of the first element of a selector, in one line; empty for none.
func (v *visitor) text(selector string) string {
	return strings.Join(strings.Fields(eval[string](v, `selector => document.querySelector(selector)?.innerText ?? ""`, selector)), " ")
}

func (v *visitor) value(name string) string {
	return eval[string](v, `name => document.getElementById(name).value`, name)
}

func (v *visitor) language() string { return eval[string](v, `() => document.documentElement.lang`) }

// eval calls a function of JavaScript in the page.
func eval[T any](v *visitor, function string, args ...any) T {
	v.t.Helper()
	var values []string
	for _, arg := range args {
		value, err := json.Marshal(arg)
		require.NoError(v.t, err)
		values = append(values, string(value))
	}
	got, err := run(v, chromedp.Evaluate[T](fmt.Sprintf("(%s)(%s)", function, strings.Join(values, ", ")), chromedp.EvalAwaitPromise))
	require.NoError(v.t, err, function)
	return got
}

// call returns the step of a protocol command, without its result.
func call[P, R any](command cdp.Command[P, R], params P) action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// fields are values of a form, by name.
type fields map[string]string

const goodPassword = "корабль на рейде"

func anna() fields {
	return fields{
		"lname": "Ким", "fname": "Анна", "patr": "Петровна", "birthday": "1990-05-05", "email": "anna@example.com",
		"phone": "+7 912 345-67-89", "login": "anna", "psw": goodPassword,
	}
}
