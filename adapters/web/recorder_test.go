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

	"rollcall/adapters/report"
	"rollcall/adapters/web"
	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/pages"
	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
	"rollcall/views"
)

// many is a number of records whose answer is streamed.
const many = 2000

var errLost = errors.New("the database is lost")

// A recorder implements the driving ports of a server. It accepts everything, and records its arguments.
type recorder struct {
	user domain.User
	log  *syncBuffer
	url  string

	mu    sync.Mutex
	calls []call
	store map[string][]byte // sessions

	poisoned chan struct{} // closed when the request's text is overwritten; nil if it is not
	fails    bool          // imports fail after that
	created  int           // records of many
}

// A call is a call of a port, with the texts of its arguments at that time.
type call struct {
	method string
	args   []any
	texts  []string
}

func (r *recorder) record(method string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call{method, args, texts(args)})
}

// texts returns copies of all strings in values.
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

func (r *recorder) wait() {
	r.mu.Lock()
	poisoned := r.poisoned
	r.mu.Unlock()
	if poisoned != nil {
		<-poisoned
	}
}

func (r *recorder) result() *ports.ImportResult {
	outcomes := func(yield func(domain.Outcome, error) bool) {
		r.wait()
		for n := 1; n <= many; n++ {
			outcome := domain.Outcome{Record: n, Login: fmt.Sprint("login", n), Password: "secret"}
			if n > r.created {
				outcome = domain.Outcome{Record: n, Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeRequired}}}
			}
			if !yield(outcome, nil) {
				return
			}
		}
	}
	tally := domain.Tally{Records: many, Registered: r.created, Rejected: many - r.created}
	return &ports.ImportResult{
		ID: 1, Tally: tally, Outcomes: outcomes, Close: func() error { return nil },
		SlipOrder: func() (*domain.SlipOrder, error) {
			return &domain.SlipOrder{Records: []int32{1}, Groups: []int32{0}}, nil
		},
		Pick: func(records []int32) (map[int32]domain.Outcome, error) {
			return map[int32]domain.Outcome{records[0]: {Record: many, Login: fmt.Sprint("login", many)}}, nil
		},
	}
}

func (r *recorder) Import(_ context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	r.record("Import", request.Hint, request.Key, request.Sender)
	if r.fails {
		r.wait()
		return nil, errLost
	}
	return r.result(), nil
}

func (r *recorder) Reject(_ context.Context, rejected ports.RejectedImport) (int64, error) {
	r.record("Reject", rejected)
	return 1, nil
}

func (r *recorder) Register(_ context.Context, request ports.RegistrationRequest) (user *domain.User, isNew bool, err error) {
	r.record("Register", request)
	return &r.user, true, nil
}

func (r *recorder) CheckToken(_ context.Context, secret string, _ domain.Scope) (*domain.AccessToken, error) {
	r.record("CheckToken", secret)
	return &domain.AccessToken{Name: secret}, nil
}

func (r *recorder) SignIn(_ context.Context, attempt ports.Attempt) (*domain.User, error) {
	r.record("SignIn", attempt)
	return &r.user, nil
}

func (r *recorder) MarkDevice(_ *domain.User, device string) string {
	r.record("MarkDevice", device)
	return device + "mark"
}

func (r *recorder) User(context.Context, int64, time.Time) (*domain.User, error) { return &r.user, nil }

func (r *recorder) ChangePassword(_ context.Context, change ports.PasswordChange) (*domain.User, error) {
	r.record("ChangePassword", change)
	return &r.user, nil
}

func (r *recorder) Statistics(context.Context, domain.Date) (*domain.Statistics, error) {
	return &domain.Statistics{All: domain.Count{Imports: 1}}, nil
}

func (r *recorder) Running(context.Context) ([]ports.RunningImport, error) { return nil, nil }

func (r *recorder) Imports(_ context.Context, query ports.ImportQuery) (*ports.ImportPage, error) {
	r.record("Imports", query)
	return &ports.ImportPage{Imports: []domain.Import{{ID: 1, Count: domain.Count{Imports: 1, Rejected: 1}}}, IsFirst: true, IsLast: true}, nil
}

func (r *recorder) Rejections(_ context.Context, query ports.RejectionQuery) (*ports.RejectionPage, error) {
	r.record("Rejections", query)
	return &ports.RejectionPage{Import: domain.Import{ID: 1}, IsLast: true}, nil
}

