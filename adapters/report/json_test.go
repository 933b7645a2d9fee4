package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/report"
	"rollcall/domain"
)

// encoding/json reads the same values.
func TestJSONByAnotherReader(t *testing.T) {
	want := append(rejections(), domain.Rejection{Login: "\xff\xc0half \xe5", Description: strings.Repeat("\x01\"", 40_000)})
	var got struct {
		Codes []struct {
			ID          int64
			Code        int
			Date        time.Time
			Description string
			Refused     int
		}
		BadUsers []struct {
			ObjectID    int `json:"object_id"`
			Login       *string
			Description string
			Violations  []struct {
				Field domain.Field
				Code  domain.Code
				Limit *int
			}
		} `json:"bad_users"`
	}
	require.NoError(t, json.Unmarshal(write(t, report.JSON{}, of(t, imports(), want)), &got))
	require.Len(t, got.Codes, len(imports()))
	for i, row := range got.Codes {
		require.Equal(t, imports()[i].ID, row.ID)
		require.Equal(t, imports()[i].Description, row.Description)
		require.True(t, imports()[i].Date.Equal(row.Date))
	}
	require.Len(t, got.BadUsers, len(want))
	for i, row := range got.BadUsers {
		if want[i].Login == "" {
			require.Nil(t, row.Login)
		} else {
			require.Equal(t, strings.ToValidUTF8(strings.ReplaceAll(want[i].Login, "\xff\xc0", "\ufffd\ufffd"), "\ufffd"), *row.Login)
		}
		require.Equal(t, want[i].Description, row.Description)
		require.Len(t, row.Violations, len(want[i].Violations))
		for j, violation := range row.Violations {
			require.Equal(t, want[i].Violations[j].Limit == 0, violation.Limit == nil)
		}
	}
}
