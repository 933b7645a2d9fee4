package pages

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// latestUploads is the number of a user's uploads that the page lists.
const latestUploads = 10

// UploadsConfig describes the pages of Uploads.
type UploadsConfig struct {
	Uploading   ports.Uploading
	Uploads     ports.UploadReading
	Importing   ports.Importing
	Templates   map[string]ports.TemplateWriter // of files to fill in, by extension
	KeepAnswers time.Duration                   // how long the passwords of an upload can be downloaded

	PasswordPolicy   PasswordPolicy
	PasswordLifetime time.Duration // of temporary passwords, since the import
}

// A PasswordPolicy is the rule for users who sign in with a temporary password.
type PasswordPolicy string

// The policies.
const (
	PasswordsMustChange PasswordPolicy = "must-change" // changes it before anything else
	PasswordsMayChange  PasswordPolicy = "may-change"  // may use it until it expires
)

// Uploads imports files that operators upload.
type Uploads struct {
	*Reports
	UploadsConfig

	Files  *intake.Receiver
	Sheets api.Sheets
	Slips  *template.Template // page of slips to print
}

// uploadFormView is the view of the page on which an operator uploads a file.
type uploadFormView struct {
	Base

	Templates []linkView
	Uploads   []uploadItemView // the user's latest
}

// UploadForm answers GET /useradd/upload.
func (u *Uploads) UploadForm(c *fiber.Ctx, user *domain.User) error {
	return u.showUploadForm(c, user, "")
}

// showUploadForm shows the form and the latest uploads of the user.
func (u *Uploads) showUploadForm(c *fiber.Ctx, user *domain.User, alert string) error {
	uploads, err := u.Uploads.Latest(c.UserContext(), user.ID, latestUploads)
	if err != nil {
		return err
	}
	v := &uploadFormView{Base: Base{Alert: alert, AlertURL: "#file", Scripts: []string{"upload.js"}}, Templates: u.templateLinks()}
	for i := range uploads {
		v.Uploads = append(v.Uploads, newUploadItemView(&uploads[i], u.Locale.Words(c)))
	}
	allowConnections(c)
	return u.show(c, "upload", v)
}

// allowConnections allows the page's script to send a file, and to ask for its progress.
func allowConnections(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, guard.ContentSecurityPolicy+"; connect-src 'self'")
}

// Upload answers POST /useradd/upload.
func (u *Uploads) Upload(c *fiber.Ctx, user *domain.User) error {
	id, err := u.receive(c, user)
	if err != nil {
		return u.rejectUpload(c, user, err)
	}
	return c.Redirect(urls.Uploads+id, http.StatusSeeOther)
}

func (u *Uploads) receive(c *fiber.Ctx, user *domain.User) (id string, err error) {
	file, hint, err := u.Files.ReceiveForm(c)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return u.Uploading.Receive(c.UserContext(), user.ID, *hint, file)
}

// rejectUpload shows the form again, with the reason why the file was rejected.
func (u *Uploads) rejectUpload(c *fiber.Ctx, user *domain.User, err error) error {
	p, words := problem.New(transport.RequestID(c), err), u.Locale.Words(c)
	var alert string
	switch {
	case !problem.WantsPage(c), errors.Is(err, domain.ErrUnknownSheet):
		return err
	case errors.Is(err, problem.ErrNoFile):
		alert = words.Text("upload.alert.none")
	case p.Kind != "", errors.Is(err, problem.ErrRatio), errors.Is(err, problem.ErrSeveralFiles), errors.Is(err, problem.ErrField):
		alert = p.Text(words)
	case errors.Is(err, domain.ErrBrokenFile):
		alert = words.Text("upload.failure." + string(domain.UploadBroken))
		if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok {
			alert += " (" + broken.Error() + ")"
		}
	case errors.Is(err, transport.ErrTooLarge):
		alert = words.Text("upload.alert.too_large")
	case errors.Is(err, ports.ErrBusy):
		alert = words.Text("upload.alert.busy")
	default:
		return err
	}
	problem.SetRetryAfter(c, p.Status, err)
	c.Status(p.Status)
	return u.showUploadForm(c, user, alert)
}

// Uploaded answers GET /useradd/uploads/:id.
func (u *Uploads) Uploaded(c *fiber.Ctx, user *domain.User) error { return u.showUpload(c, user, "") }

// Start answers POST /useradd/uploads/:id/start. If the user has chosen how the file is read, it starts another dry run.
func (u *Uploads) Start(c *fiber.Ctx, user *domain.User) error {
	return u.change(c, user, func(id string, entered url.Values) error {
		if entered.Has("choose") || entered.Has("charset") {
			var chosen ports.FileHint
			err := intake.SetOptions(&chosen, entered)
			if err != nil {
				return err
			}
			return u.Uploading.Choose(c.UserContext(), user.ID, id, chosen)
		}
		return u.Uploading.Start(c.UserContext(), user.ID, id, entered.Has("strict"))
	})
}

// Cancel answers POST /useradd/uploads/:id/cancel.
func (u *Uploads) Cancel(c *fiber.Ctx, user *domain.User) error {
	return u.change(c, user, func(id string, _ url.Values) error {
		return u.Uploading.Cancel(c.UserContext(), user.ID, id)
	})
}

// change changes an upload, and redirects to its page. That page also shows the state of an upload that has changed in the meantime.
func (u *Uploads) change(c *fiber.Ctx, user *domain.User, change func(id string, entered url.Values) error) error {
	id := c.Params("id")
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	err = change(id, entered)
	switch {
	case errors.Is(err, ports.ErrBusy) && problem.WantsPage(c):
		problem.SetRetryAfter(c, http.StatusServiceUnavailable, err)
		c.Status(http.StatusServiceUnavailable)
		return u.showUpload(c, user, u.Locale.Words(c).Text("upload.alert.busy"))
	case err != nil && !errors.Is(err, ports.ErrChanged):
		return err
	}
	return c.Redirect(urls.Uploads+id, http.StatusSeeOther)
}

// Progress answers GET /useradd/uploads/:id/progress.
func (u *Uploads) Progress(c *fiber.Ctx, user *domain.User) error {
	upload, err := u.Uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(newProgressView(upload, u.Locale.Words(c)))
}

// Template answers GET /useradd/templates/people.:format.
func (u *Uploads) Template(c *fiber.Ctx, _ *domain.User) error {
	extension := c.Params("format")
	writer := u.Templates[extension]
	if writer == nil {
		return fiber.ErrNotFound
	}
	err := writer.Write(c.Response().BodyWriter(), u.Locale.Words(c).Words)
	if err != nil {
		return err
	}
	api.Attach(c, "people."+extension, extension)
	return nil
}

// templateLinks returns links to the files to fill in.
func (u *Uploads) templateLinks() (links []linkView) {
	for _, extension := range []string{"csv", "xlsx"} {
		if u.Templates[extension] != nil {
			links = append(links, linkView{strings.ToUpper(extension), urls.Templates + extension})
		}
	}
	return links
}
