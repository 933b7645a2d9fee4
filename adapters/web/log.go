package web

import (
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
)

const requestIDKey = "request_id"

func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}

// logRequests writes one line a request. It has the path but never the query, a header or a part of the body: these may
// be about persons. An error is in the line, with its chain, when it is the server's own.
func logRequests(log *slog.Logger) fiber.Handler {
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
		if status >= fiber.StatusInternalServerError {
			level = slog.LevelError
			attrs = append(attrs, slog.Any("error", err))
		}
		log.LogAttrs(c.UserContext(), level, "request", attrs...)
		return nil
	}
}
