package api

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/ports"
)

// The media types of files.
const (
	mediaCSV       = "text/csv"
	mediaXLSX      = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	mediaNDJSON    = "application/x-ndjson"
	mediaJSONLines = "application/jsonl"
)

// contentTypes are the content types of files that the server makes, by their extensions.
var contentTypes = map[string]string{
	"csv":  mediaCSV + "; charset=utf-8",
	"json": fiber.MIMEApplicationJSON,
	"txt":  fiber.MIMETextPlainCharsetUTF8,
	"xlsx": mediaXLSX,
}

// Sheets write the credentials of an import as a table, for readers of a language. Their keys are the extensions of files.
type Sheets map[string]func(ports.Words) ports.OutcomeWriter

// Attach makes the answer a file that a browser saves. Extension is one of a file that the server makes. A name with other characters than
// visible ASCII is sent twice: as RFC 8187 encodes it, and without these characters.
func Attach(c *fiber.Ctx, name, extension string) {
	ascii := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, name))
	disposition := `attachment; filename="` + ascii + `"`
	if ascii != name {
		disposition += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	c.Set(fiber.HeaderContentType, contentTypes[extension])
	c.Set(fiber.HeaderContentDisposition, disposition)
}
