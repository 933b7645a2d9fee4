package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/report"
	"rollcall/domain"
)

// FuzzRejected compares what is done to the bytes of an original with what encoding/json makes of it. Numbers are what they are
// written as: JSON has larger ones than float64.
func FuzzRejected(f *testing.F) {
	for _, r := range rejections() {
		f.Add(r.Original)
	}
	f.Add([]byte(`{"phone":1e999}`))
	decode := func(t *testing.T, file []byte, to any) {
		t.Helper()
		require.True(t, json.Valid(file), "what is behind a value is not read by Decode")
		decoder := json.NewDecoder(bytes.NewReader(file))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(to))
	}
	f.Fuzz(func(t *testing.T, original []byte) {
		one := []domain.Rejection{{Object: 3, Login: "known", Description: "why", Original: original}}
		var got []map[string]any
		decode(t, write(t, report.RejectedJSON{}, of(t, nil, one)), &got)
		require.Len(t, got, 1)

		want := map[string]any{}
		valid := bytes.ToValidUTF8(original, []byte("\ufffd"))
		if json.Valid(valid) {
			var value any
			decode(t, valid, &value)
			object, isObject := value.(map[string]any)
			if isObject {
				want = object
			} else {
				want["value"] = value
			}
		} else {
			want["login"] = "known"
		}
		want["object"], want["reason"] = json.Number("3"), "why"
		require.Equal(t, want, got[0])

		file := write(t, report.RejectedCSV{}, of(t, nil, one))
		rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 2)
		login, isText := want["login"].(string)
		if isText && !strings.Contains(login, "\r") && rows[1][5] != login {
			require.Equal(t, "'"+login, rows[1][5])
		}
	})
}
