package web

import (
	"maps"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

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
	setWords(c, words)
	c.Cookie(&fiber.Cookie{
		Name: "lang", Value: words.Language(), Path: "/", Expires: time.Now().AddDate(languageYears, 0, 0),
		HTTPOnly: true, Secure: isSecure(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
	return c.Next()
}

// words has texts and numbers in the reader's language, for one request.
type words struct {
	ports.Words

	numbers *message.Printer
}

// Number writes a number.
func (w *words) Number(n int) string { return w.numbers.Sprint(n) }

// Percent writes a share of one as a percentage.
func (w *words) Percent(share float64) string {
	return w.numbers.Sprint(number.Percent(share, number.MaxFractionDigits(1)))
}

const wordsKey = "words"

// words are those of the reader's language.
func (p *pages) words(c *fiber.Ctx) *words {
	if known, ok := c.Locals(wordsKey).(*words); ok {
		return known
	}
	return setWords(c, p.languages.Choose(c.Cookies("lang"), c.Get(fiber.HeaderAcceptLanguage)))
}

func setWords(c *fiber.Ctx, chosen ports.Words) *words {
	w := &words{chosen, message.NewPrinter(language.Make(chosen.Language()))}
	c.Locals(wordsKey, w)
	return w
}

// switches are links to the same page in each language, with what its address keeps.
func (p *pages) switches(c *fiber.Ctx, kept url.Values) []viewLanguage {
	query := url.Values{}
	maps.Copy(query, kept)
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
