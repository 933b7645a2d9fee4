package web_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/web"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/ports"
)

// A failure of the server is logged as an error, but not that it is busy. An outage, which fails each request, is logged once a second.
func TestErrorsAreLogged(t *testing.T) {
	away := fmt.Errorf("read user: %w", ports.ErrUnavailable)
	for _, test := range []struct {
		name   string
		failed error
		lines  []string // of three requests, and of one a second later
	}{
		{"bug", errors.New("a bug"), []string{"ERROR a bug", "ERROR a bug", "ERROR a bug", "ERROR a bug"}},
		{"outage", away, []string{"ERROR " + away.Error(), "INFO", "INFO", "ERROR " + away.Error() + " left_out=2"}},
		{"load", fmt.Errorf("hash: %w", ports.ErrBusy), []string{"INFO", "INFO", "INFO", "INFO"}},
		{"client", ports.ErrNotFound, []string{"INFO", "INFO", "INFO", "INFO"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
			outages := transport.NewSampler(time.Second, func() time.Time { return now })
			var log bytes.Buffer
			app := fiber.New()
			app.Use(web.LogRequests(slog.New(slog.NewTextHandler(&log, nil)), outages, func(c *fiber.Ctx, err error) error {
				c.Status(problem.New("", err).Status)
				return err
			}))
			app.Get("/", func(*fiber.Ctx) error { return test.failed })
			for i := range test.lines {
				if i == 3 {
					now = now.Add(time.Second)
				}
				response, err := app.Test(httptest.NewRequest(http.MethodGet, "/", nil), -1)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
			}
			var lines []string
			for line := range strings.Lines(log.String()) {
				_, level, _ := strings.Cut(strings.TrimSpace(line), "level=")
				level, rest, _ := strings.Cut(level, " ")
				if _, failed, found := strings.Cut(rest, "error="); found {
					level += " " + strings.ReplaceAll(failed, `"`, "")
				}
				lines = append(lines, level)
			}
			require.Equal(t, test.lines, lines)
		})
	}
}
