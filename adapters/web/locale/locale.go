// Package locale chooses the language of a reader, and formats texts, numbers and times in it.
package locale

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// Parameter is the parameter of an address that chooses a language.
const Parameter = "lang"

const (
	cookie      = Parameter
	cookieYears = 1
)

// A Locale chooses between the languages of the pages, and has the server's clock.
type Locale struct {
	languages ports.Languages

	// Now returns the time in the server's time zone, in which days begin and pages show times.
	Now func() time.Time
}

// New returns a locale of languages and a clock.
func New(languages ports.Languages, now func() time.Time) *Locale { return &Locale{languages, now} }

// Remember stores the language that a GET with ?lang= chooses, for this page and later ones.
func (l *Locale) Remember(c *fiber.Ctx) error {
	if c.Method() == fiber.MethodGet {
		l.Switch(c, c.Query(Parameter))
	}
	return c.Next()
}

// Switch stores a language for this page and later ones. It reports whether there is such a language.
func (l *Locale) Switch(c *fiber.Ctx, chosen string) bool {
	words := l.languages.Choose(chosen, "")
	if words.Language() != chosen {
		return false
	}
	l.set(c, words)
	c.Cookie(&fiber.Cookie{
		Name: cookie, Value: words.Language(), Path: "/", Expires: time.Now().AddDate(cookieYears, 0, 0),
		HTTPOnly: true, Secure: transport.IsSecure(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
	return true
}

// All returns the words of each language.
func (l *Locale) All() []ports.Words { return l.languages.All() }

// English returns the words for programs.
func (l *Locale) English() ports.Words { return l.languages.Choose("en", "") }

const wordsKey = "words"

// Words returns the words of the reader's language.
func (l *Locale) Words(c *fiber.Ctx) *Words {
	if known, ok := c.Locals(wordsKey).(*Words); ok {
		return known
	}
	return l.set(c, l.languages.Choose(c.Cookies(cookie), c.Get(fiber.HeaderAcceptLanguage)))
}

func (l *Locale) set(c *fiber.Ctx, chosen ports.Words) *Words {
	w := &Words{chosen, l.Now().Location(), message.NewPrinter(language.Make(chosen.Language()))}
	c.Locals(wordsKey, w)
	return w
}

// Words has texts and numbers in the reader's language, for one request.
type Words struct {
	ports.Words

	location *time.Location
	numbers  *message.Printer
}

// Text implements ports.Words. It isolates a value in a right-to-left script, which would reorder the digits and signs beside it.
func (w *Words) Text(id string, pairs ...any) string {
	const isolate, end = "\u2068", "\u2069"
	pairs = slices.Clone(pairs)
	for i, value := range pairs {
		if text, ok := value.(string); ok && domain.HasRightToLeft(text) {
			pairs[i] = isolate + text + end
		}
	}
	return w.Words.Text(id, pairs...)
}

// Number formats a number.
func (w *Words) Number(n int) string { return w.numbers.Sprint(n) }

// Zone returns the name of the server's time zone at a time.
func (w *Words) Zone(t time.Time) string {
	return strings.Replace(domain.ZoneName(t.In(w.location)), "MSK", w.Text("zone.msk"), 1)
}

// A Moment is the view of a time, alone or in a sentence. A script translates it to the reader's time zone.
type Moment struct {
	Before, After string // rest of the sentence
	Text, Date    string // for readers, in the server's time zone, and for programs
}

// Time returns the view of a time.
func (w *Words) Time(t time.Time) Moment {
	t = t.In(w.location)
	return Moment{Text: w.Date(t) + ", " + t.Format("15:04 ") + w.Zone(t), Date: t.Format(time.RFC3339)}
}

// TextWithTime returns the view of a message whose Time is a time.
func (w *Words) TextWithTime(id string, t time.Time) Moment {
	const mark = "\x00"
	moment := w.Time(t)
	moment.Before, moment.After, _ = strings.Cut(w.Text(id, "Time", mark), mark)
	return moment
}

// Percent formats a share of 1 as a percentage.
func (w *Words) Percent(share float64) string {
	return w.numbers.Sprint(number.Percent(share, number.MaxFractionDigits(1)))
}

// Size formats a number of bytes.
func (w *Words) Size(bytes int64) string {
	const unit = 1024
	size, name := float64(bytes), "upload.size.b"
	for _, larger := range []string{"upload.size.kib", "upload.size.mib", "upload.size.gib"} {
		if size < unit {
			break
		}
		size, name = size/unit, larger
	}
	number := w.Number(int(size))
	if size < 10 && name != "upload.size.b" {
		number = w.numbers.Sprintf("%.1f", size)
	}
	return w.Text(name, "Number", number)
}
