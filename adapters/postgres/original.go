package postgres

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"rollcall/domain"
)

const (
	// maxNesting is how deep lists and objects stand in one another that are kept. PostgreSQL's own bound depends on its
	// stack.
	maxNesting = 64

	// maxNumber is how long a number may be in PostgreSQL's eyes: with an exponent a short one can mean a million digits,
	// which is more than a numeric has.
	maxNumber = 32
)

// original is what a rejection came with in the JSON that jsonb takes, which is not all of JSON; nil for NULL. Where a
// character or a number is none that it takes, there is a sign or a text in its place.
func original(r *domain.Rejection) []byte {
	if r.Original == nil || isJSONB(r.Original) {
		return r.Original
	}
	decoder := json.NewDecoder(bytes.NewReader(r.Original))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err != nil { // lists in lists, ten thousand deep
		return nil
	}
	mended, err := json.Marshal(mend(value, 0))
	if err != nil {
		return nil
	}
	return mended
}

// isJSONB tells of most JSON that jsonb takes it as it is; of some it says no in vain.
func isJSONB(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	nesting, digits := 0, 0
	for i, c := range text {
		switch {
		case '0' <= c && c <= '9' || c == '.':
			digits++
			if digits > maxNumber {
				return false
			}
			continue
		case c == '[' || c == '{':
			nesting++
		case c == '\\' && i+1 < len(text) && text[i+1] == 'u', (c == 'e' || c == 'E') && digits > 0:
			return false
		}
		digits = 0
	}
	return nesting <= maxNesting
}

func mend(value any, depth int) any {
	if depth > maxNesting {
		return nil
	}
	switch v := value.(type) {
	case string:
		return mendText(v)
	case json.Number:
		if len(v) > maxNumber || strings.ContainsAny(v.String(), "eE") {
			return v.String()
		}
	case []any:
		for i := range v {
			v[i] = mend(v[i], depth+1)
		}
	case map[string]any:
		mended := make(map[string]any, len(v))
		for key, inner := range v {
			mended[mendText(key)] = mend(inner, depth+1)
		}
		return mended
	}
	return value
}

// mendText has no NUL, which PostgreSQL's texts do not hold.
func mendText(s string) string { return strings.ReplaceAll(s, "\x00", string(utf8.RuneError)) }
