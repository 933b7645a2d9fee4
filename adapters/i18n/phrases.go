package i18n

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// phrasePrefix begins the ids of phrases: messages whose English text other packages write.
const phrasePrefix = "phrase."

// A phrase recognises the English text of a message.
type phrase struct {
	id      string
	pattern *regexp.Regexp // with a group for each value
}

var placeholder = regexp.MustCompile(`\\{\\{\\\.(\w+)\\}\\}`) // as regexp.QuoteMeta writes it

// loadPhrases returns the phrases of the English catalog.
func loadPhrases() ([]phrase, error) {
	text, err := catalogs.ReadFile("en.json")
	var messages map[string]any
	if err == nil {
		err = json.Unmarshal(text, &messages)
	}
	if err != nil {
		return nil, fmt.Errorf("load phrases: %w", err)
	}
	var phrases []phrase
	for _, id := range slices.Sorted(maps.Keys(messages)) {
		english, isText := messages[id].(string)
		if !isText || !strings.HasPrefix(id, phrasePrefix) {
			continue
		}
		pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(english), `(?P<$1>.+)`)
		phrases = append(phrases, phrase{id, regexp.MustCompile("(?s)^" + pattern + "$")})
	}
	slices.SortStableFunc(phrases, func(a, b phrase) int { // longer ones first, so that no value takes words of a phrase
		return cmp.Compare(len(b.pattern.String()), len(a.pattern.String()))
	})
	return phrases, nil
}

// nested is the value of a phrase that is a phrase itself.
const nested = "Phrase"

// Phrase implements ports.Words.
func (w *words) Phrase(english string) (text string, isKnown bool) {
	for _, p := range w.phrases {
		match := p.pattern.FindStringSubmatch(english)
		if match == nil {
			continue
		}
		var pairs []any
		for i, name := range p.pattern.SubexpNames()[1:] {
			value := match[i+1]
			if name == nested {
				value, isKnown = w.Phrase(value)
				if !isKnown {
					return english, false
				}
			}
			pairs = append(pairs, name, value)
		}
		return w.Text(p.id, pairs...), true
	}
	return english, false
}
