package web

import (
	"bufio"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const pathTemplates = "/useradd/templates/people."

// credentialTypes are the media types of sheets by their extensions.
var credentialTypes = map[string]string{"csv": MediaCSV, "xlsx": MediaXLSX}

// uploadCredentials answers GET /useradd/uploads/:id/credentials.:format.
func (p *pages) uploadCredentials(c *fiber.Ctx, user *domain.User) error {
	sheet := p.sheets[credentialTypes[c.Params("format")]]
	if sheet == nil {
		return fiber.ErrNotFound
	}
	kind := sheetTypes[credentialTypes[c.Params("format")]]
	return p.sendResult(c, user, sheet(p.words(c)), kind.mediaType, `attachment; filename="`+kind.fileName+`"`)
}

// uploadSlips answers GET /useradd/uploads/:id/slips.
func (p *pages) uploadSlips(c *fiber.Ctx, user *domain.User) error {
	upload, err := p.uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return err
	}
	words := p.words(c)
	made := time.Now().Add(-upload.Silent - upload.Worked) // or a little later
	note := words.Text("upload.slips."+string(p.passwords.Policy), "Date", words.Date(made.Add(p.passwords.Lifetime)))
	view := viewSlips{T: words, Back: uploadAddress(c), Address: c.BaseURL() + "/login", Note: note, assets: p.assets}
	return p.sendResult(c, user, slips{p.templates.Lookup("pages/slips"), view}, fiber.MIMETextHTMLCharsetUTF8, "inline")
}

// sendResult answers with what came of an upload's import. Who comes too late is told so by the upload's page.
func (p *pages) sendResult(c *fiber.Ctx, user *domain.User, format ports.OutcomeWriter, mediaType, disposition string) error {
	result, err := p.uploadResult(c, user)
	if errors.Is(err, ports.ErrNotFound) && wantsPage(c) {
		return c.Redirect(uploadAddress(c), http.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	p.events.note(c, "export", "made", userID(user), slog.String("file", "credentials"))
	c.Set(fiber.HeaderContentType, mediaType)
	c.Set(fiber.HeaderContentDisposition, disposition)
	return sendOutcomes(c, result, format)
}

// uploadResult returns the result of an upload's import, with the passwords.
func (p *pages) uploadResult(c *fiber.Ctx, user *domain.User) (*ports.ImportResult, error) {
	upload, err := p.uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return nil, err
	}
	return p.importing.Recall(c.UserContext(), upload.Key())
}

// slips writes a page to be printed and cut: a slip for each account that was made.
type slips struct {
	page *template.Template
	view viewSlips
}

type viewSlips struct {
	T             *words
	Back, Address string
	Note          string // how long the passwords work, and how often
	Slips         iter.Seq[domain.Outcome]

	assets assets
}

// Asset is the address of a static file.
func (v *viewSlips) Asset(name string) (string, error) { return v.assets.url(name) }

// Write implements ports.OutcomeWriter.
func (s slips) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	var broken error
	s.view.Slips = func(yield func(domain.Outcome) bool) {
		for outcome, err := range outcomes {
			if err != nil {
				broken = err
				return
			}
			if outcome.Password != "" && !yield(outcome) {
				return
			}
		}
	}
	chunks := bufio.NewWriterSize(w, answerChunk)
	err := s.page.Execute(chunks, &s.view)
	if broken != nil {
		return broken // and the page is not ended
	}
	if err == nil {
		err = chunks.Flush()
	}
	if err != nil {
		return fmt.Errorf("write slips: %w", err)
	}
	return nil
}

// template answers GET /useradd/templates/people.:format.
func (p *pages) template(c *fiber.Ctx, _ *domain.User) error {
	format := c.Params("format")
	writer := p.starts[format]
	if writer == nil {
		return fiber.ErrNotFound
	}
	err := writer.Write(c.Response().BodyWriter(), p.words(c).Words)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, sheetTypes[credentialTypes[format]].mediaType)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="people.`+format+`"`)
	return nil
}

// templateLinks are to the files to start from.
func (p *pages) templateLinks() (links []viewLink) {
	for _, format := range []string{"csv", "xlsx"} {
		if p.starts[format] != nil {
			links = append(links, viewLink{strings.ToUpper(format), pathTemplates + format})
		}
	}
	return links
}
