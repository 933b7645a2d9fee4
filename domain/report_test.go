package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestStatisticsLast(t *testing.T) {
	var s domain.Statistics
	require.Zero(t, s.Last(7))
	for i := range domain.StatisticsDays {
		s.Days = append(s.Days, domain.DayCount{
			Day: domain.Date(i), Count: domain.Count{Imports: 1, Registered: i, Rejected: 100},
		})
	}
	for _, c := range []struct {
		days int
		want domain.Count
	}{
		{0, domain.Count{}},
		{1, domain.Count{Imports: 1, Registered: 29, Rejected: 100}},
		{2, domain.Count{Imports: 2, Registered: 57, Rejected: 200}},
		{30, domain.Count{Imports: 30, Registered: 435, Rejected: 3000}},
		{31, domain.Count{Imports: 30, Registered: 435, Rejected: 3000}},
	} {
		t.Run(fmt.Sprintf("%d days", c.days), func(t *testing.T) {
			require.Equal(t, c.want, s.Last(c.days))
		})
	}
}

func TestReasons(t *testing.T) {
	tooLong := domain.Violation{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50}
	shorter, taken := tooLong, domain.Violation{Field: domain.FieldLogin, Code: domain.CodeTaken}
	shorter.Limit = 40
	email := domain.Violation{Field: domain.FieldEmail, Code: domain.CodeTaken}
	for _, c := range []struct {
		name       string
		violations domain.Violations
		want       []domain.Reason
	}{
		{"NoViolation", nil, nil},
		{"NotARecord", domain.Violations{{Code: domain.CodeNotObject}}, []domain.Reason{{Code: domain.CodeNotObject}}},
		{"RepeatedViolation", domain.Violations{taken, email, taken}, []domain.Reason{taken.Reason(), email.Reason()}},
		{"DifferentLimits", domain.Violations{tooLong, taken, shorter}, []domain.Reason{tooLong.Reason(), taken.Reason()}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, slices.Collect(c.violations.Reasons())) })
	}
	for reason := range (domain.Violations{taken, email}).Reasons() { // the iteration can be abandoned
		require.Equal(t, taken.Reason(), reason)
		break
	}
}

// A search finds a rejected login however either is written.
func TestLoginKey(t *testing.T) {
	for _, same := range [][]string{
		{"ivan", "IVAN", "iVan", " ivan\t", "ｉｖａｎ"},
		{"иванов", "Иванов", "ИВАНОВ"},
		{"é", "e\u0301", "É"},
		{"ΟΔΟΣ", "οδος", "οδοσ"},
		{"two words", "Two Words"}, // not a valid login
		{"a\x00b", "A\x00B"},
		{strings.Repeat("x", 60), strings.Repeat("X", 60)},
		{""},
	} {
		t.Run(fmt.Sprintf("%.40q", same[0]), func(t *testing.T) {
			for _, login := range same {
				require.Equal(t, domain.LoginKey(same[0]), domain.LoginKey(login), "%q", login)
			}
		})
	}
	require.NotEqual(t, domain.LoginKey("ivan"), domain.LoginKey("ivan2"))
	login, violations := domain.NewLogin("Анна.Ким")
	require.Nil(t, violations)
	require.Equal(t, login.Key(), domain.LoginKey("АННА.КИМ"))
	// the login as a report shows it finds the record as well
	for _, shown := range []domain.Given{{Text: "a\x00B", Kind: domain.KindText}, {Text: strings.Repeat("Ж", 60), Kind: domain.KindText}} {
		record := domain.Rules{Region: "RU"}.Check(&domain.Candidate{Given: [domain.NumPersonFields]domain.Given{domain.PersonLogin: shown}})
		require.NotContains(t, record.Login, "\x00")
		require.Equal(t, domain.LoginKey(shown.Text), domain.LoginKey(record.Login))
	}
}

func TestLoginKeyOfInvalidLogin(t *testing.T) {
	require.Equal(t, domain.LoginKey("two words"), domain.LoginKey(" Two words "))
}
