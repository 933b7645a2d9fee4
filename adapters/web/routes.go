package web

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/helmet"
)

const (
	pathStatic   = "/static/"
	pathPassword = "/account/password"
)

// route is the whole URL map, with the rule of who may do what. A path that is here answers other methods with 405 and Allow.
func route(app *fiber.App, cfg Config, p *pages, draining *atomic.Bool) {
	app.Use(
		identify,
		logRequests(cfg.Log, &sampler{every: time.Second, now: time.Now}, p.answer),
		closeAfterRest,
		recoverPanics(cfg.Log),
		helmet.New(headers),
		storeNothing,
	)

	health := &healthHandler{cfg.Health, draining}
	app.Get("/healthz", health.alive)
	app.Get("/readyz", health.ready)
	app.Use(pathStatic, p.serveAssets())

	// The routes above tell nothing, and probes use the address of an instance as its host.
	app.Use(refuseOtherHosts(cfg.Hosts, cfg.Log), refuseOtherSites)
	app.Get("/openapi.yaml", describe(cfg.Views))

	useradd := &useraddHandler{
		access:    &useraddAccess{cfg.UseraddAccess, cfg.Access, p},
		importing: cfg.Importing, files: newReceiver(cfg.Spools, cfg.MaxBody), sentences: p.sentences, sheets: cfg.Sheets, log: cfg.Log,
	}
	app.Post(pathUseradd, useradd.post)

	app.Use(p.rememberLanguage)
	app.Get(pathExport+"rejected.:format", p.forOperators(p.exportRejected))
	app.Get(pathExport+":format", p.forReaders(p.export))
	app.Post(pathUpload, p.forOperators(p.upload))
	app.Get(pathUploads+":id/credentials.:format", p.forOperators(p.uploadCredentials))
	app.Get(pathUploads+":id/slips", p.forOperators(p.uploadSlips))
	app.Get(pathTemplates+":format", p.forOperators(p.template))

	app.Use(boundTime) // of pages; files take what they take
	app.Get("/", p.home)
	app.Get(pathHelp, p.helpContents)
	app.Get(pathHelp+"/:page", p.helpPage)
	app.Get("/register", p.forRegistration(p.registerForm)).Post("/register", p.boundRegistrations, p.forRegistration(p.register))
	app.Get(pathSetup, p.setupForm).Post(pathSetup, p.forUsers(p.setUp))
	app.Get("/login", p.loginForm).Post("/login", p.login)
	app.Get("/logout", p.logoutForm).Post("/logout", p.logout)
	app.Get(pathProfile, p.forUsers(p.profile))
	app.Get(pathImports+":id", p.forReaders(p.importRecord))
	app.Get(pathUpload, p.forOperators(p.uploadForm))
	app.Get(pathUploads+":id", p.forOperators(p.uploaded))
	app.Post(pathUploads+":id/start", p.forOperators(p.startUpload))
	app.Post(pathUploads+":id/cancel", p.forOperators(p.cancelUpload))
	app.Get(pathUploads+":id/progress", p.forOperators(p.uploadProgress))
	app.Get(pathPassword, p.forSignedIn(p.passwordForm)).Post(pathPassword, p.forSignedIn(p.changePassword))
}

// pageTime is how long a page may take. It takes milliseconds, and seconds where many sign in at once: a database that does not answer
// must not keep all who come.
const pageTime = 30 * time.Second

func boundTime(c *fiber.Ctx) error { return within(c, pageTime, c.Next) }

// within does a part of a request, which may take no longer than this.
func within(c *fiber.Ctx, limit time.Duration, do func() error) error {
	whole := c.UserContext()
	defer c.SetUserContext(whole)
	ctx, cancel := context.WithTimeout(whole, limit)
	defer cancel()
	c.SetUserContext(ctx)
	return do()
}

// storeNothing keeps answers out of caches: most contain personal data or passwords.
func storeNothing(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}

// headers are what browsers are told with every answer: nothing in a page comes from elsewhere, and nothing is inline.
var headers = helmet.Config{
	ContentSecurityPolicy: "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	ReferrerPolicy:        "same-origin",
	PermissionPolicy:      "camera=(), geolocation=(), microphone=()",
	XFrameOptions:         "DENY",
	HSTSMaxAge:            365 * 24 * 60 * 60, // seconds; sent over TLS only
	HSTSExcludeSubdomains: true,               // they are not ours to decide on
}
