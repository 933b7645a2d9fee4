package pages

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// latestUploads is the number of a user's uploads that pages list, besides those that are not over.
const latestUploads = 50

// UploadsConfig describes the pages of Uploads.
type UploadsConfig struct {
	Uploading   ports.Uploading
	Changing    ports.BulkChanging
	ResultFiles ResultFiles
	Uploads     ports.UploadReading
	Importing   ports.Importing
	Audit       ports.Auditing
	Templates   map[string]ports.TemplateWriter // of files to fill in, by extension
	KeepAnswers time.Duration                   // how long the passwords of an upload can be downloaded
	MaxUser     int64                           // bytes of a user's undecided uploads

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
	Slips  *SlipPrinter
}

// ResultFiles returns a writer of the results of a change of many people for readers of a language. Keys are the extensions of files.
type ResultFiles map[string]func(ports.Words, domain.BulkAction) ports.OutcomeWriter

// uploadFormView is the view of the page on which an operator uploads files.
type uploadFormView struct {
	uploadListView

	MaxFile      int64 // bytes
	MaxUndecided int   // number of uploads
	Templates    []linkView
	NotTaken     []fileNotTakenView // files of the form; nil unless it had several
}

// fileNotTakenView is a file that was not taken, and why.
type fileNotTakenView struct{ Name, Reason string }

// UploadForm answers GET /useradd/upload.
func (u *Uploads) UploadForm(c *fiber.Ctx, user *domain.User) error {
	return u.showUploadForm(c, user, &uploadFormView{})
}

// showUploadForm shows the form and the uploads of the user.
func (u *Uploads) showUploadForm(c *fiber.Ctx, user *domain.User, v *uploadFormView) error {
	err := u.list(c, user, &v.uploadListView)
	if err != nil {
		return err
	}
	v.MaxUndecided, v.MaxFile, v.Templates = ports.MaxUndecidedUploads, u.Files.Limit(), u.templateLinks()
	return u.show(c, "upload", v)
}

// Upload answers POST /useradd/upload. A form with several files leads to the list of uploads. Of such a form the server takes as many files
// as may be undecided, and the page names the others.
func (u *Uploads) Upload(c *fiber.Ctx, user *domain.User) error {
	if filler := c.Query("user"); filler != "" && filler != strconv.FormatInt(user.ID, 10) {
		return problem.ErrOtherUser
	}
	files, err := u.Files.ReceiveForm(c)
	if err != nil {
		return u.rejectUpload(c, user, err)
	}
	if len(files) == 1 {
		id, err := u.receive(c, user, &files[0])
		if err != nil {
			return u.rejectUpload(c, user, err)
		}
		return c.Redirect(urls.Uploads+id, http.StatusSeeOther)
	}
	v := &uploadFormView{}
	taken := 0
	var rejected, broken error
	for i := range files {
		if taken == ports.MaxUndecidedUploads {
			files[i].Err = errUndecided
		}
		_, err := u.receive(c, user, &files[i])
		if err == nil {
			taken++
			continue
		}
		reason := u.reason(c, err)
		if reason == "" || broken != nil {
			broken = errors.Join(broken, err)
			continue
		}
		rejected = cmp.Or(rejected, err)
		v.NotTaken = append(v.NotTaken, fileNotTakenView{ports.FileName(files[i].Hint.Name), reason})
	}
	switch {
	case broken != nil:
		return broken
	case rejected == nil:
		return c.Redirect(urls.UploadList, http.StatusSeeOther)
	}
	v.Alert = u.Locale.Words(c).Text("upload.alert.several")
	return u.showRejectedUpload(c, user, rejected, v)
}

// receive stores a file of a form, and closes it.
func (u *Uploads) receive(c *fiber.Ctx, user *domain.User, file *intake.File) (id string, err error) {
	defer file.Close()
	switch {
	case file.Err != nil:
		return "", file.Err
	case file.Size() == 0:
		return "", errEmpty
	}
	return u.Uploading.Receive(c.UserContext(), user.ID, file.Hint, file)
}

// The errors of a file of a form.
var (
	errEmpty     error = &domain.BrokenFileError{Reason: "it is empty"}
	errUndecided       = fmt.Errorf("%w: too many uploads are undecided", problem.ErrSeveralFiles)
)

