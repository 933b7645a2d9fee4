package web_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/i18n"
	"rollcall/adapters/report"
	"rollcall/adapters/web"
	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/pages"
	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/application"
	"rollcall/domain"
	"rollcall/test/fake"
	"rollcall/test/visitor"
	"rollcall/views"
)

// A site is a server over use cases, whose ports are fakes.
type site struct {
	url      string
	log      *syncBuffer
	store    *fake.Imports // accounts, imports, roles
	uploads  *fake.Uploads
	limits   *fake.Limits
	exports  *fake.Exports
	sessions fake.Sessions
	audit    *fake.Audit
	tokens   *application.AccessTokens
	setup    *application.SetUp
}

// settings are those of a site. A test changes what it is about.
type settings struct {
	web     web.Config
	imports application.ImportConfig
	auth    application.AuthConfig
}

// loadCatalog loads the texts of all languages once for all tests.
var loadCatalog = sync.OnceValues(i18n.New)

// serve serves a site until the test ends.
func serve(t *testing.T, change ...func(*settings)) *site {
	t.Helper()
	catalog, err := loadCatalog()
	require.NoError(t, err)
	store, spools := &fake.Imports{}, &fake.Spools{}
	s := &site{
		log: &syncBuffer{}, store: store, uploads: &fake.Uploads{}, limits: &fake.Limits{}, exports: &fake.Exports{}, audit: &fake.Audit{}, sessions: fake.Sessions{Store: store},
		tokens: application.NewAccessTokens(&fake.AccessTokens{}, &fake.Secrets{}, time.Now),
		setup:  application.NewSetUp(&fake.SetupCodes{Store: store}, &fake.Secrets{}, time.Now),
	}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	rules := func() domain.Rules { return domain.Rules{Region: "RU", Today: domain.DateOf(time.Now())} }
	decoder := bulkfile.Files{Spools: spools, MaxInflated: 64 << 20}
	accounts, hasher := fake.Accounts{Store: store}, &fake.Hasher{}
	use := settings{
		imports: application.ImportConfig{
			Imports: store, Decoder: decoder, Outcomes: spools, Audit: s.audit, Passwords: &fake.Passwords{}, Sentences: catalog.Choose("en", ""),
			Rules: rules, Now: time.Now, KeepOriginals: true, KeepAnswers: time.Hour,
		},
		auth: application.AuthConfig{
			Accounts: accounts, Limits: s.limits, Hasher: hasher, Devices: &fake.Devices{}, Audit: s.audit, Now: time.Now, Rules: rules,
			TemporaryLifetime: 24 * time.Hour, MustChange: true,
		},
		web: web.Config{
			Transport: transport.Config{ClientTimeout: time.Minute, MaxConnections: 1000, UntrustedProxy: func(netip.Addr) {}},
			Sessions:  session.Config{Storage: s.sessions, Descriptions: s.sessions, Idle: time.Hour, Lifetime: time.Hour},
			Guard:     guard.Config{ReportsAccess: domain.ReportsForAny, Tokens: s.tokens, Pseudonym: func(string) string { return "pseudonym" }},
			Useradd:   api.Config{Access: api.AccessOpen},
			Account:   pages.AccountConfig{Setup: s.setup},
			Uploads: pages.UploadsConfig{
				Uploads: s.uploads, Audit: s.audit, Templates: report.Templates(""), ResultFiles: report.Results(""),
				KeepAnswers: time.Hour, MaxUser: 8 << 20, PasswordPolicy: pages.PasswordsMustChange, PasswordLifetime: 24 * time.Hour,
			},
			SiteName: "Rollcall", Reports: fake.Reports{Store: store}, Audit: application.NewReadAudit(s.audit, accounts), Ready: func(context.Context) error { return nil }, Spools: spools, Languages: catalog, Now: time.Now, MaxBody: 1 << 20, Views: views.Files, Log: log,
			Sheets: report.Credentials(""),
		},
	}
	for _, change := range change {
		change(&use)
	}

	imports := application.NewImportUsers(use.imports)
	directory := application.NewDirectory(application.DirectoryConfig{
		Accounts: accounts, Store: fake.Directory{Store: store}, Users: fake.Users{Store: store}, Passwords: use.imports.Passwords, Outcomes: spools, Hasher: hasher, Now: time.Now, Rules: rules,
		TemporaryLifetime: use.auth.TemporaryLifetime, KeepAnswers: use.imports.KeepAnswers,
	})
	use.web.Directory, use.web.Users = directory, directory
	worker := application.NewUploadWorker(application.UploadWorkerConfig{
		Jobs: s.uploads, Importing: imports, Directory: directory, Spools: spools, Decoder: decoder, Failed: func(upload string, err error) { t.Errorf("upload %s: %v", upload, err) },
		Concurrency: 2, Queue: 8, Beat: 10 * time.Millisecond,
	})
	use.web.Useradd.Importing, use.web.Uploads.Importing = imports, imports
	auth := application.NewAuth(use.auth)
	use.web.Account.Auth = auth
	use.web.Account.Registering = application.NewRegisterUser(application.RegisterConfig{
		Registrations: fake.Registrations{Store: store}, Accounts: accounts, Limits: s.limits, Hasher: hasher, SignIn: auth.SignIn, Now: time.Now, Rules: rules,
	})
	uploading := application.NewUploadFile(application.UploadConfig{
		Uploads: s.uploads, Worker: worker, Importing: imports, Decoder: decoder, MaxUser: 8 << 20,
	})
	use.web.Uploads.Uploading, use.web.Uploads.Changing = uploading, uploading
	use.web.Exporting = application.NewExportReport(application.ExportConfig{
		Reports: fake.Reports{Store: store}, Audit: s.audit, AuditWriter: report.AuditCSV{Location: use.web.Now().Location()}, Exports: s.exports, Now: use.web.Now, Concurrency: 2, Patience: time.Minute,
		Formats: report.Formats(use.web.Now().Location(), ""), Users: use.web.Users, UserFormats: report.Users(use.web.Now().Location(), ""),
	})
	server, err := web.NewServer(use.web)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { worker.Run(ctx) })
	served := make(chan error, 1)
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, <-served)
		stop()
		running.Wait()
	})
	go func() { served <- server.Serve(listener) }()
	return s
}

