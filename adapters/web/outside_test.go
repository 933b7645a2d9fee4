package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/i18n"
	"rollcall/adapters/report"
	"rollcall/adapters/web"
	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/pages"
	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
	"rollcall/views"
)

// many is more objects than an answer is made whole for.
const many = 2000

var errLost = errors.New("the database is lost")

// outside is what stands behind the server: it takes everything, and keeps what it was given.
type outside struct {
	user domain.User
	log  *syncBuffer
	url  string

	mu    sync.Mutex
	kept  []kept
	store map[string][]byte // sessions

	poisoned chan struct{} // closed when the request's text is overwritten; nil where it is not
	fails    bool          // imports do, when that is done
	created  int           // of many
}

// kept is what a port was given, with what it read like then.
type kept struct {
	what   string
	values []any
	was    []string
}

func (o *outside) keep(what string, values ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, kept{what, values, texts(values)})
}

// texts are copies of all strings in values.
func texts(values []any) (all []string) {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			all = append(all, strings.Clone(v.String()))
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for _, field := range v.Fields() {
				walk(field)
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	for _, value := range values {
		walk(reflect.ValueOf(value))
	}
	return all
}

func (o *outside) wait() {
	o.mu.Lock()
	poisoned := o.poisoned
	o.mu.Unlock()
	if poisoned != nil {
		<-poisoned
	}
}

func (o *outside) result() *ports.ImportResult {
	outcomes := func(yield func(domain.Outcome, error) bool) {
		o.wait()
		for n := 1; n <= many; n++ {
			outcome := domain.Outcome{Record: n, Login: fmt.Sprint("login", n), Password: "secret"}
			if n > o.created {
				outcome = domain.Outcome{Record: n, Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeRequired}}}
			}
			if !yield(outcome, nil) {
				return
			}
		}
	}
	tally := domain.Tally{Records: many, Registered: o.created, Rejected: many - o.created}
	return &ports.ImportResult{ID: 1, Tally: tally, Outcomes: outcomes, Close: func() error { return nil }}
}

func (o *outside) Import(_ context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	o.keep("Import", request.Hint, request.Key, request.Sender)
	if o.fails {
		o.wait()
		return nil, errLost
	}
	return o.result(), nil
}

func (o *outside) Reject(_ context.Context, rejected ports.RejectedImport) (int64, error) {
	o.keep("Reject", rejected)
	return 1, nil
}

func (o *outside) Register(_ context.Context, request ports.RegistrationRequest) (*domain.User, error) {
	o.keep("Register", request)
	return &o.user, nil
}

func (o *outside) CheckToken(_ context.Context, secret string) (*domain.AccessToken, error) {
	o.keep("CheckToken", secret)
	return &domain.AccessToken{Name: secret}, nil
}

func (o *outside) SignIn(_ context.Context, attempt ports.Attempt) (*domain.User, error) {
	o.keep("SignIn", attempt)
	return &o.user, nil
}

func (o *outside) MarkDevice(_ *domain.User, device string) string {
	o.keep("MarkDevice", device)
	return device + "mark"
}

func (o *outside) User(context.Context, int64, time.Time) (*domain.User, error) { return &o.user, nil }

func (o *outside) ChangePassword(_ context.Context, change ports.PasswordChange) (*domain.User, error) {
	o.keep("ChangePassword", change)
	return &o.user, nil
}

func (o *outside) Statistics(context.Context, domain.Date) (*domain.Statistics, error) {
	return &domain.Statistics{All: domain.Count{Imports: 1}}, nil
}

func (o *outside) Imports(_ context.Context, query ports.ImportQuery) (*ports.ImportPage, error) {
	o.keep("Imports", query)
	return &ports.ImportPage{Imports: []domain.Import{{ID: 1, Count: domain.Count{Imports: 1, Rejected: 1}}}, IsFirst: true, IsLast: true}, nil
}

func (o *outside) Rejections(_ context.Context, query ports.RejectionQuery) (*ports.RejectionPage, error) {
	o.keep("Rejections", query)
	return &ports.RejectionPage{Import: domain.Import{ID: 1}, IsLast: true}, nil
}

func (o *outside) Export(_ context.Context, query ports.ExportQuery) (*ports.ExportFile, error) {
	o.keep("Export", query)
	return &ports.ExportFile{ReadCloser: io.NopCloser(strings.NewReader("file")), Name: query.Format + ".file", Size: 4}, nil
}

func (o *outside) Receive(_ context.Context, user int64, hint ports.FileHint, _ ports.Spool) (string, error) {
	o.keep("Receive", user, hint)
	return "upload1", nil
}

func (o *outside) Find(_ context.Context, _ int64, id string) (*ports.Upload, error) {
	o.keep("Find", id)
	return &ports.Upload{ID: id, State: domain.UploadChecked}, nil
}

func (o *outside) Start(_ context.Context, _ int64, id string, _ bool) error {
	o.keep("Start", id)
	return nil
}

func (o *outside) Cancel(_ context.Context, _ int64, id string) error {
	o.keep("Cancel", id)
	return nil
}

