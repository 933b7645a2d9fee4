package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/stretchr/testify/require"
)

// filesOf writes a file for each content, and returns their paths.
func filesOf(t *testing.T, contents map[string]string) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

// An operator chooses five files, and decides on each. Files that exceed the limit of undecided ones wait on the page, and follow.
func TestSeveralUploads(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	contents := map[string]string{}
	for i := 1; i <= 5; i++ {
		contents[fmt.Sprintf("class %d.csv", i)] = fmt.Sprintf("last_name,first_name,patronymic,login,email\nKim,Anna,Petrovna,pupil%d,p%d@example.com\n", i, i)
	}
	contents["class 3.csv"] += "Kim,Boris,Petrovich,boris,nowhere\n"
	path := filesOf(t, contents)
	v.open("/useradd/upload")
	v.do(choose(path("class 1.csv"), path("class 2.csv"), path("class 3.csv"), path("class 4.csv"), path("class 5.csv")))
	v.do(click("[data-upload] button[type=submit]"))
	states := func() []string { return v.texts(".latest .state") }
	const checked, done = "Checked, no one registered yet", "Done"
	v.sees("three checked files", func() bool {
		return strings.Join(states(), ";") == strings.Join([]string{checked, checked, checked}, ";")
	})
	v.isAccessible("files that wait")
	require.Len(t, v.texts(".queue li"), 2)
	require.Contains(t, v.text(".queue li"), "class 4.csv Waiting: up to 3 files at a time.")
	require.True(t, v.asksBeforeLeaving())
	require.True(t, eval[bool](v, `() => document.querySelector("[data-upload] [type=submit]").disabled`), "each file is sent once")
	v.clickNow(".latest form.submit button")
	v.sees("two results, and the other files", func() bool {
		return strings.Join(states(), ";") == strings.Join([]string{checked, checked, checked, done, done}, ";") && len(v.texts(".queue li")) == 0
	})
	v.clickNow(".latest li:nth-child(3) button[name=start]")
	v.clickNow(".latest form.submit button")
	v.sees("five results", func() bool { return strings.Join(states(), ";") == strings.Repeat(done+";", 4)+done })
	require.Equal(t, "Records 2 Registered 1 Rejected 1", v.text(".latest li:nth-child(3) dl"))
	require.Contains(t, eval[string](v, `() => document.getElementById("results").textContent`), ": Done", "it is announced")
	require.False(t, v.asksBeforeLeaving())
	v.open("/useradd/uploads")
	v.isAccessible("list of uploads")
	v.load(http.StatusOK, click(".latest li:nth-child(5) a"))
	v.headed("Done")
}

// A faultyProxy stands before the program. It answers uploads with fault, if there is one.
type faultyProxy struct {
	url   string
	fault atomic.Pointer[http.HandlerFunc]
}

func (p *program) proxied(t *testing.T) *faultyProxy {
	t.Helper()
	to, err := url.Parse(p.url)
	require.NoError(t, err)
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	proxy := &faultyProxy{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := proxy.fault.Load(); fault != nil && r.Method == http.MethodPost && r.URL.Path == "/useradd/upload" {
			(*fault)(w, r)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	proxy.url = server.URL
	return proxy
}

// answer makes the proxy answer uploads with a status and a page of its own.
func (f *faultyProxy) answer(status int) {
	f.fault.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html><head><title>%d</title></head><body><center><h1>nginx</h1></center></body></html>", status)
	})))
}

// A file that is not taken stays chosen. The reason stands beside it, and one button sends it again.
func TestUploadThatFailsIsSentAgain(t *testing.T) {
	p := start(t)
	proxy := p.proxied(t)
	v := visit(t, proxy.url, look{})
	p.registerOperator(v, anna())
	file := fileOf(t, person("lebedeva", nil))
	v.open("/useradd/upload")
	v.do(choose(file))
	send := func(label string) {
		t.Helper()
		require.Equal(t, label, v.text("[data-upload] [type=submit]"))
		v.do(click("[data-upload] [type=submit]"))
	}
	isRejectedAs := func(reason string) {
		t.Helper()
		v.sees(reason, func() bool { return v.text(".queue .reason") == reason })
		require.Equal(t, 1, eval[int](v, `() => document.querySelector("#file").files.length`), "the file stays chosen")
		require.Equal(t, "Error: Upload a file — Rollcall", eval[string](v, `() => document.title`))
	}
	isRejected := func(reason string) {
		t.Helper()
		isRejectedAs(reason)
		v.hasFocus(".queue li")
	}
	const lost = "The connection was lost, and the file wasn't checked. Check your connection, then send it again."
	label := "Upload and check"
	for _, c := range []struct {
		status int
		reason string
	}{
		{502, "The server is unavailable (error 502)."},
		{429, "There were too many requests (error 429). Wait a minute."},
		{408, "Sending took too long (error 408)."},
		{403, "A server on the way blocked the request (error 403)."},
		{413, "The file is too large."},
		{200, "The response didn't come from Rollcall (status 200)."},
	} {
		proxy.answer(c.status)
		send(label)
		isRejected(c.reason)
		if c.status >= 400 {
			v.expected = append(v.expected, fmt.Sprintf("%d /useradd/upload", c.status))
		}
		label = "Send again"
	}
	v.isAccessible("rejected file")
	proxy.fault.Store(new(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })))
	v.failing(func() {
		send(label)
		isRejected(lost)
	})
	v.do(click(`.languages a[lang="ru"]`))
	v.sees("the reason in Russian", func() bool {
		return v.text(".queue .reason") == "Связь прервалась, файл не проверен. Проверьте подключение и отправьте файл ещё раз."
	})
	require.Equal(t, "Отправить ещё раз", v.text("[data-upload] [type=submit]"))
	require.Equal(t, "Загрузка файла", v.text("h1"))
	v.hasFocus(".languages [lang=ru]")
	v.do(click(`.languages a[lang="en"]`))
	isRejectedAs(lost)

	sending := make(chan struct{})
	proxy.fault.Store(new(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-sending
		panic(http.ErrAbortHandler)
	})))
	require.False(t, v.asksBeforeLeaving(), "nothing is being sent")
	v.failing(func() {
		send(label)
		v.sees("the file being sent", func() bool { return v.text(".queue .state") == "Uploading" })
		require.True(t, v.asksBeforeLeaving())
		require.True(t, eval[bool](v, `() => document.querySelector("[data-upload] [type=submit]").disabled`), "it is sent once")
		close(sending)
		isRejected(lost)
	})
	proxy.fault.Store(nil)

	const post = `async (path, body) => { await fetch(path, {method: "POST", body: new URLSearchParams(body)}); return true }`
	eval[bool](v, post, "/logout", fields{})
	send(label)
	isRejected("Your session has ended. Sign in, then send the file again.")
	v.expected = append(v.expected, "401 /useradd/upload")
	require.True(t, eval[bool](v, `() => document.querySelector(".queue a").checkVisibility()`))
	boris := p.useradd(t, "boris")
	eval[bool](v, post, "/login", fields{"login": "boris", "psw": boris.Password}) // as in another tab
	send(label)
	isRejected("Your session has ended. Sign in, then send the file again.")
	eval[bool](v, post, "/login", fields{"login": "anna", "psw": goodPassword})
	send(label)
	v.isUploaded()
	v.headed("Checked, no one registered yet")
}

