package browser_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/websocket"
)

// A firefox is a Firefox with one window, driven by WebDriver BiDi, the protocol that Firefox itself speaks.
type firefox struct {
	t       *testing.T
	conn    *websocket.Conn
	last    int    // ID of a command
	context string // ID of the window
	url     string // of the server

	wrong    []string // errors that pages do not show
	rejected []string // answers with status 400 or more, such as "404 /nowhere"
}

// The preferences of the profile. Firefox itself adds those that it recommends for remote control.
const preferences = `user_pref("intl.accept_languages", "en");
user_pref("intl.locale.requested", "en-US");
`

var bidi = regexp.MustCompile(`WebDriver BiDi listening on (ws://\S+)`)

// visitByFirefox starts Firefox, which opens no page yet.
func visitByFirefox(t *testing.T, server string) *firefox {
	t.Helper()
	path, err := findFirefox()
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "user.js"), []byte(preferences), 0o600))
	const origin = "http://127.0.0.1"
	program := exec.CommandContext(t.Context(), path,
		"--headless", "--no-remote", "--profile", home, "--remote-debugging-port=0", "--remote-allow-origins="+origin)
	program.Env = append(os.Environ(), "HOME="+home, "MOZ_CRASHREPORTER_DISABLE=1")
	logs, err := program.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	t.Cleanup(func() {
		_ = program.Process.Kill()
		_ = program.Wait() // reports the kill
	})
	address := ""
	lines := bufio.NewScanner(logs)
	for address == "" && lines.Scan() {
		if match := bidi.FindStringSubmatch(lines.Text()); match != nil {
			address = match[1]
		}
	}
	require.NotEmpty(t, address, "Firefox ended")
	go func() { _, _ = io.Copy(io.Discard, logs) }()

	conn, err := websocket.Dial(address+"/session", "", origin)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	f := &firefox{t: t, conn: conn, url: server}
	require.NoError(t, f.call("session.new", object{"capabilities": object{}}, nil))
	require.NoError(t, f.call("session.subscribe", object{"events": []string{"log.entryAdded", "network.responseCompleted"}}, nil))
	var tree struct{ Contexts []struct{ Context string } }
	require.NoError(t, f.call("browsingContext.getTree", object{}, &tree))
	require.Len(t, tree.Contexts, 1)
	f.context = tree.Contexts[0].Context
	f.resize(desktopWidth, desktopHeight)
	return f
}

func findFirefox() (string, error) {
	for _, name := range []string{"firefox-esr", "firefox"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
	}
	return "", errors.New(`firefox not found in PATH: run eval "$(.ci/install firefox)", or on Debian apt-get install firefox-esr`)
}

// call sends a command, and stores its result. Meanwhile it handles events.
func (f *firefox) call(method string, params object, result any) error {
	f.last++
	err := f.conn.SetDeadline(time.Now().Add(patience))
	if err != nil {
		return err
	}
	err = websocket.JSON.Send(f.conn, object{"id": f.last, "method": method, "params": params})
	for err == nil {
		var got struct {
			ID             int
			Method         string
			Params, Result json.RawMessage
			Error, Message string
		}
		err = websocket.JSON.Receive(f.conn, &got)
		switch {
		case err != nil:
		case got.Error != "":
			return fmt.Errorf("%s: %s: %s", method, got.Error, got.Message)
		case got.Method != "":
			err = f.see(got.Method, got.Params)
		case got.ID == f.last && result != nil:
			return json.Unmarshal(got.Result, result)
		case got.ID == f.last:
			return nil
		}
	}
	return fmt.Errorf("%s: %w", method, err)
}

// see handles an event.
func (f *firefox) see(method string, params []byte) error {
	var event struct {
		Level, Text string
		Response    struct {
			Status int
			URL    string
		}
	}
	err := json.Unmarshal(params, &event)
	switch {
	case err != nil:
		return err
	case method == "log.entryAdded" && (event.Level == "error" || event.Level == "warn"):
		f.wrong = append(f.wrong, event.Level+": "+event.Text)
	case event.Response.Status >= http.StatusBadRequest:
		at, err := url.Parse(event.Response.URL)
		if err != nil {
			return err
		}
		f.rejected = append(f.rejected, fmt.Sprintf("%d %s", event.Response.Status, at.Path))
	}
	return nil
}

