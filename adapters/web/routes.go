package web

import (
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/requestid"
	"github.com/gofiber/fiber/v2/utils"
)

// route is the whole URL map. A path that is here answers other methods with 405 and Allow.
func route(app *fiber.App, cfg Config) {
	app.Use(requestid.New(requestid.Config{ContextKey: requestIDKey, Generator: utils.UUIDv4}), logRequests(cfg.Log), recoverPanics(cfg.Log))

	health := &healthHandler{cfg.Health}
	app.Get("/healthz", health.alive)
	app.Get("/readyz", health.ready)

	useradd := &useraddHandler{
		registration: cfg.Registration, spools: cfg.Spools, sentences: cfg.Sentences, log: cfg.Log, maxBody: cfg.MaxBody,
	}
	app.Post("/useradd", useradd.post)
}
