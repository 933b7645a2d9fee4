package web

import (
	"log/slog"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const pathExport = "/useradd/export/"

// exportFormats are the formats of files by their names in an address, with their media types. A file of two tables in a
// format that has but one names its table.
var exportFormats = map[string]struct {
	mediaType string
	tables    []string // the first is what nobody asked for
}{
	"xlsx": {mediaType: MediaXLSX},
	"txt":  {mediaType: fiber.MIMETextPlainCharsetUTF8},
	"csv":  {mediaType: mimeCSV, tables: []string{"codes", "bad_users"}},
	"json": {mediaType: fiber.MIMEApplicationJSON},
}

// rejectedFormats are the media types of the files of one import's rejected records, as they came.
var rejectedFormats = map[string]string{"xlsx": MediaXLSX, "csv": mimeCSV, "json": fiber.MIMEApplicationJSON}

// The media types of sheets.
const (
	MediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	MediaCSV  = "text/csv"
	mimeCSV   = MediaCSV + "; charset=utf-8"
)

// export answers GET /useradd/export/:format.
func (p *pages) export(c *fiber.Ctx, user *domain.User) error {
	name := c.Params("format")
	if name == "excel" {
		to := pathExport + "xlsx"
		if query := string(c.Request().URI().QueryString()); query != "" {
			to += "?" + query
		}
		return c.Redirect(to, http.StatusPermanentRedirect)
	}
	format, known := exportFormats[name]
	if !known {
		return fiber.ErrNotFound
	}
	if len(format.tables) > 0 {
		name += "-" + c.Query(queryTable, format.tables[0])
	}
	return p.sendExport(c, user, name, format.mediaType)
}

// exportRejected answers GET /useradd/export/rejected.:format.
func (p *pages) exportRejected(c *fiber.Ctx, user *domain.User) error {
	format := c.Params("format")
	mediaType, known := rejectedFormats[format]
	if !known {
		return fiber.ErrNotFound
	}
	return p.sendExport(c, user, "rejected."+format, mediaType)
}

func (p *pages) sendExport(c *fiber.Ctx, user *domain.User, name, mediaType string) error {
	file, err := p.exporting.Export(c.UserContext(), ports.ExportQuery{
		Format: name, Language: p.words(c).Language(), Filter: readReportQuery(c).filter,
	})
	if err != nil {
		return err
	}
	p.events.note(c, "export", "made", userID(user), slog.String("file", name))
	c.Set(fiber.HeaderContentType, mediaType)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+file.Name+`"`)
	return c.SendStream(file.ReadCloser, int(file.Size)) // which closes it
}
