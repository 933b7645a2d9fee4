package pages

import (
	"bufio"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/locale"
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
	return u.withResult(c, user, func(upload *ports.Upload, result *ports.ImportResult) error {
		name := strings.TrimSpace(strings.TrimSuffix(upload.Name, path.Ext(upload.Name)) + " credentials." + extension)
		api.Attach(c, name, extension)
		return api.SendOutcomes(c, result, sheet(u.Locale.Words(c)))
	})
}

// PrintSlips answers GET /useradd/uploads/:id/slips.
func (u *Uploads) PrintSlips(c *fiber.Ctx, user *domain.User) error {
	return u.withResult(c, user, func(upload *ports.Upload, result *ports.ImportResult) error {
		words := u.Locale.Words(c)
		imported := u.Locale.Now().Add(-upload.Silent - upload.Worked) // or a little later
		note := words.TextWithTime("upload.slips."+string(u.PasswordPolicy), imported.Add(u.PasswordLifetime))
		view := slipsView{T: words, Back: urls.Uploads + upload.ID, Address: c.BaseURL() + urls.Login, Note: note, assets: u.Assets}
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		c.Set(fiber.HeaderContentDisposition, "inline")
		return api.SendOutcomes(c, result, slips{u.Slips, view})
	})
}

// withResult answers with an upload and the result of its import. If the result is no longer available, it redirects a browser to the upload's
// page.
func (u *Uploads) withResult(c *fiber.Ctx, user *domain.User, answer func(*ports.Upload, *ports.ImportResult) error) error {
	upload, result, err := u.result(c, user)
	if errors.Is(err, ports.ErrNotFound) && problem.WantsPage(c) {
		return c.Redirect(urls.Uploads+c.Params("id"), http.StatusSeeOther)
	}
	if err != nil {
		return err
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
	return upload, result, err
}

// slips implements ports.OutcomeWriter. It writes a page to print and cut, with a slip for each account.
type slips struct {
	page *template.Template
	view slipsView
}

type slipsView struct {
	T             *locale.Words
	Back, Address string        // of the upload, and of the page to sign in
	Note          locale.Moment // how long the passwords work, and how often
	Slips         iter.Seq[domain.Outcome]

	assets Assets
}

// Asset returns the address of a static file.
func (v *slipsView) Asset(name string) (string, error) { return v.assets.url(name) }

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
	chunks := bufio.NewWriterSize(w, api.AnswerChunk)
	err := s.page.Execute(chunks, &s.view)
	if broken != nil {
		return broken // the page stays without its end
	}
	if err == nil {
		err = chunks.Flush()
	}
	if err != nil {
		return fmt.Errorf("write slips: %w", err)
	}
	return nil
}
