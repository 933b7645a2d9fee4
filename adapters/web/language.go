package web

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/ports"
)

// languageYears is for how long a reader's choice is remembered.
const languageYears = 1

// rememberLanguage is for GETs with ?lang=: what the reader chooses holds from this page on.
func (p *pages) rememberLanguage(c *fiber.Ctx) error {
	chosen := c.Query("lang")
	if c.Method() != fiber.MethodGet || chosen == "" {
		return c.Next()
	}
	words := p.languages.Choose(chosen, "")
	if words.Language() != chosen {
		return c.Next()
	}
	c.Locals(wordsKey, words)
	c.Cookie(&fiber.Cookie{
		Name: "lang", Value: words.Language(), Path: "/", Expires: time.Now().AddDate(languageYears, 0, 0),
		HTTPOnly: true, Secure: isSecure(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
	return c.Next()
}

const wordsKey = "words"

// words are those of the reader's language.
func (p *pages) words(c *fiber.Ctx) ports.Words {
	if words, ok := c.Locals(wordsKey).(ports.Words); ok {
		return words
	}
	words := p.languages.Choose(c.Cookies("lang"), c.Get(fiber.HeaderAcceptLanguage))
	c.Locals(wordsKey, words)
	return words
}

// switches are links to the same page in each language.
func (p *pages) switches(c *fiber.Ctx) []viewLanguage {
	query := url.Values{}
	if next := c.Query("next"); next != "" {
		query.Set("next", localPath(next))
	}
	current := p.words(c).Language()
	languages := p.languages.All()
	all := make([]viewLanguage, 0, len(languages))
	for _, words := range languages {
		tag := words.Language()
		query.Set("lang", tag)
		all = append(all, viewLanguage{Tag: tag, Name: words.Text("language.name"), URL: "?" + query.Encode(), Current: tag == current})
	}
	return all
}
