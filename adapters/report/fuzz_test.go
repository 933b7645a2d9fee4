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

// FuzzRejected compares what is done to the bytes of an original with what encoding/json makes of it.
func FuzzRejected(f *testing.F) {
	for _, r := range rejections() {
		f.Add(r.Original)
	}
	f.Fuzz(func(t *testing.T, original []byte) {
		one := []domain.Rejection{{Object: 3, Login: "known", Description: "why", Original: original}}
		var got []map[string]any
		require.NoError(t, json.Unmarshal(write(t, report.RejectedJSON{}, of(t, nil, one)), &got))
		require.Len(t, got, 1)

		want := map[string]any{}
		var value any
		switch err := json.Unmarshal(bytes.ToValidUTF8(original, []byte("\ufffd")), &value); {
		case err != nil:
			want["login"] = "known"
		default:
			object, isObject := value.(map[string]any)
			if isObject {
				want = object
			} else {
				want["value"] = value
			}
		}
		want["object"], want["reason"] = 3.0, "why"
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
