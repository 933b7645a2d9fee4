// Package web serves HTTP with Fiber. Its rooms are packages of their own, which it joins to a server:
//
//   - transport adds to fasthttp what net/http has
//   - problem maps errors to answers
//   - intake receives files
//   - session and guard identify users and apply the rules of routes
//   - api answers programs
//   - pages answers browsers, with locale and manual
package web

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/template/html/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/manual"
	"rollcall/adapters/web/pages"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/ports"
)

// idleTimeout is the time for which a connection stays open between two requests.
const idleTimeout = 2 * time.Minute

// Config describes a server. Each group of settings goes to the room that uses it.
type Config struct {
	Transport transport.Config
	Sessions  session.Config
	Guard     guard.Config
	Useradd   api.Config
	Account   pages.AccountConfig
	Uploads   pages.UploadsConfig

	SiteName  string // that pages and slips show
	Reports   ports.ReportReading
	Directory ports.Directory
	Users     ports.Users
	Exporting ports.Exporting
	Audit     ports.ReadingAudit
	Ready     func(context.Context) error // returns nil if the database answers and has every migration, else what is missing
	Spools    ports.SpoolStore
	Languages ports.Languages
	Now       func() time.Time // in the server's time zone
	Sheets    api.Sheets
	MaxBody   int64 // bytes of a file
	Views     fs.FS // layouts, partials, pages, static files and the manual
	Log       *slog.Logger

	PatronymicOptional bool // a person may have no patronymic
}

// A Server answers HTTP requests.
type Server struct {
	app       *fiber.App
	transport transport.Config
	log       *slog.Logger
	draining  *atomic.Bool

	// Shutdown cuts off TLS handshakes immediately, and requests when its context ends.
	cutOff, cutOffHandshakes context.CancelFunc
	handshakes               context.Context //nolint:containedctx // of connections that listeners accept
}

// NewServer returns a server that does not listen yet. It returns an error if the views are invalid.
func NewServer(cfg Config) (*Server, error) {
	engine := html.NewFileSystem(http.FS(cfg.Views), ".html")
	err := engine.Load()
	if err != nil {
		return nil, fmt.Errorf("load views: %w", err)
	}
	h, err := newHandlers(cfg, engine)
	if err != nil {
		return nil, err
	}
	proxies := make([]string, len(cfg.Transport.Proxies))
	for i, proxy := range cfg.Transport.Proxies {
		proxies[i] = proxy.String()
	}
	app := fiber.New(fiber.Config{
		AppName:                      "Rollcall",
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true,
		ErrorHandler:                 h.answerInvalid,
		IdleTimeout:                  idleTimeout,
		ReadTimeout:                  cfg.Transport.ClientTimeout, // which a connection extends
		Concurrency:                  cfg.Transport.MaxConnections,
		Views:                        engine,
		RequestMethods:               transport.Methods(),
		EnableTrustedProxyCheck:      true,
		TrustedProxies:               proxies,

		// Strings of a request are copies. Otherwise they alias a buffer that the next request is read into, and what outlives the
		// request (a job, a stream, a log line) shows text of another client. Copies cost half a microsecond a request.
		Immutable: true,

		// Handlers read bodies, each with its limit. Fiber's limit is then the number of bytes that it reads before a handler runs. It is
		// as low as possible, because no handler learns of a body that breaks off there.
		StreamRequestBody: true,
		BodyLimit:         1,
	})
	s := &Server{app: app, transport: cfg.Transport, log: cfg.Log, draining: &atomic.Bool{}}
	ctx, cutOff := context.WithCancel(context.Background())
	s.cutOff = cutOff
	s.handshakes, s.cutOffHandshakes = context.WithCancel(ctx)
	app.Use(func(c *fiber.Ctx) error {
		c.SetUserContext(ctx)
		err := c.Next()
		if s.draining.Load() {
			c.Context().SetConnectionClose()
		}
		return err
	})
	app.Use(cfg.Transport.Proxies.NoticeOthers(cfg.Transport.UntrustedProxy))
	if len(proxies) > 0 {
		app.Use(transport.CheckForwarded)
	}
	route(app, cfg, h, s.draining)
	transport.RouteUnknownMethods(app.Server())
	transport.RejectLaxHeads(app.Server())
	return s, nil
}

