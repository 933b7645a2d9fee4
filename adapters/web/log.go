package web

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"
	recovery "github.com/gofiber/fiber/v2/middleware/recover"

	"rollcall/adapters/web/transport"
	"rollcall/ports"
)

// logRequests logs a line for each request. A line has the path but never the query, a header or a part of the body, which may contain
// personal data. It has the chain of an error of the server, except when the server is merely busy. During an outage, which fails every
// request, only the lines that the sampler passes have it.
func logRequests(log *slog.Logger, outages *transport.Sampler, answer func(*fiber.Ctx, error) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		began := time.Now()
		err := c.Next()
		if err != nil {
			err = answer(c, err)
		}
		status := c.Response().StatusCode()
		level := slog.LevelInfo
		attrs := []slog.Attr{
			slog.String("id", transport.RequestID(c)),
			slog.String("method", c.Method()),
			slog.String("path", c.Path()),
			slog.Int("status", status),
			slog.Duration("took", time.Since(began)),
		}
		if err != nil && status >= fiber.StatusInternalServerError && !errors.Is(err, ports.ErrBusy) {
			leftOut, ok := 0, true
			if status == fiber.StatusServiceUnavailable {
				leftOut, ok = outages.Pass()
			}
			if ok {
				level = slog.LevelError
				attrs = append(attrs, slog.Any("error", err))
			}
			if leftOut > 0 {
				attrs = append(attrs, slog.Int("left_out", leftOut))
			}
		}
		log.LogAttrs(c.UserContext(), level, "request", attrs...)
		return nil
	}
}

// recoverPanics turns a panic into an error of its request, and logs where it happened.
func recoverPanics(log *slog.Logger) fiber.Handler {
	return recovery.New(recovery.Config{
		EnableStackTrace: true,
		StackTraceHandler: func(c *fiber.Ctx, _ any) {
			log.ErrorContext(c.UserContext(), "panic", "id", transport.RequestID(c), "stack", string(debug.Stack()))
		},
	})
}