func (o *outside) Latest(context.Context, int64, int) ([]ports.Upload, error) { return nil, nil }

func (o *outside) Recall(_ context.Context, key domain.ImportKey) (*ports.ImportResult, error) {
	o.keep("Recall", key)
	return o.result(), nil
}

func (o *outside) NewCode(context.Context) (string, error) { return "", nil }

func (o *outside) CheckCode(_ context.Context, code string) error {
	o.keep("CheckCode", code)
	return nil
}

func (o *outside) UseCode(_ context.Context, code string, user int64) error {
	o.keep("UseCode", code, user)
	return nil
}

func (o *outside) Ready(context.Context) error { return nil }

func (o *outside) GetWithContext(_ context.Context, key string) ([]byte, error) {
	o.keep("session", key)
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.store[key], nil
}

func (o *outside) SetWithContext(_ context.Context, key string, value []byte, _ time.Duration) error {
	o.keep("session", key)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.store[key] = bytes.Clone(value)
	return nil
}

func (o *outside) DeleteWithContext(_ context.Context, key string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.store, key)
	return nil
}

// syncBuffer is a buffer that several goroutines may use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// sheet writes logins and sentences.
type sheet struct{ sentences ports.Sentences }

func (s sheet) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	for outcome, err := range outcomes {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(w, outcome.Record, outcome.Login, s.sentences.Describe(outcome.Violations))
		if err != nil {
			return err
		}
	}
	return nil
}

// serveOutside serves until the test ends, on what change makes of the usual configuration.
func serveOutside(t *testing.T, change func(cfg *web.Config)) (*outside, *web.Server) {
	t.Helper()
	catalog, err := i18n.New()
	require.NoError(t, err)
	o := &outside{
		user: domain.User{ID: 1, Login: "anna", Roles: []domain.Role{domain.RoleOperator}}, log: &syncBuffer{}, store: map[string][]byte{}, created: many,
	}
	write := func(words ports.Words) ports.OutcomeWriter { return sheet{words} }
	cfg := web.Config{
		Transport: transport.Config{
			MaxConnections: 100, ClientTimeout: time.Minute, Proxies: loopback, UntrustedProxy: func(netip.Addr) {},
		},
		Sessions: session.Config{Storage: o, Idle: time.Hour, Lifetime: time.Hour},
		Guard:    guard.Config{ReportsAccess: domain.ReportsForAny, Pseudonym: func(string) string { return "pseudonym" }},
		Useradd:  api.Config{Access: api.AccessToken, Tokens: o, Importing: o},
		Account:  pages.AccountConfig{Registering: o, Auth: o, Setup: o},
		Uploads: pages.UploadsConfig{
			Uploading: o, Uploads: o, Importing: o, Templates: map[string]ports.TemplateWriter{"csv": report.TemplateCSV{}, "xlsx": report.TemplateXLSX{}}, KeepAnswers: time.Hour,
		},
		Reports: o, Exporting: o, Health: o, Spools: &fake.Spools{}, Languages: catalog, Sheets: api.Sheets{"csv": write, "xlsx": write},
		MaxBody: 1 << 20, Views: views.Files, Log: slog.New(slog.NewTextHandler(o.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	server, err := web.NewServer(cfg)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o.url = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, <-served)
	})
	go func() { served <- server.Serve(listener) }()
	return o, server
}

// client returns a browser, which follows no redirect. It sends the headers with each request.
func client(headers ...string) *http.Client {
	headers = append([]string{"Sec-Fetch-Site", "same-origin"}, headers...)
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Jar: jar{}, CheckRedirect: noRedirect, Transport: withHeaders(headers)}
}

// jar keeps cookies, those for TLS too: the proxy that a test plays has it.
type jar map[string]*http.Cookie

func (j jar) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	for _, cookie := range cookies {
		j[cookie.Name] = cookie
	}
}

func (j jar) Cookies(*url.URL) []*http.Cookie { return slices.Collect(maps.Values(j)) }

type withHeaders []string

func (h withHeaders) RoundTrip(request *http.Request) (*http.Response, error) {
	for i := 0; i < len(h); i += 2 {
		if request.Header.Get(h[i]) == "" && (h[i] != "Sec-Fetch-Site" || request.Header.Get("Origin") == "") {
			request.Header.Set(h[i], h[i+1])
		}
	}
	return http.DefaultTransport.RoundTrip(request)
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   string
}

func (o *outside) request(t *testing.T, c *http.Client, method, path, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, o.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err, "%s %s", method, path)
	return answer{response.StatusCode, response.Header, string(text)}
}

const mediaForm = "application/x-www-form-urlencoded"

// signedIn returns a browser of a user who has signed in.
func (o *outside) signedIn(t *testing.T, headers ...string) *http.Client {
	t.Helper()
	c := client(headers...)
	got := o.request(t, c, http.MethodPost, "/login", url.Values{"login": {"anna"}, "psw": {"secret"}}.Encode(), "Content-Type", mediaForm)
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	return c
}
