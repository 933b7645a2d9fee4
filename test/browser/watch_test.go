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

// watch sees what goes wrong behind a page.
type watch struct {
	mu      sync.Mutex
	hosts   []string // that may be asked
	wrong   []string // what no page may do
	refused []string // answers of 400 and more, like "404 /nowhere"
	isOff   bool     // it reports nothing: of an attack everything is wrong
}

// see is called with every event of the page, in their order.
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
		// Of a refusal the log says less than its answer does, which is seen below.
		isRefusal := strings.HasPrefix(e.Entry.Text, "Failed to load resource: the server responded with a status of")
		if (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) && !isRefusal {
			w.reportf("log %s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if e.Issue.Details.ContentSecurityPolicyIssueDetails != nil {
			w.reportf("content security policy: %s", e.Issue.Details.ContentSecurityPolicyIssueDetails.ViolatedDirective)
		}
	case *network.EventRequestWillBeSent:
		to, err := url.Parse(e.Request.URL)
		if err != nil || to.Scheme != "data" && !slices.Contains(w.hosts, to.Host) { // icons of the browser's own are data
			w.reportf("request to elsewhere: %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= http.StatusBadRequest {
			w.refused = append(w.refused, refusal(e.Response))
		}
	case *network.EventLoadingFailed:
		w.reportf("request failed: %s %s %s", e.Type, e.ErrorText, e.BlockedReason)
	}
}

func (w *watch) reportf(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// seen is all that was seen so far.
func (w *watch) seen() (wrong, refused []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrong, w.refused
}

func refusal(r *network.Response) string {
	path := r.URL
	if at, err := url.Parse(r.URL); err == nil {
		path = at.Path
	}
	return fmt.Sprintf("%d %s", r.Status, path)
}

// told is what the values say, in words.
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

// A watch that sees nothing would let everything pass.
func TestWatchSeesWhatGoesWrong(t *testing.T) {
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
	wrong, refused := v.seen()
	v.mu.Lock()
	v.wrong, v.refused = nil, nil
	v.mu.Unlock()
	for _, seen := range []string{
		`console warning: "take" "care"`, `console error: "broken"`, "uncaught: Uncaught Error: thrown", "content security policy: script-src",
		"request to elsewhere: " + elsewhere.URL, "request failed: Image net::ERR_",
	} {
		require.Contains(t, strings.Join(wrong, "\n"), seen)
	}
	require.Equal(t, []string{"404 /gone.png"}, refused)
}