// evaluate returns the value of an expression that is a text, or the ID of an element.
func (f *firefox) evaluate(expression string) (string, error) {
	var got struct {
		Result struct {
			Value    any
			SharedID string
		}
		ExceptionDetails struct{ Text string }
	}
	err := f.call("script.evaluate", object{"expression": expression, "target": object{"context": f.context}, "awaitPromise": true}, &got)
	if err == nil && got.ExceptionDetails.Text != "" {
		err = errors.New(got.ExceptionDetails.Text)
	}
	if text, ok := got.Result.Value.(string); ok {
		return text, err
	}
	return got.Result.SharedID, err
}

// evalIn calls a function of JavaScript in the page.
func evalIn[T any](f *firefox, function string) T {
	f.t.Helper()
	got, err := f.evaluate(fmt.Sprintf("(async () => JSON.stringify(await (%s)()))()", function))
	require.NoError(f.t, err, function)
	var value T
	require.NoError(f.t, json.Unmarshal([]byte(got), &value), got)
	return value
}

func (f *firefox) open(path string) {
	f.t.Helper()
	require.NoError(f.t, f.call("browsingContext.navigate", object{"context": f.context, "url": f.url + path, "wait": "complete"}, nil))
}

func (f *firefox) resize(width, height int) {
	f.t.Helper()
	require.NoError(f.t, f.call("browsingContext.setViewport", object{"context": f.context, "viewport": object{"width": width, "height": height}}, nil))
}

// sees waits until an expression is true. Meanwhile another page may load.
func (f *firefox) sees(expression string) {
	f.t.Helper()
	var got string
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		got, err = f.evaluate(fmt.Sprintf("document.readyState === 'complete' ? String(%s) : 'loading'", expression))
		if err == nil && got == "true" {
			return
		}
	}
	require.Fail(f.t, "not seen: "+expression, "%s, %v\n%s", got, err, evalIn[string](f, `() => location + " " + document.title + "\n" + document.body.innerText`))
}

func (f *firefox) headed(heading string) {
	f.t.Helper()
	f.sees(fmt.Sprintf("document.querySelector('h1')?.innerText === %q", heading))
}

// act performs actions of an input device.
func (f *firefox) act(device string, actions ...object) {
	f.t.Helper()
	require.NoError(f.t, f.call("input.performActions", object{"context": f.context, "actions": []object{{"type": device, "id": device, "actions": actions}}}, nil))
}

// press presses a key for each character.
func (f *firefox) press(keys string) {
	f.t.Helper()
	var actions []object
	for _, key := range keys {
		actions = append(actions, object{"type": "keyDown", "value": string(key)}, object{"type": "keyUp", "value": string(key)})
	}
	f.act("key", actions...)
}

// The keys of WebDriver.
const (
	keyTab   = "\ue004"
	keyEnter = "\ue007"
)

// click clicks the first element of a selector.
func (f *firefox) click(selector string) {
	f.t.Helper()
	at := evalIn[struct{ X, Y int }](f, fmt.Sprintf(`async () => {
		const element = document.querySelector(%q);
		const settle = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
		await settle(); // typing scrolls as well
		element.scrollIntoView({block: "center", behavior: "instant"});
		await settle(); // until then a click meets what was there before
		const {left, top, width, height} = element.getBoundingClientRect();
		return {x: Math.round(left + width / 2), y: Math.round(top + height / 2)};
	}`, selector))
	f.act("pointer", object{"type": "pointerMove", "x": at.X, "y": at.Y}, object{"type": "pointerDown", "button": 0}, object{"type": "pointerUp", "button": 0})
}

