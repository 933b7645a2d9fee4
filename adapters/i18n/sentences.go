// Package i18n has the words for what the rest of the program knows by codes.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"rollcall/domain"
)

//go:embed *.json
var catalogs embed.FS

// Sentences says violations in English.
type Sentences struct {
	localizer *i18n.Localizer
	known     sync.Map // domain.Violation -> its sentence: there are few, and an import may need them a million times
}

// NewSentences reads the catalog.
func NewSentences() (*Sentences, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	_, err := bundle.LoadMessageFileFS(catalogs, "en.json")
	if err != nil {
		return nil, fmt.Errorf("load catalog: %w", err)
	}
	return &Sentences{localizer: i18n.NewLocalizer(bundle, "en")}, nil
}

// Describe implements ports.Sentences.
func (s *Sentences) Describe(violations domain.Violations) string {
	if len(violations) == 1 {
		return s.sentence(violations[0])
	}
	sentences := make([]string, len(violations))
	for i, v := range violations {
		sentences[i] = s.sentence(v)
	}
	return strings.Join(sentences, " ")
}

func (s *Sentences) sentence(v domain.Violation) string {
	if known, ok := s.known.Load(v); ok {
		return known.(string) //nolint:forcetypeassert // nothing else is stored
	}
	data := map[string]any{"Limit": v.Limit}
	if v.Field != domain.FieldObject {
		data["Field"] = s.message("field."+string(v.Field), nil)
	}
	id := "violation." + string(v.Code)
	sentence := s.message(id+"."+string(v.Field), data) // a field may need words of its own
	if sentence == "" {
		sentence = s.message(id, data)
	}
	s.known.Store(v, sentence)
	return sentence
}

// message is empty where the catalog has none.
func (s *Sentences) message(id string, data any) string {
	message, err := s.localizer.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data})
	if err != nil {
		return ""
	}
	return message
}
