package web

import (
	"errors"
	"log/slog"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"
	recovery "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/utils"

	"rollcall/ports"
)

const requestIDKey = "request_id"

// isForwardedID reports whether an id that a proxy gave to a request is fit for the log.
var isForwardedID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString

// identify gives a request the id that its log lines and its answer have: a new one, or the one of a trusted proxy.
func identify(c *fiber.Ctx) error {
	id := utils.UUIDv4()
	if forwarded := c.Get(fiber.HeaderXRequestID); c.IsProxyTrusted() && isForwardedID(forwarded) {
		id = forwarded
	}
	c.Locals(requestIDKey, id)
	c.Set(fiber.HeaderXRequestID, id)
	return c.Next()
}

func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}

// logRequests writes one line a request. It has the path but never the query, a header or a part of the body: these may
// be about persons. An error is in the line, with its chain, when it is the server's own: not when too many
// clients ask for something. Of outages, which every request meets, only those that the sampler passes are.
func logRequests(log *slog.Logger, outages *sampler, answer func(*fiber.Ctx, error) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		began := time.Now()
		err := c.Next()
		if err != nil {
			err = answer(c, routing(err))
		}
		status := c.Response().StatusCode()
		level := slog.LevelInfo
		attrs := []slog.Attr{
			slog.String("id", requestID(c)),
			slog.String("method", c.Method()),
			slog.String("path", c.Path()),
			slog.Int("status", status),
			slog.Duration("took", time.Since(began)),
		}
		if err != nil && status >= fiber.StatusInternalServerError && !errors.Is(err, ports.ErrBusy) {
			leftOut, ok := 0, true
			if status == fiber.StatusServiceUnavailable {
				leftOut, ok = outages.pass()
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

// recoverPanics makes a panic an error of its request; where it was is in a line of its own.
func recoverPanics(log *slog.Logger) fiber.Handler {
	return recovery.New(recovery.Config{
		EnableStackTrace: true,
		StackTraceHandler: func(c *fiber.Ctx, _ any) {
			log.ErrorContext(c.UserContext(), "panic", "id", requestID(c), "stack", string(debug.Stack()))
		},
	})
}