func (r *recorder) Export(_ context.Context, query ports.ExportQuery) (*ports.ExportFile, error) {
	r.record("Export", query)
	return &ports.ExportFile{ReadCloser: io.NopCloser(strings.NewReader("file")), Name: query.Format + ".file", Size: 4}, nil
}

func (r *recorder) ExportAudit(_ context.Context, query ports.AuditExportQuery) (*ports.ExportFile, error) {
	r.record("ExportAudit", query)
	return &ports.ExportFile{ReadCloser: io.NopCloser(strings.NewReader("file")), Name: "audit.csv", Size: 4}, nil
}

func (r *recorder) ExportUsers(_ context.Context, query ports.UserExportQuery) (*ports.ExportFile, error) {
	r.record("ExportUsers", query)
	return &ports.ExportFile{ReadCloser: io.NopCloser(strings.NewReader("file")), Name: "users.csv", Size: 4}, nil
}

func (r *recorder) Page(_ context.Context, query ports.UserQuery) (*ports.UserPage, error) {
	r.record("Page", query)
	return &ports.UserPage{Users: []*domain.Person{{User: r.user, Status: domain.StatusActive}}, Next: "next-of-a-page", Unlisted: 1}, nil
}

func (r *recorder) Count(_ context.Context, selection ports.UserSelection, limit int) (int, error) {
	r.record("Count", selection)
	return limit, nil
}

func (r *recorder) CountAll(_ context.Context, selection ports.UserSelection) (int, error) {
	r.record("CountAll", selection)
	return many, nil
}

func (r *recorder) Read(context.Context, ports.UserSelection, domain.UserOrder, func(iter.Seq2[*domain.Person, error]) error) error {
	return nil
}

func (r *recorder) Receive(_ context.Context, user int64, hint ports.FileHint, _ ports.Spool) (string, error) {
	r.record("Receive", user, hint)
	return "upload1", nil
}

func (r *recorder) Find(_ context.Context, _ int64, id string) (*ports.Upload, error) {
	r.record("Find", id)
	upload := &ports.Upload{ID: id, State: domain.UploadChecked}
	if strings.HasPrefix(id, "change") {
		upload.State, upload.Change = domain.UploadImported, &ports.BulkChange{Action: domain.BulkSuspend}
	}
	return upload, nil
}

func (r *recorder) ChangeUsers(_ context.Context, _ int64, change ports.BulkChange) (string, error) {
	r.record("ChangeUsers", change)
	return "change1", nil
}

func (r *recorder) Start(_ context.Context, _ int64, id string, _ bool) error {
	r.record("Start", id)
	return nil
}

func (r *recorder) Choose(_ context.Context, _ int64, id string, chosen ports.FileHint) error {
	r.record("Choose", id, chosen.Charset, chosen.Sheets, chosen.Dates)
	return nil
}

func (r *recorder) Cancel(_ context.Context, _ int64, id string) error {
	r.record("Cancel", id)
	return nil
}

func (r *recorder) Latest(context.Context, int64, int) ([]ports.Upload, error) { return nil, nil }

func (r *recorder) Recall(_ context.Context, key domain.ImportKey) (*ports.ImportResult, error) {
	r.record("Recall", key)
	return r.result(), nil
}

func (r *recorder) NewCode(context.Context) (string, error) { return "", nil }

func (r *recorder) CheckCode(_ context.Context, code string) error {
	r.record("CheckCode", code)
	return nil
}

func (r *recorder) UseCode(_ context.Context, code string, user int64) error {
	r.record("UseCode", code, user)
	return nil
}

func (r *recorder) Ready(context.Context) error { return nil }

func (r *recorder) Person(context.Context, int64) (*domain.Person, error) {
	return &domain.Person{User: r.user, Status: domain.StatusActive}, nil
}

func (r *recorder) Owners(_ context.Context, names []ports.Names) ([]ports.Owners, error) {
	return make([]ports.Owners, len(names)), nil
}

func (r *recorder) Edit(_ context.Context, _ int64, expected ports.Expectation, person func(*domain.User) *domain.Candidate) error {
	r.record("Edit", person(&r.user))
	if expected != nil {
		return expected(&r.user)
	}
	return nil
}