// reason says why a file was rejected. It returns an empty text if an error page says it.
func (u *Uploads) reason(c *fiber.Ctx, err error) string {
	p, words := problem.New(transport.RequestID(c), err), u.Locale.Words(c)
	switch {
	case errors.Is(err, domain.ErrUnknownSheet):
		return ""
	case errors.Is(err, problem.ErrNoFile):
		return words.Text("upload.alert.none")
	case errors.Is(err, errEmpty):
		return words.Text("upload.alert.empty")
	case errors.Is(err, errUndecided):
		return words.Text("upload.alert.undecided", "Number", words.Number(ports.MaxUndecidedUploads))
	case p.Kind != "", errors.Is(err, problem.ErrRatio), errors.Is(err, problem.ErrSeveralFiles), errors.Is(err, problem.ErrField):
		return p.Text(words)
	case errors.Is(err, domain.ErrBrokenFile):
		reason := words.Text("upload.failure." + string(domain.UploadBroken))
		if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok {
			detail, _ := words.Phrase(broken.Error())
			reason = strings.TrimSuffix(reason, ".") + " (" + detail + ")."
		}
		return reason
	case errors.Is(err, transport.ErrTooLarge):
		return words.Text("upload.alert.too_large")
	case errors.Is(err, ports.ErrBusy):
		return words.Text("upload.alert.busy")
	}
	return ""
}

// rejectUpload shows the form again, with the reason why the file was rejected.
func (u *Uploads) rejectUpload(c *fiber.Ctx, user *domain.User, err error) error {
	reason := u.reason(c, err)
	if reason == "" {
		return err
	}
	v := &uploadFormView{}
	v.Alert, v.AlertURL = reason, "#file"
	return u.showRejectedUpload(c, user, err, v)
}

// showRejectedUpload shows the form with the answer to the error of a file.
func (u *Uploads) showRejectedUpload(c *fiber.Ctx, user *domain.User, err error, v *uploadFormView) error {
	if !problem.WantsPage(c) {
		return err
	}
	status := problem.New(transport.RequestID(c), err).Status
	problem.SetRetryAfter(c, status, err)
	c.Status(status)
	return u.showUploadForm(c, user, v)
}

// List answers GET /useradd/uploads.
func (u *Uploads) List(c *fiber.Ctx, user *domain.User) error {
	v := &uploadListView{}
	err := u.list(c, user, v)
	if err != nil {
		return err
	}
	v.Refreshes = v.Working
	return u.show(c, "uploads", v)
}

// Decide answers POST /useradd/uploads, by which a user starts or cancels uploads of the list. The list also shows those that have changed
// in the meantime.
func (u *Uploads) Decide(c *fiber.Ctx, user *domain.User) error {
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	notice := ""
	note := func(result error) {
		switch {
		case errors.Is(result, ports.ErrNotFound):
			notice = noticeUploadGone
		case !errors.Is(result, ports.ErrChanged):
			err = cmp.Or(err, result)
		}
	}
	for _, id := range entered["start"] {
		note(u.Uploading.Start(c.UserContext(), user.ID, id, false))
	}
	for _, id := range entered["cancel"] {
		note(u.Uploading.Cancel(c.UserContext(), user.ID, id))
	}
	if err != nil {
		return err
	}
	return u.redirect(c, urls.UploadList, notice)
}

// Uploaded answers GET /useradd/uploads/:id.
func (u *Uploads) Uploaded(c *fiber.Ctx, user *domain.User) error { return u.showUpload(c, user) }

// Start answers POST /useradd/uploads/:id/start. If the user has chosen how the file is read, it starts another dry run.
func (u *Uploads) Start(c *fiber.Ctx, user *domain.User) error {
	return u.change(c, func(id string, entered url.Values) error {
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
	return u.change(c, func(id string, _ url.Values) error {
		return u.Uploading.Cancel(c.UserContext(), user.ID, id)
	})
}

// change changes an upload, and redirects to its page. That page also shows the state of an upload that has changed in the meantime. If
// the upload was removed, or another user has signed in since the page was opened, the list says so.
func (u *Uploads) change(c *fiber.Ctx, change func(id string, entered url.Values) error) error {
	id := c.Params("id")
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	err = change(id, entered)
	switch {
	case errors.Is(err, ports.ErrNotFound) && problem.WantsPage(c):
		return u.redirect(c, urls.UploadList, noticeUploadGone)
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
