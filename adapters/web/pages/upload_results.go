package pages

import (
	"errors"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// Credentials answers GET /useradd/uploads/:id/credentials.:format.
func (u *Uploads) Credentials(c *fiber.Ctx, user *domain.User) error {
	extension := c.Params("format")
	sheet := u.Sheets[extension]
	if sheet == nil {
		return fiber.ErrNotFound
	}
	return u.withResult(c, user, "credentials."+extension, func(upload *ports.Upload, result *ports.ImportResult) error {
		name := strings.TrimSpace(strings.TrimSuffix(upload.Name, path.Ext(upload.Name)) + " credentials." + extension)
		api.Attach(c, name, extension)
		return api.SendOutcomes(c, result, sheet(u.Locale.Words(c)))
	})
}

// withResult answers with a file of an upload and the result of its import. If the result is no longer available, it redirects a browser to
// the upload's page.
func (u *Uploads) withResult(
	c *fiber.Ctx, user *domain.User, file string, answer func(*ports.Upload, *ports.ImportResult) error,
) error {
	upload, result, err := u.result(c, user)
	if isGone(err) && problem.WantsPage(c) {
		return c.Redirect(urls.Uploads+c.Params("id"), http.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	err = u.Audit.Record(c.UserContext(), domain.AuditEntry{
		Action: domain.ActionExported, Import: upload.Import, After: map[string]any{"file": file},
	})
	if err != nil {
		return errors.Join(err, result.Close())
	}
	u.Guard.Events.Note(c, "export", "made", guard.UserID(user), slog.String("file", "credentials"))
	return answer(upload, result)
}

// result returns an upload and the result of its import, with the passwords.
func (u *Uploads) result(c *fiber.Ctx, user *domain.User) (*ports.Upload, *ports.ImportResult, error) {
	upload, err := u.Uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return nil, nil, err
	}
	result, err := u.Importing.Recall(c.UserContext(), upload.Key())
	if err == nil && result.Forgotten {
		return upload, nil, errors.Join(ports.ErrNotFound, result.Close())
	}
	return upload, result, err
}

// isGone reports whether an upload's result is no longer available.
func isGone(err error) bool { return errors.Is(err, ports.ErrNotFound) }