// Folders, empty files, and files that changed or vanished since they were chosen each have their own sentence.
func TestUploadOfWhatIsNoFile(t *testing.T) {
	p := start(t)
	proxy := p.proxied(t)
	v := visit(t, proxy.url, look{})
	p.registerOperator(v, anna())
	path := filesOf(t, map[string]string{"empty.csv": "", "changed.csv": "login\n", "vanished.csv": "login\n", "dropped.csv": "login\nboris\n"})
	require.NoError(t, os.Mkdir(path("folder"), 0o700))
	v.open("/useradd/upload")
	reasons := func() string { return strings.Join(v.texts(".queue li"), "; ") }
	const folder = "folder This is a folder. Open it, and choose the files in it. Remove"
	v.dropFiles(path("folder"))
	v.sees("a folder", func() bool { return reasons() == folder })
	require.Equal(t, "Upload and check", v.text("[data-upload] [type=submit]"), "a folder cannot be sent again")
	require.True(t, v.has("#file:required"))
	v.dropFiles(path("folder"), path("empty.csv"))
	const empty = "empty.csv The file is empty. Save it with its data, and choose it again. Remove"
	v.sees("a folder and an empty file", func() bool { return reasons() == folder+"; "+empty })

	v.do(choose(path("changed.csv"), path("vanished.csv")))
	v.failing(func() {
		proxy.answer(http.StatusBadGateway)
		v.do(click("[data-upload] [type=submit]"))
		v.sees("two rejections", func() bool { return strings.Count(reasons(), "error 502") == 2 })
		proxy.fault.Store(nil)
		require.NoError(t, os.WriteFile(path("changed.csv"), []byte("login\nanna\n"), 0o600))
		require.NoError(t, os.Chtimes(path("changed.csv"), time.Time{}, time.Now().Add(time.Minute))) // browsers compare seconds
		require.NoError(t, os.Remove(path("vanished.csv")))
		v.do(click("[data-upload] [type=submit]"))
		v.sees("a changed and a vanished file", func() bool {
			return reasons() == "changed.csv The file has changed since you chose it. Choose it again. Remove; "+
				"vanished.csv The file is no longer where it was: it was moved, renamed or deleted. Choose it again. Remove"
		})
	})
	require.Equal(t, "Send again", v.text("[data-upload] [type=submit]"))
	v.do(choose(path("changed.csv")))
	v.dropFiles(path("dropped.csv"))
	v.sees("the chosen and the dropped file in the list", func() bool {
		listed := v.text(".latest")
		return strings.Contains(listed, "changed.csv") && strings.Contains(listed, "dropped.csv")
	})
	require.Empty(t, reasons())
}

// dropFiles drops files and folders on the page, as a file manager does.
func (v *visitor) dropFiles(paths ...string) {
	v.t.Helper()
	for _, kind := range []input.DispatchDragEventType{"dragEnter", "dragOver", "drop"} {
		v.do(call(input.DispatchDragEvent, input.DispatchDragEventParams{
			Type: kind, X: 100, Y: 100, Data: &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1},
		}))
	}
}

// asksBeforeLeaving reports whether the browser asks before it leaves the page.
func (v *visitor) asksBeforeLeaving() bool {
	v.t.Helper()
	return eval[bool](v, `() => {
		const leaving = new Event("beforeunload", {cancelable: true});
		dispatchEvent(leaving);
		return leaving.defaultPrevented }`)
}

// failing takes steps in which requests fail.
func (v *visitor) failing(steps func()) {
	v.t.Helper()
	turn := func(off bool) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.isOff = off
	}
	turn(true)
	steps()
	turn(false)
}
