package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

// A watch collects errors that pages do not show.
type watch struct {
	mu       sync.Mutex
	hosts    []string // allowed hosts
	wrong    []string // errors
	rejected []string // answers with status 400 or more, such as "404 /nowhere"
	isOff    bool     // it collects nothing, as during an attack
}

// see handles an event of the page. Events come in order.
func (w *watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isOff {
		return
	}
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		switch e.Type {
		case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
			w.reportf("console %s: %s", e.Type, told(e.Args))
		}
	case *runtime.EventExceptionThrown:
		w.reportf("uncaught: %s %s", e.ExceptionDetails.Text, told([]*runtime.RemoteObject{e.ExceptionDetails.Exception}))
	case *log.EventEntryAdded:
		// EventResponseReceived tells more of a rejected request.
		isRejection := strings.HasPrefix(e.Entry.Text, "Failed to load resource: the server responded with a status of")
		if (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) && !isRejection {
			w.reportf("log %s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if e.Issue.Details.ContentSecurityPolicyIssueDetails != nil {
			w.reportf("content security policy: %s", e.Issue.Details.ContentSecurityPolicyIssueDetails.ViolatedDirective)
		}
	case *network.EventRequestWillBeSent:
		to, err := url.Parse(e.Request.URL)
		if err != nil || to.Scheme != "data" && !slices.Contains(w.hosts, to.Host) { // the browser's own icons are data URLs
			w.reportf("request to elsewhere: %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= http.StatusBadRequest {
			w.rejected = append(w.rejected, rejection(e.Response))
		}
	case *network.EventLoadingFailed:
		w.reportf("request failed: %s %s %s", e.Type, e.ErrorText, e.BlockedReason)
	}
}

func (w *watch) reportf(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// seen returns what the watch has collected.
func (w *watch) seen() (wrong, rejected []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrong, w.rejected
}

func rejection(r *network.Response) string {
	path := r.URL
	if at, err := url.Parse(r.URL); err == nil {
		path = at.Path
	}
	return fmt.Sprintf("%d %s", r.Status, path)
}

// told returns the values as text.
func told(values []*runtime.RemoteObject) string {
	var words []string
	for _, value := range values {
		switch {
		case value == nil:
		case value.Description != "":
			words = append(words, value.Description)
		default:
			words = append(words, string(value.Value))
		}
	}
	return strings.Join(words, " ")
}

// A watch that collects nothing would pass every page.
func TestWatch(t *testing.T) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "script-src 'self'")
		fmt.Fprintf(w, `<!doctype html><title>Bad</title><link rel="icon" href="/icon"><script>document.title = "inline"</script>
			<img src="/gone.png"><img src=%q><img src="http://127.0.0.1:1/"><script src="/bad.js"></script>`, elsewhere.URL+"/far.png")
	})
	mux.HandleFunc("/icon", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/bad.js", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `console.warn("take", "care"); console.error("broken"); throw new Error("thrown")`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	v := visit(t, server.URL, look{})
	v.open("/")
	wrong, rejected := v.seen()
	v.mu.Lock()
	v.wrong, v.rejected = nil, nil
	v.mu.Unlock()
	for _, seen := range []string{
		`console warning: "take" "care"`, `console error: "broken"`, "uncaught: Uncaught Error: thrown", "content security policy: script-src",
		"request to elsewhere: " + elsewhere.URL, "request failed: Image net::ERR_",
	} {
		require.Contains(t, strings.Join(wrong, "\n"), seen)
	}
	require.Equal(t, []string{"404 /gone.png"}, rejected)
}