// loopback are the addresses of proxies that run on this machine.
var loopback = transport.Proxies{netip.MustParsePrefix("127.0.0.0/8")}

// browser returns a browser that has not visited the site.
func (s *site) browser(t *testing.T, headers ...string) *visitor.Browser {
	t.Helper()
	return visitor.New(t, s.url, headers...)
}

const goodPassword = "correct horse battery staple"

// anna returns the fields of the form with which Anna registers, with some replaced.
func anna(pairs ...string) map[string]string {
	fields := map[string]string{
		"lname": "Ким", "fname": "Анна", "patr": "Петровна", "birthday": "1990-02-28", "email": "anna@example.com",
		"phone": "8 (912) 345-67-89", "login": "anna", "psw": goodPassword,
	}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	return fields
}

// registered returns the browser of a user who has registered as Anna.
func (s *site) registered(t *testing.T) *visitor.Browser {
	t.Helper()
	b := s.browser(t)
	got := b.Submit(t, "/register", anna())
	require.Equal(t, http.StatusSeeOther, got.Status, got.Text("main"))
	return b
}

// operator returns the browser of Anna, who is an operator.
func (s *site) operator(t *testing.T) *visitor.Browser {
	t.Helper()
	b := s.registered(t)
	s.grant(t, "anna")
	return b
}

// grant makes a user an operator.
func (s *site) grant(t *testing.T, name string) {
	t.Helper()
	login, violations := domain.NewLogin(name)
	require.Empty(t, violations)
	require.NoError(t, fake.Roles{Store: s.store}.Grant(t.Context(), login, domain.RoleOperator))
}

// post posts a file to /useradd as a program does.
func (s *site) post(t *testing.T, body string, headers ...string) answer {
	t.Helper()
	return s.do(t, http.MethodPost, "/useradd", body, headers...)
}

// do sends a request as a program does, and follows no redirect.
func (s *site) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

// person returns a valid record as JSON, with a login and further fields.
func person(login, fields string) string {
	return `{"last_name":"Ким","first_name":"Анна","patronymic":"Петровна","login":"` + login + `",` + fields + `}`
}