// newHandlers joins the rooms.
func newHandlers(cfg Config, engine *html.Engine) (*handlers, error) {
	static, err := fs.Sub(cfg.Views, "static")
	if err != nil {
		return nil, fmt.Errorf("find static files: %w", err)
	}
	assets, err := pages.NewAssets(static)
	if err != nil {
		return nil, err
	}
	texts, err := fs.Sub(cfg.Views, "help")
	if err != nil {
		return nil, fmt.Errorf("find manual: %w", err)
	}
	help, err := manual.Load(texts, cfg.Languages)
	if err != nil {
		return nil, err
	}
	languages, files := locale.New(cfg.Languages, cfg.Now), intake.NewReceiver(cfg.Spools, cfg.MaxBody)
	door := guard.New(cfg.Guard, session.New(cfg.Account.Auth, cfg.Sessions), cfg.Transport.Proxies, cfg.Log)
	site := &pages.Site{
		Name: cfg.SiteName, Guard: door, Locale: languages, Assets: assets, AllowsRegistration: !cfg.Account.RegistrationClosed,
		PatronymicOptional: cfg.PatronymicOptional,
	}
	reports := &pages.Reports{Site: site, Reading: cfg.Reports, Directory: cfg.Directory}
	slips := &pages.SlipPrinter{Site: site, Page: engine.Templates.Lookup("pages/slips")}
	return &handlers{
		guard:   door,
		site:    site,
		help:    &pages.Help{Site: site, Manual: help},
		account: &pages.Account{Site: site, AccountConfig: cfg.Account},
		reports: reports,
		audit:   &pages.Audit{Site: site, Reading: cfg.Audit},
		uploads: &pages.Uploads{Reports: reports, UploadsConfig: cfg.Uploads, Files: files, Sheets: cfg.Sheets, Slips: slips},
		useradd: &api.Useradd{Config: cfg.Useradd, Guard: door, Files: files, Sheets: cfg.Sheets, Sentences: languages.English(), Log: cfg.Log},
		people: &pages.People{
			Site: site, Finding: cfg.Users, Directory: cfg.Directory, Audit: cfg.Audit, Slips: slips, PasswordPolicy: cfg.Uploads.PasswordPolicy,
		},
		bulk:    &pages.Bulk{Site: site, Finding: cfg.Users, Changing: cfg.Uploads.Changing, KeepAnswers: cfg.Uploads.KeepAnswers},
		users:   &api.Users{Finding: cfg.Users, Directory: cfg.Directory, Guard: door, Locale: languages},
		exports: &api.Exports{Exporting: cfg.Exporting, Audit: cfg.Audit, Guard: door, Locale: languages},
	}, nil
}

// answer answers a request with an error, and returns the error for the log.
func (h *handlers) answer(c *fiber.Ctx, err error) error {
	err = problem.OfRouting(err)
	h.guard.Events.NoteError(c, err)
	return problem.Answer(c, err, h.site, h.site.Locale.English(), h.site.Locale.Words(c))
}

// answerInvalid implements fiber.ErrorHandler, for requests that reach no handler.
func (h *handlers) answerInvalid(c *fiber.Ctx, err error) error {
	transport.Linger(c) // the client may still be sending a header that is too large
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	_ = h.answer(c, fmt.Errorf("%w: %w", problem.ErrRequest, err))
	return nil
}

// Serve answers the requests of connections to l until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	err := s.app.Listener(transport.Listen(s.handshakes, l, s.transport, s.log))
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Drain makes /readyz fail, and closes each connection after its next answer, so that a load balancer sends further requests to other
// instances. The server still answers all requests.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown stops accepting requests, and waits for those in flight until ctx ends. It returns an error if requests were cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.cutOff()
	s.cutOffHandshakes()
	err := s.app.ShutdownWithContext(ctx)
	if err != nil {
		return fmt.Errorf("shut down: requests were cut off: %w", err)
	}
	return nil
}
