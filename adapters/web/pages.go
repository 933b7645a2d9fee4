package web

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/manual"
	"rollcall/domain"
	"rollcall/ports"
)

// pages answers browsers.
type pages struct {
	importing   ports.Importing
	registering ports.Registering
	auth        ports.Authenticating
	setup       ports.SettingUp
	reports     ports.ReportReading
	exporting   ports.Exporting
	languages   ports.Languages
	sentences   ports.Words // for programs
	sessions    *sessions
	files       fs.FS // static ones
	assets      assets
	manual      *manual.Manual
	isProxy     func(netip.Addr) bool
	access      domain.ReportsAccess
	passwords   TemporaryPasswords
	events      *events

	uploading         ports.Uploading
	uploads           ports.UploadReading
	spools            ports.SpoolStore
	sheets            Sheets
	starts            map[string]ports.TemplateWriter
	templates         *template.Template
	maxBody           int64
	registers         bool // visitors may register
	registrationSlots *places
	keepAnswers       time.Duration
}

func newPages(cfg Config, templates *template.Template) (*pages, error) {
	files, err := fs.Sub(cfg.Views, "static")
	if err != nil {
		return nil, fmt.Errorf("find static files: %w", err)
	}
	assets, err := newAssets(files)
	if err != nil {
		return nil, err
	}
	help, err := fs.Sub(cfg.Views, "help")
	if err != nil {
		return nil, fmt.Errorf("find manual: %w", err)
	}
	var languages []string
	for _, words := range cfg.Languages.All() {
		languages = append(languages, words.Language())
	}
	manual, err := manual.Load(help, languages)
	if err != nil {
		return nil, err
	}
	return &pages{
		manual:    manual,
		importing: cfg.Importing, registering: cfg.Registering, auth: cfg.Auth, setup: cfg.Setup, reports: cfg.Reports, exporting: cfg.Exporting,
		languages: cfg.Languages, sentences: cfg.Languages.Choose("en", ""), sessions: newSessions(cfg.Sessions), files: files, assets: assets, isProxy: isAnyOf(cfg.TrustedProxies), access: cfg.ReportsAccess, passwords: cfg.Passwords, events: newEvents(cfg),
		uploading: cfg.Uploading, uploads: cfg.Uploads, spools: cfg.Spools, sheets: cfg.Sheets, starts: cfg.Templates,
		templates: templates, maxBody: cfg.MaxBody, registers: !cfg.RegistrationClosed, registrationSlots: newPlaces(registeringAtOnce), keepAnswers: cfg.KeepAnswers,
	}, nil
}

// visitor is who a request is from.
type visitor struct {
	user    *domain.User // nil when nobody is signed in
	session string       // id; empty when nobody is signed in
}

func (v *visitor) isOperator() bool {
	return v.user != nil && !v.user.MustChangePassword && v.user.Has(domain.RoleOperator)
}

const visitorKey = "visitor"

// visitor finds out who a request is from, once.
func (p *pages) visitor(c *fiber.Ctx) (*visitor, error) {
	if known, ok := c.Locals(visitorKey).(*visitor); ok {
		return known, nil
	}
	who := &visitor{}
	session, err := p.sessions.read(c)
	if err != nil {
		return nil, err
	}
	if session != nil {
		who.user, err = p.auth.User(c.UserContext(), session.user, session.made)
		switch {
		case errors.Is(err, domain.ErrSignedOut):
			err = p.sessions.end(c)
		case err == nil:
			who.session = session.id
		}
		if err != nil {
			return nil, err
		}
	}
	c.Locals(visitorKey, who)
	return who, nil
}