// fill types values into fields, from the first to the last.
func (f *firefox) fill(pairs ...string) {
	f.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		f.click("#" + pairs[i])
		f.press(pairs[i+1])
	}
}

// isFine asserts that the page is accessible on each screen, and that all of it fits.
func (f *firefox) isFine(name string) {
	f.t.Helper()
	if !evalIn[bool](f, `() => "axe" in window`) {
		_, err := f.evaluate(axeSource)
		require.NoError(f.t, err)
	}
	for _, width := range []int{320, phoneWidth, desktopWidth} {
		f.resize(width, desktopHeight)
		require.Empty(f.t, evalIn[[]string](f, misfits), "%s at %d pixels", name, width)
	}
	require.Empty(f.t, evalIn[[]axeViolation](f, findViolations), name)
}

// TestMainWalkInFirefox registers an operator, signs in, uploads a file and reads the report.
func TestMainWalkInFirefox(t *testing.T) {
	p := start(t)
	f := visitByFirefox(t, p.url)
	f.open("/")
	f.isFine("main page")

	f.open(setupLink.FindStringSubmatch(p.logged())[1])
	f.click(`main a[href="/register"]`)
	f.headed("Register")
	f.click("main form button[type=submit]")
	f.sees(`document.activeElement.matches("main [role=alert]") && document.title.startsWith("Error: ")`)
	f.isFine("rejected registration")
	f.press(keyTab + keyEnter)
	f.sees(`document.activeElement.id === "lname"`)
	f.fill("lname", "میرزا\u200cزاده", "fname", "علی\u200cرضا", "patr", "حسین", "email", "ali@example.com", "login", "alireza", "psw", goodPassword)
	f.press(keyEnter)
	f.headed("میرزا\u200cزاده علی\u200cرضا حسین")

	f.click(`header form[action="/logout"] button`)
	f.headed("Sign in")
	f.fill("login", "alireza", "psw", "wrong")
	f.press(keyEnter)
	f.sees(`document.activeElement.matches("main [role=alert]")`)
	f.fill("psw", goodPassword)
	f.press(keyEnter)
	f.sees(`location.pathname === "/profile"`)

	f.open("/useradd/upload")
	field, err := f.evaluate(`document.querySelector("#file")`)
	require.NoError(t, err)
	choose := func(file string) {
		require.NoError(t, f.call("input.setFiles", object{"context": f.context, "element": object{"sharedId": field}, "files": []string{file}}, nil))
	}
	changed := filesOf(t, map[string]string{"changed.csv": "login,last_name\nanna,Kim\n"})("changed.csv")
	choose(changed)
	require.NoError(t, os.WriteFile(changed, []byte("login\n"), 0o600))
	f.click("[data-upload] button[type=submit]")
	f.sees(`document.querySelector(".queue .reason").innerText === "The file has changed since you chose it. Choose it again."`)
	f.isFine("rejected file")
	choose(fileOf(t, person("lebedeva", nil), person("somov", object{"email": "nowhere"}), person("orlov", nil)))
	f.click("[data-upload] button[type=submit]")
	f.headed("Checked, no one registered yet")
	f.isFine("checked upload")
	f.click("main form .submit button")
	f.headed("Done")
	f.sees(`document.activeElement.matches("h1")`)
	f.isFine("imported upload")
	f.click(`a[href$="/slips"]`)
	f.sees(`document.querySelectorAll("main section").length === 2`)

	f.open("/profile")
	f.sees(`document.querySelectorAll("canvas").length === 2`)
	f.isFine("report")
	f.click(".opens a")
	f.sees(`document.querySelectorAll(".rejections tbody tr").length === 1`)
	f.click("a[hreflang=ru]")
	f.sees(`document.documentElement.lang === "ru"`)
	f.open("/profile?from=abc#imports")
	f.sees(`document.activeElement.matches("main [role=alert]")`)
	require.Empty(t, f.wrong, "errors of pages")
	require.Equal(t, []string{"422 /register", "401 /login", "400 /profile"}, f.rejected)
}
