// Package pages answers browsers.
package pages

import (
	"fmt"
	"maps"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
)

// A Site holds the parts that all pages share.
type Site struct {
	Guard              *guard.Guard
	Locale             *locale.Locale
	Assets             Assets
	AllowsRegistration bool
}

// Base is the view of the layout. The view of each page embeds it.
type Base struct {
	T                  *locale.Words
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

	assets Assets
	kept   url.Values // parameters that links to other languages keep
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
	b.T, b.assets = s.Locale.Words(c), s.Assets
	b.User, b.IsOperator, b.AllowsRegistration = visitor.User, visitor.IsOperator(), s.AllowsRegistration
	if b.Title == "" {
		b.Title = b.T.Text("title." + page)
	}
	b.Languages = s.languages(c, b.kept)
	err = c.Render("pages/"+page, v, "layouts/page")
	if err != nil {
		return fmt.Errorf("render page %s: %w", page, err)
	}
	return nil
}

// languages returns links to the same page in each language.
func (s *Site) languages(c *fiber.Ctx, kept url.Values) []languageLink {
	query := url.Values{}
	maps.Copy(query, kept)
	if next := c.Query("next"); next != "" {
		query.Set("next", urls.Local(next))
	}
	current := s.Locale.Words(c).Language()
	languages := s.Locale.All()
	links := make([]languageLink, 0, len(languages))
	for _, words := range languages {
		tag := words.Language()
		query.Set("lang", tag)
		links = append(links, languageLink{Tag: tag, Name: words.Text("language.name"), URL: "?" + query.Encode(), Current: tag == current})
	}
	return links
}

// errorView is the view of an error page.
type errorView struct {
	Base

	Status            int
	Detail, RequestID string
}

// ShowProblem implements problem.Page. The page shows without an account if the database does not answer.
func (s *Site) ShowProblem(c *fiber.Ctx, p problem.Problem) error {
	s.Guard.Visitors.LookUp(c)
	words := s.Locale.Words(c)
	return s.show(c, "error", &errorView{
		Base:   Base{Title: words.Text("error." + p.Code + ".title")},
		Status: p.Status, Detail: p.Text(words), RequestID: p.RequestID,
	})
}

// Home answers GET /.
func (s *Site) Home(c *fiber.Ctx) error { return s.show(c, "home", &Base{}) }

// The notices with which a page reports on the request before it. Its address names them.
const (
	noticeSignedOut       = "signed_out"
	noticeRegistered      = "registered"
	noticePasswordChanged = "password_changed"
	noticeOperator        = "operator"

	// noticeSignIn is the end of the notice of a request that succeeded but could not sign the user in.
	noticeSignIn = "_sign_in"
)

// notice returns the notice that the address of a request names, empty for none.
func (s *Site) notice(c *fiber.Ctx) string {
	switch name := c.Query("notice"); name {
	case noticeSignedOut, noticeOperator, noticeRegistered, noticeRegistered + noticeSignIn, noticePasswordChanged, noticePasswordChanged + noticeSignIn:
		return s.Locale.Words(c).Text("notice." + name)
	}
	return ""
}
