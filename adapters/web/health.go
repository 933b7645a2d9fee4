package web

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// readyTimeout bounds the time that a probe waits for the database.
const readyTimeout = 5 * time.Second

type healthHandler struct {
	check    func(context.Context) error
	draining *atomic.Bool
}

// alive answers GET /healthz. It succeeds while the program runs.
func (h *healthHandler) alive(c *fiber.Ctx) error { return c.SendString("alive\n") }

// ready answers GET /readyz. It succeeds while the database answers and the server is not draining.
func (h *healthHandler) ready(c *fiber.Ctx) error {
	if h.draining.Load() {
		return c.Status(fiber.StatusServiceUnavailable).SendString("stopping\n")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readyTimeout)
	defer cancel()
	err := h.check(ctx)
	if err != nil {
		return err
	}
	return c.SendString("ready\n")
}
