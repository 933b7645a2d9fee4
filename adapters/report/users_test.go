package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/report"
	"rollcall/domain"
)

// Times have the zone of the server, also where it has summer time.
func TestTimesOfUsers(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	winter, summer := time.Date(2026, time.January, 31, 23, 30, 0, 0, time.UTC), time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	person := func(id int64, signIns ...domain.SignIn) *domain.Person {
		return &domain.Person{User: domain.User{ID: id, Login: "=anna", Registered: winter}, Status: domain.StatusActive, SignIns: signIns}
	}
	var file bytes.Buffer
	require.NoError(t, report.UsersCSV{Location: berlin}.Write(&file, "ru", func(yield func(*domain.Person, error) bool) {
		_ = yield(person(1), nil) && yield(person(2, domain.SignIn{Time: winter}), nil) && yield(person(3, domain.SignIn{Time: summer}), nil)
	}))
	lines := strings.Split(file.String(), "\r\n")
	require.Equal(t, `"1";"";"";"";"'=anna";"";"";"";"";"active";"2026-02-01 00:30:00";"";"CET (UTC+1)";""`, lines[1])
	require.Contains(t, lines[2], `"2026-02-01 00:30:00";"2026-02-01 00:30:00";"CET (UTC+1)"`)
	require.Contains(t, lines[3], `"2026-02-01 00:30:00";"2026-07-01 14:00:00";"CET (UTC+1), CEST (UTC+2)"`)
}
