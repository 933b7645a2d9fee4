package api

import (
	"cmp"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// csvTables are the tables of a CSV file, which has one of them. The first is the default.
var csvTables = []string{"codes", "bad_users"}

// Exports answers with the files of reports.
type Exports struct {
	Exporting ports.Exporting
	Audit     ports.ReadingAudit
	Guard     *guard.Guard
	Locale    *locale.Locale
}

// Report answers GET /useradd/export/:format.
func (e *Exports) Report(c *fiber.Ctx, user *domain.User) error {
	format := c.Params("format")
	if format == "excel" {
		to := urls.Export + "xlsx"
		if query := string(c.Request().URI().QueryString()); query != "" {
			to += "?" + query
		}
		return c.Redirect(to, fiber.StatusPermanentRedirect)
	}
	if contentTypes[format] == "" {
		return fiber.ErrNotFound
	}
	return e.send(c, user, format, format)
}

// Rejected answers GET /useradd/export/rejected.:format with the rejected records of one import, as they arrived.
func (e *Exports) Rejected(c *fiber.Ctx, user *domain.User) error {
	format := c.Params("format")
	if contentTypes[format] == "" || format == "txt" {
		return fiber.ErrNotFound
	}
	return e.send(c, user, "rejected."+format, format)
}

func (e *Exports) send(c *fiber.Ctx, user *domain.User, name, extension string) error {
	query := ReadReportQuery(c, e.Locale.Now().Location())
	err := query.Err()
	if err != nil {
		return err
	}
	if name == "csv" {
		name += "-" + cmp.Or(query.Table, csvTables[0])
	}
	file, err := e.Exporting.Export(c.UserContext(), ports.ExportQuery{
		Format: name, Language: e.Locale.Words(c).Language(), Filter: query.Filter,
	})
	if err != nil {
		return err
	}
	return e.sendFile(c, guard.UserID(user), file, name, extension)
}

// Users answers GET /users/export/:format with all users that a filter selects.
func (e *Exports) Users(c *fiber.Ctx) error {
	query := ReadDirectoryQuery(c, e.Locale.Now().Location())
	err := query.Err()
	if err != nil {
		return err
	}
	format := c.Params("format")
	file, err := e.Exporting.ExportUsers(c.UserContext(), ports.UserExportQuery{
		Format: format, Language: e.Locale.Words(c).Language(), Selection: ports.UserSelection{Filter: query.Users.Filter}, Order: query.Users.Order,
	})
	if err != nil {
		return err
	}
	return e.sendFile(c, slog.String("by", ports.OriginOf(c.UserContext()).Actor.Key()), file, "users."+format, format)
}

// sendFile answers with a file, which the log names together with its reader.
func (e *Exports) sendFile(c *fiber.Ctx, reader slog.Attr, file *ports.ExportFile, name, extension string) error {
	e.Guard.Events.Note(c, "export", "made", reader, slog.String("file", name))
	Attach(c, file.Name, extension)
	return c.SendStream(file.ReadCloser, int(file.Size)) // the server closes it
}
