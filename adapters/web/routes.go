package web

import (
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/pages"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
)

// handlers answer the requests of the routes.
type handlers struct {
	guard   *guard.Guard
	site    *pages.Site
	help    *pages.Help
	account *pages.Account
	reports *pages.Reports
	audit   *pages.Audit
	uploads *pages.Uploads
	useradd *api.Useradd
	exports *api.Exports
	people  *pages.People
	bulk    *pages.Bulk
	users   *api.Users
}

// route is the whole URL map, with the rule of each route. A known path answers other methods with 405 and Allow.
func route(app *fiber.App, cfg Config, h *handlers, draining *atomic.Bool) {
	app.Use(
		transport.Identify,
		logRequests(cfg.Log, transport.NewSampler(time.Second, time.Now), h.answer),
		transport.CloseAfterRest,
		recoverPanics(cfg.Log),
		guard.Headers,
		storeNothing,
	)

	health := &healthHandler{cfg.Ready, draining}
	app.Get("/healthz", health.alive)
	app.Get("/readyz", health.ready)
	app.Use(urls.Static, compress.New(), h.site.Assets.Serve()) // pages have secrets, and stay uncompressed

	app.Use(h.guard.NoteOrigin)

	// The routes above accept any host, because probes use the address of an instance. They disclose nothing.
	app.Use(guard.RejectOtherHosts(cfg.Guard.Hosts, cfg.Log), guard.RejectOtherSites)
	app.Get("/openapi.yaml", describe(cfg.Views))
	app.Post(urls.Useradd, h.useradd.Post)

	app.Use(guard.RejectUnproven, pages.AnswerForms, h.site.Locale.Remember)
	signedIn, users, readers, operators := h.guard.ForSignedIn, h.guard.ForUsers, h.guard.ForReaders, h.guard.ForOperators
	app.Get(urls.Export+"rejected.:format", operators(h.exports.Rejected))
	app.Get(urls.Export+":format", readers(h.exports.Report))
	app.Get(urls.AuditCSV, operators(h.exports.AuditCSV))
	app.Get(urls.UserExport+":format", h.guard.ForDirectory(domain.ScopeUsersRead, nil, h.exports.Users))
	app.Post(urls.Upload, operators(h.uploads.Upload))
	app.Get(urls.Uploads+":id/credentials.:format", operators(h.uploads.Credentials))
	app.Get(urls.Uploads+":id/results.:format", operators(h.uploads.Results))
	app.Get(urls.Uploads+":id/slips", operators(h.uploads.PrintSlips))
	app.Get(urls.Templates+":format", operators(h.uploads.Template))

	app.Use(boundTime) // not for files, whose time depends on their size
	app.Get("/", h.site.Home)
	app.Get(urls.Help, h.help.Contents)
	app.Get(urls.Help+"/:page", h.help.Page)
	app.Get(urls.Register, h.account.ForRegistration(h.account.RegisterForm))
	app.Post(urls.Register, h.account.TakeRegistration(), h.guard.BoundRegistrations(), h.account.ForRegistration(h.account.Register))
	app.Get(urls.Setup, h.account.SetupForm).Post(urls.Setup, h.account.TakeSetup(), users(h.account.SetUp))
	app.Get(urls.Login, h.account.LoginForm).Post(urls.Login, h.account.TakeLogin(), h.account.Login)
	app.Get(urls.Logout, h.account.LogoutForm).Post(urls.Logout, h.account.TakeLogout(), h.account.Logout)
	app.Get(urls.Password, signedIn(h.account.PasswordForm))
	app.Post(urls.Password, h.account.TakePassword(), h.account.ReenterUser, signedIn(h.account.ChangePassword))
	app.Get(urls.Profile, users(h.reports.Profile))
	app.Get(urls.Imports+":id", readers(h.reports.Import))
	app.Get(urls.Audit, operators(h.audit.List))
	app.Get(urls.Upload, operators(h.uploads.UploadForm))
	app.Get(urls.UploadList, operators(h.uploads.List)).Post(urls.UploadList, operators(h.uploads.Decide))
	app.Get(urls.Uploads+":id", operators(h.uploads.Uploaded))
	routeAccounts(app, h)
	app.Post(urls.Uploads+":id/start", operators(h.uploads.Start))
	app.Post(urls.Uploads+":id/cancel", operators(h.uploads.Cancel))
	app.Get(urls.Uploads+":id/progress", operators(h.uploads.Progress))
}

// routeAccounts is the map of the pages of accounts, which are for operators and for clients with a token.
func routeAccounts(app *fiber.App, h *handlers) {
	operators := h.guard.ForOperators
	read := func(page guard.UserHandler, program fiber.Handler) fiber.Handler {
		return h.guard.ForDirectory(domain.ScopeUsersRead, page, program)
	}
	write := func(page guard.UserHandler, program fiber.Handler) fiber.Handler {
		return h.guard.ForDirectory(domain.ScopeUsersWrite, page, program)
	}
	app.Get(urls.Directory, read(h.people.List, h.users.List))
	app.Get(urls.UserCount, read(nil, h.users.Count))
	app.Get(urls.Changes+":action", operators(h.bulk.Confirm)).Post(urls.Changes+":action", operators(h.bulk.Change))
	user := urls.Users + ":id"
	app.Get(user, read(h.people.Show, h.users.Show)).Patch(user, write(nil, h.users.Edit)).Delete(user, write(nil, h.users.Delete))
	app.Get(user+"/edit", operators(h.people.EditForm)).Post(user+"/edit", operators(h.people.Edit))
	app.Get(user+"/password", operators(h.people.Confirm("password"))).Post(user+"/password", write(h.people.NewPassword, h.users.NewPassword))
	app.Get(user+"/suspend", operators(h.people.Confirm("suspend"))).Post(user+"/suspend", write(h.people.Suspend, h.users.Suspend))
	app.Post(user+"/end-sessions", write(h.people.EndSessions, h.users.EndSessions))
	app.Post(user+"/restore", write(h.people.Restore, h.users.Restore))
	app.Post(user+"/require-change", write(h.people.RequireChange, h.users.RequireChange))
	app.Get(user+"/delete", operators(h.people.Confirm("delete"))).Post(user+"/delete", operators(h.people.Delete))
}

// pageTime is the maximum time of a page. It protects clients from a database that does not answer: a page takes milliseconds, and seconds
// when many users sign in concurrently.
const pageTime = 30 * time.Second

func boundTime(c *fiber.Ctx) error { return transport.Within(c, pageTime, c.Next) }

// storeNothing keeps answers out of caches: most contain personal data or passwords.
func storeNothing(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}