func (r *recorder) Salt() []byte { return []byte("salt") }

func (r *recorder) NewPassword(_ context.Context, _ int64, _ ports.Expectation, salt []byte) (login, password string, err error) {
	r.record("NewPassword", string(salt))
	return "anna", "secret", nil
}

func (r *recorder) Suspend(context.Context, int64, ports.Expectation) error { return nil }

func (r *recorder) Restore(context.Context, int64, ports.Expectation) error { return nil }

func (r *recorder) EndSessions(context.Context, int64, ports.Expectation) error { return nil }

func (r *recorder) RequireChange(context.Context, int64, ports.Expectation) error { return nil }

func (r *recorder) Delete(context.Context, int64, ports.Expectation) error { return nil }

func (r *recorder) GetWithContext(_ context.Context, key string) ([]byte, error) {
	r.record("session", key)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store[key], nil
}

func (r *recorder) Describe(_ context.Context, key string, session *domain.Session) error {
	r.record("Describe", key, session)
	return nil
}

func (r *recorder) SetWithContext(_ context.Context, key string, value []byte, _ time.Duration) error {
	r.record("session", key)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.store[key] = bytes.Clone(value)
	return nil
}

func (r *recorder) DeleteWithContext(_ context.Context, key string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.store, key)
	return nil
}

// A syncBuffer is a buffer for several goroutines.
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

// A sheet writes logins and sentences.
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

// serveRecorder serves until the test ends, with the configuration after change.
func serveRecorder(t *testing.T, change func(cfg *web.Config)) (*recorder, *web.Server) {
	t.Helper()
	catalog, err := loadCatalog()
	require.NoError(t, err)
	r := &recorder{
		user: domain.User{ID: 1, Login: "anna", Roles: []domain.Role{domain.RoleOperator}}, log: &syncBuffer{}, store: map[string][]byte{}, created: many,
	}
	write := func(words ports.Words) ports.OutcomeWriter { return sheet{words} }
	cfg := web.Config{
		Transport: transport.Config{
			MaxConnections: 100, ClientTimeout: time.Minute, Proxies: loopback, UntrustedProxy: func(netip.Addr) {},
		},
		Sessions: session.Config{Storage: r, Descriptions: r, Idle: time.Hour, Lifetime: time.Hour},
		Guard:    guard.Config{ReportsAccess: domain.ReportsForAny, Tokens: r, Pseudonym: func(string) string { return "pseudonym" }},
		Useradd:  api.Config{Access: api.AccessToken, Importing: r},
		Account:  pages.AccountConfig{Registering: r, Auth: r, Setup: r},
		Uploads: pages.UploadsConfig{
			Uploading: r, Changing: r, ResultFiles: pages.ResultFiles{"csv": func(words ports.Words, _ domain.BulkAction) ports.OutcomeWriter { return sheet{words} }}, Uploads: r, Importing: r, Audit: &fake.Audit{}, Templates: report.Templates(""), KeepAnswers: time.Hour,
		},
		Reports: r, Directory: r, Users: r, Exporting: r, Audit: application.NewReadAudit(&fake.Audit{}, nil), Ready: r.Ready, Spools: &fake.Spools{}, Languages: catalog, Now: time.Now, Sheets: api.Sheets{"csv": write, "xlsx": write},
		MaxBody: 1 << 20, Views: views.Files, Log: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	server, err := web.NewServer(cfg)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.url = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, <-served)
	})
	go func() { served <- server.Serve(listener) }()
	return r, server
}

// client returns a browser, which follows no redirect. It sends the headers with each request.
func client(headers ...string) *http.Client {
	headers = append([]string{"Sec-Fetch-Site", "same-origin"}, headers...)
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Jar: jar{}, CheckRedirect: noRedirect, Transport: withHeaders(headers)}
}

// A jar keeps cookies, also those for TLS: a test plays the proxy.
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

// An answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

func (r *recorder) request(t *testing.T, c *http.Client, method, path, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
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
func (r *recorder) signedIn(t *testing.T, headers ...string) *http.Client {
	t.Helper()
	c := client(headers...)
	got := r.request(t, c, http.MethodPost, "/login", url.Values{"login": {"anna"}, "psw": {"secret"}}.Encode(), "Content-Type", mediaForm)
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	return c
}
