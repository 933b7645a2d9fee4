// Package i18n holds the message catalogs: the texts of pages, and the sentences for codes of violations and errors.
package i18n

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"rollcall/domain"
	"rollcall/ports"
)

//go:embed *.json
var catalogs embed.FS

// maxHeader is the number of bytes that are read of an Accept-Language header. Browsers send fewer.
const maxHeader = 200

// A Catalog holds the messages of every language.
type Catalog struct {
	words   []ports.Words
	matcher language.Matcher
}

// New loads the catalogs.
func New() (*Catalog, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	tags := []language.Tag{language.English, language.Russian} // the first is the default
	catalog := &Catalog{matcher: language.NewMatcher(tags)}
	phrases, err := loadPhrases()
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		_, err := bundle.LoadMessageFileFS(catalogs, tag.String()+".json")
		if err != nil {
			return nil, fmt.Errorf("load catalog: %w", err)
		}
		catalog.words = append(catalog.words, &words{
			tag:       tag.String(),
			localizer: i18n.NewLocalizer(bundle, tag.String()),
			phrases:   phrases,
		})
	}
	return catalog, nil
}

// All implements ports.Languages.
func (c *Catalog) All() []ports.Words { return append([]ports.Words(nil), c.words...) }

// Choose implements ports.Languages.
func (c *Catalog) Choose(chosen, acceptLanguage string) ports.Words {
	for _, w := range c.words {
		if w.Language() == chosen {
			return w
		}
	}
	if len(acceptLanguage) > maxHeader {
		acceptLanguage = acceptLanguage[:maxHeader]
		acceptLanguage = acceptLanguage[:max(0, strings.LastIndexByte(acceptLanguage, ','))] // a tag that is cut may read as another one
	}
	preferred, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return c.words[0]
	}
	_, index, _ := c.matcher.Match(preferred...)
	return c.words[index]
}

// words are the messages of one language.
type words struct {
	tag       string
	localizer *i18n.Localizer
	phrases   []phrase
	known     sync.Map // domain.Violation -> its sentence; an import may need the few that there are a million times
}

// Language implements ports.Words.
func (w *words) Language() string { return w.tag }

// Text implements ports.Words.
func (w *words) Text(id string, pairs ...any) string {
	config := i18n.LocalizeConfig{MessageID: id}
	if len(pairs) > 0 {
		data := make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			data[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
		config.TemplateData, config.PluralCount = data, data["Count"]
	}
	if text := w.message(&config); text != "" {
		return text
	}
	return id
}

// Date implements ports.Words.
func (w *words) Date(t time.Time) string {
	year, month, day := t.Date()
	return w.Text("date", "Day", day, "Month", w.Text("month."+strconv.Itoa(int(month))), "Year", year)
}

// Describe implements ports.Sentences.
func (w *words) Describe(violations domain.Violations) string {
	if len(violations) == 1 {
		return w.sentence(violations[0])
	}
	sentences := make([]string, len(violations))
	for i, v := range violations {
		sentences[i] = w.sentence(v)
	}
	return strings.Join(sentences, " ")
}

func (w *words) sentence(v domain.Violation) string {
	if known, ok := w.known.Load(v); ok {
		return known.(string) //nolint:forcetypeassert // sentences are all that it holds
	}
	data := map[string]any{"Limit": v.Limit, "Name": string(v.Field)}
	isKnown := true
	if v.Field != domain.FieldRecord {
		name, isLonger := strings.CutPrefix(w.Text("field."+string(v.Field)), "field.") // its own name if it has no message
		data["Field"], isKnown = name, !isLonger
	}
	id := "violation." + string(v.Code)
	config := i18n.LocalizeConfig{MessageID: id + "." + string(v.Field), TemplateData: data, PluralCount: v.Limit}
	sentence := w.message(&config) // the sentence of this field, if the language needs one
	if sentence == "" {
		config.MessageID = id
		sentence = w.message(&config)
	}
	if isKnown { // a client may send any other name
		w.known.Store(v, sentence)
	}
	return sentence
}

// message returns a message in this language, or an empty string if the catalog has none.
func (w *words) message(config *i18n.LocalizeConfig) string {
	text, err := w.localizer.Localize(config)
	if _, missing := errors.AsType[*i18n.MessageNotFoundErr](err); missing { // the localizer then falls back to English
		return ""
	}
	return text // also with another error, of a count for a message without plural forms
}
