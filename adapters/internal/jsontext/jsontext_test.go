package jsontext_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/internal/jsontext"
	"rollcall/domain"
)

// FuzzAppendString proves that encoding/json reads the text again, with U+FFFD for each byte that is not UTF-8.
func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\n\r\t\x00\x1f\x7f/")
	f.Add("Ёлка 名 🙂 \xff\xc0\x80 \u2028")
	f.Fuzz(func(t *testing.T, text string) {
		quoted := jsontext.AppendString([]byte("x"), text)
		require.Equal(t, quoted, jsontext.AppendString([]byte("x"), []byte(text)))
		var got string
		require.NoError(t, json.Unmarshal(quoted[1:], &got))
		require.Equal(t, string([]rune(text)), got)
	})
}

func TestAppendViolations(t *testing.T) {
	require.JSONEq(t, "[]", string(jsontext.AppendViolations(nil, nil)))
	require.JSONEq(t, `[{"field":"login","code":"too_long","limit":50},{"field":"","code":"not_object"}]`,
		string(jsontext.AppendViolations(nil, domain.Violations{
			{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50}, {Code: domain.CodeNotObject},
		})))
}
