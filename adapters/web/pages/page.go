// Package pages answers browsers.
package pages

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
)

// A Site holds the parts that all pages share.
type Site struct {
	Name               string // that pages show
	Guard              *guard.Guard
	Locale             *locale.Locale
	Assets             Assets
	AllowsRegistration bool
	PatronymicOptional bool // a person may have no patronymic
}

// Base is the view of the layout. The view of each page embeds it.
type Base struct {
	T                  *locale.Words
	Site               string // name
	Title              string // that of the page's name in the catalog, if empty
	Languages          []languageLink
	User               *domain.User // nil for a visitor
	IsOperator         bool
	AllowsRegistration bool
	Notice, Alert      string     // empty for none
	AlertURL           string     // of the field that the alert concerns; empty for none or several
	Summary            []linkView // to each invalid field

	Styles, Scripts []string // of this page, besides those of all
	Refreshes       bool     // by itself, in a browser without scripts
	Download        string   // address of the file that the page starts to download; empty for none
	RequestID       string   // of an error of the server; empty for none
	SwitchForm      string   // id of the form that the language switch sends in a browser without scripts; empty for none

	assets Assets
}

func (b *Base) base() *Base { return b }

// Asset returns the address of a static file.
func (b *Base) Asset(name string) (string, error) { return b.assets.url(name) }

// A view holds the data of a template.
type view interface{ base() *Base }

// languageLink leads to the same page in another language.
type languageLink struct {
	Tag, Name, URL string
	Current        bool
}

// show answers with a page.
func (s *Site) show(c *fiber.Ctx, page string, v view) error {
	visitor, err := s.Guard.Visitors.Visitor(c)
	if err != nil {
		return err
	}
	b := v.base()
	b.T, b.Site, b.assets = s.Locale.Words(c), s.Name, s.Assets
	b.User, b.IsOperator, b.AllowsRegistration = visitor.User, visitor.IsOperator(), s.AllowsRegistration
	if b.Title == "" {
		b.Title = b.T.Text("title." + page)
	}
	b.Languages = s.languages(c)
	b.SwitchForm = cmp.Or(b.SwitchForm, switchForms[page])
	s.takeFlash(c, b)
	err = c.Render("pages/"+page, v, "layouts/page")
	if err != nil {
		return fmt.Errorf("render page %s: %w", page, err)
	}
	return nil
}

// switchForms are the forms that the language switch of a page sends, so that it keeps what was entered. It posts "form", and gets the
// page again with the values of any other.
var switchForms = map[string]string{
	"login": "form", "register": "form", "password": "form", "user_edit": "form", "audit": "filter", "users": "filter",
}

// languages returns links to the same page in each language, with the same parameters.
func (s *Site) languages(c *fiber.Ctx) []languageLink {
	query, _ := url.ParseQuery(string(c.Request().URI().QueryString())) // without what cannot be parsed
	if next := query.Get("next"); next != "" {
		query.Set("next", urls.Local(next))
	}
	current := s.Locale.Words(c).Language()
	languages := s.Locale.All()
	links := make([]languageLink, 0, len(languages))
	for _, words := range languages {
		tag := words.Language()
		query.Set(locale.Parameter, tag)
		links = append(links, languageLink{Tag: tag, Name: words.Text("language.name"), URL: "?" + query.Encode(), Current: tag == current})
	}
	return links
}

// errorView is the view of an error page.
type errorView struct {
	Base

	Status int
	Detail string
	Offer  string      // address of the page that offers the file of the request; empty for none
	Resend *resendView // nil for a request that is no form
	SignIn string      // address at which the user signs in before sending the form again; empty unless the session is over
}

// resendView is a form that sends a rejected form again.
type resendView struct {
	Action string
	Values []termView
}

// ShowProblem implements problem.Page. The page shows without an account if the database does not answer.
func (s *Site) ShowProblem(c *fiber.Ctx, p problem.Problem, err error) error {
	s.Guard.Visitors.LookUp(c)
	words := s.Locale.Words(c)
	if sent, ok := c.Locals(sentKey).(sentForm); ok && p.Status != http.StatusNotFound && !errors.Is(err, domain.ErrSignedOut) {
		return s.showRejected(c, sent, p, err)
	}
	v := &errorView{
		Base:   Base{Title: words.Text("error." + p.Code + ".title"), RequestID: p.RequestID},
		Status: p.Status, Detail: p.Text(words), Resend: newResendView(c, p),
	}
	if page, isFile := urls.Offering(c.OriginalURL()); isFile && p.Status != http.StatusForbidden && p.Status != http.StatusNotFound {
		v.Offer = page
	}
	if c.Method() == fiber.MethodPost && errors.Is(err, domain.ErrSignedOut) {
		signIn := urls.SignIn(guard.PageOf(c))
		if v.Resend == nil && !problem.WantsLocation(c) {
			return s.redirect(c, signIn, noticeSessionOver)
		}
		v.Detail, v.SignIn = words.Text("form.unsent.session"), signIn
	}
	if v.Resend != nil {
		v.Alert = v.Detail
	}
	return s.show(c, "error", v)
}

// newResendView returns the form with which a browser sends a rejected form again, and nil for other requests and where the address does
// not exist. A form of another site is not sent again.
func newResendView(c *fiber.Ctx, p problem.Problem) *resendView {
	if c.Method() != fiber.MethodPost || c.Locals(provenKey) == nil || c.Locals(sentKey) != nil ||
		p.Status == http.StatusNotFound || p.Status == http.StatusMethodNotAllowed {
		return nil
	}
	entered, err := intake.ReadForm(c)
	if errors.Is(err, problem.ErrFormType) {
		return nil
	}
	v := &resendView{Action: c.Path()}
	for _, name := range slices.Sorted(maps.Keys(entered)) {
		for _, value := range entered[name] {
			v.Values = append(v.Values, termView{name, value})
		}
	}
	return v
}

// Home answers GET /.
func (s *Site) Home(c *fiber.Ctx) error { return s.show(c, "home", &Base{}) }
