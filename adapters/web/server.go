// Package web serves HTTP: Fiber, the routes, and one table that says which error is which answer.
package web

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/template/html/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// idleTimeout is how long a connection may stay open between two requests.
const idleTimeout = 2 * time.Minute

// Config is what the server works with.
type Config struct {
	Importing     ports.Importing
	Registering   ports.Registering
	Access        ports.CheckingTokens
	Auth          ports.Authenticating
	Setup         ports.SettingUp
	Reports       ports.ReportReading
	Exporting     ports.Exporting
	Uploading     ports.Uploading
	Uploads       ports.UploadReading
	Health        ports.Health
	Spools        ports.SpoolStore
	Languages     ports.Languages
	Sessions      SessionConfig
	Passwords     TemporaryPasswords
	ReportsAccess domain.ReportsAccess
	Views         fs.FS                           // layouts, partials, pages and static files
	Sheets        Sheets                          // of credentials
	Templates     map[string]ports.TemplateWriter // of files to start from, by extension
	Log           *slog.Logger
	MaxBody       int64         // bytes that a file may have
	KeepAnswers   time.Duration // how long what came of an upload can be had

	MaxConnections int           // of which one address may have a tenth, unless it is a trusted proxy's
	ClientTimeout  time.Duration // how long a client that is slower than a KiB a second may keep the server waiting

	TLS *tls.Config // nil for none

	// Pseudonym returns what stands for a name in the log: always the same, and nobody finds out the name from it.
	Pseudonym func(name string) string

	UseraddAccess      UseraddAccess
	RegistrationClosed bool // visitors may not register; /useradd does not mind

	Hosts Hosts // names that the server answers to

	// TrustedProxies are those whose word is taken on a client's address, and on the scheme and the host that it came to.
	TrustedProxies []netip.Prefix

	// UntrustedProxy is called once, with the first peer that is none of them and sends X-Forwarded headers.
	UntrustedProxy func(peer netip.Addr)
}

// TemporaryPasswords is what people are told of the passwords that imports made.
type TemporaryPasswords struct {
	Policy   PasswordPolicy
	Lifetime time.Duration // since the import
}

// PasswordPolicy says what a user does who signs in with a temporary password.
type PasswordPolicy string

// The policies.
const (
	PasswordsMustChange PasswordPolicy = "must-change" // another one is chosen before anything else
	PasswordsMayChange  PasswordPolicy = "may-change"  // it signs in until it expires
)

// Server answers HTTP requests.
type Server struct {
	app           *fiber.App
	tls           *tls.Config
	clientTimeout time.Duration
	shares        *shares
	log           *slog.Logger

	draining *atomic.Bool

	// What is not done when the server shuts down is cut off: agreeing on TLS at once, work of requests in the end.
	cutOff, cutOffHandshakes context.CancelFunc
	handshakes               context.Context //nolint:containedctx // of connections that listeners accept
}

// NewServer makes a server that does not listen yet. It returns an error when the views are not as they should be.
func NewServer(cfg Config) (*Server, error) {
	engine := html.NewFileSystem(http.FS(cfg.Views), ".html")
	err := engine.Load()
	if err != nil {
		return nil, fmt.Errorf("load views: %w", err)
	}
	p, err := newPages(cfg, engine.Templates)
	if err != nil {
		return nil, err
	}
	proxies := make([]string, len(cfg.TrustedProxies))
	for i, proxy := range cfg.TrustedProxies {
		proxies[i] = proxy.String()
	}
	app := fiber.New(fiber.Config{
		AppName:                      "Rollcall",
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true,
		ErrorHandler:                 p.answerError,
		IdleTimeout:                  idleTimeout,
		ReadTimeout:                  cfg.ClientTimeout, // to begin with: see conn
		Concurrency:                  cfg.MaxConnections,
		Views:                        engine,
		EnableTrustedProxyCheck:      true,
		TrustedProxies:               proxies,

		// Strings of a request are copies. Otherwise they alias a buffer that the next request is read into, and what outlives
		// the request (a job, a stream, a log line) shows text of another client. This costs half a microsecond a request.
		Immutable: true,

		// Bodies are read by the handlers, each of which has a limit of its own. Fiber's limit is then how much is read
		// before a handler runs: as little as can be, since a body that breaks off there would never get to one.
		StreamRequestBody: true,
		BodyLimit:         1,
	})
	s := &Server{app: app, tls: cfg.TLS, clientTimeout: cfg.ClientTimeout, log: cfg.Log, draining: &atomic.Bool{}}
	s.shares = newShares(cfg.MaxConnections, p.isProxy)
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
	app.Use(noticeProxy(p.isProxy, cfg.UntrustedProxy))
	if len(proxies) > 0 {
		app.Use(checkForwarded)
	}
	route(app, cfg, p, s.draining)
	refuseLaxHeads(app.Server())
	return s, nil
}

// Serve answers what comes in at l until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	err := s.app.Listener(listener{
		Listener: l, tls: s.tls, patience: s.clientTimeout, shares: s.shares, log: s.log,
		tooMany: &sampler{every: time.Minute, now: time.Now}, handshakes: s.handshakes,
	})
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Drain has /readyz fail, and connections end with their next answer, so that whoever spreads requests over several instances
// sends them to others from now on. All that come are still answered.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown takes no further requests and waits for those that run, until ctx ends. It returns an error when some were
// cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.cutOff()
	s.cutOffHandshakes()
	err := s.app.ShutdownWithContext(ctx)
	if err != nil {
		return fmt.Errorf("shut down: requests were cut off: %w", err)
	}
	return nil
}
