package web

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	pathUpload  = "/useradd/upload"
	pathUploads = "/useradd/uploads/"

	// latestUploads is the number of a user's uploads that the page lists.
	latestUploads = 10
)

// uploadForm answers GET /useradd/upload.
func (p *pages) uploadForm(c *fiber.Ctx, user *domain.User) error {
	return p.showUploads(c, user, &view{})
}

// showUploads shows the form, and below it what the user has uploaded.
func (p *pages) showUploads(c *fiber.Ctx, user *domain.User, v *view) error {
	uploads, err := p.uploads.Latest(c.UserContext(), user.ID, latestUploads)
	if err != nil {
		return err
	}
	words := p.words(c)
	for i := range uploads {
		v.Uploads = append(v.Uploads, newViewUploaded(&uploads[i], words))
	}
	v.Templates, v.Uploading = p.templateLinks(), true
	letAsk(c)
	return p.show(c, "upload", v)
}

// letAsk lets the page's script send a file, and ask how far it is.
func letAsk(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, headers.ContentSecurityPolicy+"; connect-src 'self'")
}

// upload answers POST /useradd/upload.
func (p *pages) upload(c *fiber.Ctx, user *domain.User) error {
	id, err := p.receiveUpload(c, user)
	if err != nil {
		return p.refuseUpload(c, user, err)
	}
	return c.Redirect(pathUploads+id, http.StatusSeeOther)
}

func (p *pages) receiveUpload(c *fiber.Ctx, user *domain.User) (id string, err error) {
	file := p.spools.New()
	defer file.Close()
	hint, err := p.spoolUpload(c, file)
	if err != nil {
		return "", err
	}
	return p.uploading.Receive(c.UserContext(), user.ID, *hint, file)
}

// spoolUpload spools the file of a form that came from a page of this server. The token stands in front of the file: for
// anybody else not a byte is kept.
func (p *pages) spoolUpload(c *fiber.Ctx, file ports.Spool) (*ports.FileHint, error) {
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEMultipartForm || c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, errFormType
	}
	token, err := p.token(c)
	if err != nil {
		return nil, err
	}
	length, limit := int64(c.Request().Header.ContentLength()), p.maxBody+maxForm
	stream := c.Context().RequestBodyStream()
	switch {
	case length > limit:
		return nil, errTooLarge
	case stream == nil:
		return nil, errNoFile
	}
	body := &body{stream: stream, conn: connOf(c), length: length, limit: limit}
	form := newParts(body, params["boundary"])
	part, err := form.next()
	if err != nil {
		return nil, body.explain(fmt.Errorf("read form: %w", err))
	}
	entered, err := io.ReadAll(io.LimitReader(part, maxForm))
	if err != nil {
		return nil, body.explain(fmt.Errorf("read form: %w", err))
	}
	if part.FormName() != "csrf" || subtle.ConstantTimeCompare(entered, []byte(token)) == 0 {
		return nil, errFormExpired
	}
	hint, err := receiveForm(form, file)
	if err == nil || errors.Is(err, errNoFile) {
		_, err = io.Copy(io.Discard, body) // what stands behind a form
	}
	if err != nil {
		return nil, body.explain(err)
	}
	bodyWasRead(c)
	if hint == nil {
		return nil, errNoFile
	}
	return hint, nil
}

// refuseUpload shows the form again, and says why the file was not taken.
func (p *pages) refuseUpload(c *fiber.Ctx, user *domain.User, err error) error {
	problem, words := newProblem(requestID(c), err), p.words(c)
	v := &view{}
	switch {
	case !wantsPage(c):
		return err
	case errors.Is(err, errNoFile):
		v.Alert = words.Text("upload.alert.none")
	case errors.Is(err, domain.ErrBrokenFile):
		v.Alert = words.Text("upload.failure." + string(domain.UploadBroken))
		if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok {
			v.Alert += " (" + broken.Error() + ")"
		}
	case errors.Is(err, errTooLarge):
		v.Alert = words.Text("upload.alert.too_large")
	case errors.Is(err, ports.ErrBusy):
		v.Alert = words.Text("upload.alert.busy")
	default:
		return err
	}
	setRetryAfter(c, problem.Status, err)
	c.Status(problem.Status)
	return p.showUploads(c, user, v)
}

// uploaded answers GET /useradd/uploads/:id.
func (p *pages) uploaded(c *fiber.Ctx, user *domain.User) error {
	return p.showUploaded(c, user, &view{})
}

// startUpload answers POST /useradd/uploads/:id/start.
func (p *pages) startUpload(c *fiber.Ctx, user *domain.User) error {
	return p.changeUpload(c, user, func(id string, isStrict bool) error {
		return p.uploading.Start(c.UserContext(), user.ID, id, isStrict)
	})
}

// cancelUpload answers POST /useradd/uploads/:id/cancel.
func (p *pages) cancelUpload(c *fiber.Ctx, user *domain.User) error {
	return p.changeUpload(c, user, func(id string, _ bool) error {
		return p.uploading.Cancel(c.UserContext(), user.ID, id)
	})
}

// changeUpload does what a form asks for, and goes to the upload's page, which tells how it is: that it has changed
// meanwhile, too.
func (p *pages) changeUpload(c *fiber.Ctx, user *domain.User, change func(id string, isStrict bool) error) error {
	address := uploadAddress(c)
	entered, err := p.readForm(c)
	if err != nil {
		return err
	}
	err = change(strings.TrimPrefix(address, pathUploads), entered.Has("strict"))
	switch {
	case errors.Is(err, ports.ErrBusy) && wantsPage(c):
		setRetryAfter(c, http.StatusServiceUnavailable, err)
		c.Status(http.StatusServiceUnavailable)
		return p.showUploaded(c, user, &view{Alert: p.words(c).Text("upload.alert.busy")})
	case err != nil && !errors.Is(err, ports.ErrChanged):
		return err
	}
	return c.Redirect(address, http.StatusSeeOther)
}

// uploadAddress is that of the page of the upload that a request is about.
func uploadAddress(c *fiber.Ctx) string { return pathUploads + c.Params("id") }

// uploadProgress answers GET /useradd/uploads/:id/progress.
func (p *pages) uploadProgress(c *fiber.Ctx, user *domain.User) error {
	upload, err := p.uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(newViewProgress(upload, p.words(c)))
}
