package postgres

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"rollcall/domain"
)

const (
	// maxNesting is the depth to which nested lists and objects are stored. PostgreSQL's own bound depends on its stack.
	maxNesting = 64

	// maxNumber is the length of the longest number that is stored as a number. A short one with an exponent can stand for a million
	// digits, and numeric has 131,072.
	maxNumber = 32
)

// original returns a rejection's original in the subset of JSON that jsonb accepts; nil for NULL. It replaces NUL and invalid UTF-8 by
// U+FFFD, and numbers that are too long by their text.
func original(r *domain.Rejection) []byte {
	if r.Original == nil || isJSONB(r.Original) {
		return r.Original
	}
	decoder := json.NewDecoder(bytes.NewReader(r.Original))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err != nil { // the decoder accepts 10,000 levels of nesting
		return nil
	}
	text, err := json.Marshal(acceptable(value, 0))
	if err != nil {
		return nil
	}
	return text
}

// isJSONB reports whether jsonb stores the text unchanged. False negatives are possible.
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

// acceptable returns a decoded value that jsonb accepts.
func acceptable(value any, depth int) any {
	if depth > maxNesting {
		return nil
	}
	switch v := value.(type) {
	case string:
		return withoutNUL(v)
	case json.Number:
		if len(v) > maxNumber || strings.ContainsAny(v.String(), "eE") {
			return v.String()
		}
	case []any:
		for i := range v {
			v[i] = acceptable(v[i], depth+1)
		}
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, inner := range v {
			object[withoutNUL(key)] = acceptable(inner, depth+1)
		}
		return object
	}
	return value
}

func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", string(utf8.RuneError)) }

// readViolations parses what jsontext.AppendViolations wrote. The keys match the names of Violation's fields without regard to case.
func readViolations(text []byte) (violations domain.Violations, err error) {
	err = json.Unmarshal(text, &violations)
	if err != nil {
		return nil, fmt.Errorf("read violations: %w", err)
	}
	return violations, nil
}