// signIn begins a session for a user, and lets the browser be known as one in which they have signed in.
func (p *pages) signIn(c *fiber.Ctx, user *domain.User) error {
	c.Locals(visitorKey, nil)
	err := p.sessions.begin(c, user)
	if err != nil {
		return err
	}
	secure := isSecure(c)
	c.Cookie(&fiber.Cookie{
		Name: cookieName("device", secure), Value: p.auth.MarkDevice(user, device(c)), Path: "/", MaxAge: int(deviceAge.Seconds()),
		HTTPOnly: true, Secure: secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
	return nil
}

// deviceAge is how long a browser keeps what it is known by.
const deviceAge = 180 * 24 * time.Hour

// device returns what the browser keeps of the users who have signed in there.
func device(c *fiber.Ctx) string { return c.Cookies(cookieName("device", isSecure(c))) }

// view is what a template shows.
type view struct {
	T              *words
	Title          string
	Languages      []viewLanguage
	User           *domain.User
	IsOperator     bool // the user is one
	Token          string
	Registers      bool // visitors may register
	Notice, Alert  string
	Next           string
	TemporaryUntil time.Time
	Problem        viewProblem
	Report         *viewReport
	Record         *viewRecord
	Rejected       *viewRejections // by an import, or a dry run
	Upload         *viewUpload
	Uploads        []viewUploaded
	Templates      []viewLink
	Help           *viewHelp
	Uploading      bool // the page has a script of its own
	Refreshes      bool // by itself, where there is no script

	form   form
	kept   url.Values // what the page's address keeps in another language
	assets assets
}

// viewLanguage is a language to switch to.
type viewLanguage struct {
	Tag, Name, URL string
	Current        bool
}

// viewProblem is what an error page says.
type viewProblem struct {
	Status                   int
	Title, Detail, RequestID string
}

// Field is a field of the page's form.
func (v *view) Field(name string) (viewField, error) { return v.form.field(name, v.T) }

// Asset is the address of a static file.
func (v *view) Asset(name string) (string, error) { return v.assets.url(name) }

// show answers with a page.
func (p *pages) show(c *fiber.Ctx, page string, v *view) error {
	who, err := p.visitor(c)
	if err != nil {
		return err
	}
	v.T, v.User, v.assets, v.Registers = p.words(c), who.user, p.assets, p.registers
	v.IsOperator = who.isOperator()
	v.Token, err = p.token(c)
	if err != nil {
		return err
	}
	if v.Title == "" {
		v.Title = v.T.Text("title." + page)
	}
	v.Languages = p.switches(c, v.kept)
	err = c.Render("pages/"+page, v, "layouts/page")
	if err != nil {
		return fmt.Errorf("page %s: %w", page, err)
	}
	return nil
}

// showForm shows a form again, with what was entered and why it was not taken.
func (p *pages) showForm(c *fiber.Ctx, page string, v *view, err error) error {
	problem := newProblem(requestID(c), err)
	if !wantsPage(c) || problem.Code == "internal" {
		return err
	}
	p.events.noteError(c, err)
	v.form.violations = refused(err)
	words := p.words(c)
	switch known, tooMany := errors.AsType[*domain.TooManyAttemptsError](err); {
	case tooMany:
		v.Alert = words.Text("alert.attempts", "Count", minutes(known.Wait))
	case v.form.violations != nil:
		v.Alert = words.Text("alert.fields")
	case errors.Is(err, domain.ErrWrongCredentials):
		v.Alert = words.Text("alert.credentials")
	case errors.Is(err, domain.ErrPasswordExpired):
		v.Alert = words.Text("alert.expired")
	default:
		v.Alert = words.Text("error." + problem.Code + ".detail")
	}
	setRetryAfter(c, problem.Status, err)
	c.Status(problem.Status)
	return p.show(c, page, v)
}

// minutes is how many whole minutes cover a time.
func minutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }

// home answers GET /.
func (p *pages) home(c *fiber.Ctx) error { return p.show(c, "home", &view{}) }

// What a page may have to say of the one before.
const (
	noticeSignedOut       = "signed_out"
	noticeRegistered      = "registered"
	noticePasswordChanged = "password_changed"
	noticeOperator        = "operator"

	// noticeSignIn stands behind one of what was done where nobody could be signed in.
	noticeSignIn = "_sign_in"
)

// notice returns what the page before has to say, which its address names.
func (p *pages) notice(c *fiber.Ctx) string {
	switch name := c.Query("notice"); name {
	case noticeSignedOut, noticeOperator, noticeRegistered, noticeRegistered + noticeSignIn, noticePasswordChanged, noticePasswordChanged + noticeSignIn:
		return p.words(c).Text("notice." + name)
	}
	return ""
}

// localPath is the path of this server that next names, and the profile when it names something else.
func localPath(next string) string {
	const fallback = pathProfile
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return fallback
	}
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, isUnsafeInPath) {
		return fallback
	}
	return next
}

// isUnsafeInPath knows what browsers drop from an address or take for a slash.
func isUnsafeInPath(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }
