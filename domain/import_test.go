package domain_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

// record returns a checked record with a login, an email and a phone.
func record(t *testing.T, login, email, phone string) *domain.Record {
	t.Helper()
	c := valid()
	c.Given[domain.PersonLogin], c.Given[domain.PersonEmail], c.Given[domain.PersonPhone] = text(login), text(email), text(phone)
	checked := domain.Rules{Region: "RU", Today: today}.Check(&c)
	return &checked
}

func TestAdmitFollowsTheSequence(t *testing.T) {
	taken := domain.NewTaken()
	taken.AddPhone("79000000001")
	login, email, phone := only(domain.FieldLogin, domain.CodeTaken), only(domain.FieldEmail, domain.CodeTaken), only(domain.FieldPhone, domain.CodeTaken)
	for _, c := range []struct {
		name   string
		record *domain.Record
		want   domain.Violations
	}{
		{"RejectsAKeyOfAnAccount", record(t, "a", "a@example.com", "9000000001"), phone},
		{"TakesNothingForARejectedRecord", record(t, "a", "a@example.com", "9000000002"), nil},
		{"ComparesLoginsWithoutCase", record(t, "A", "b@example.com", "9000000003"), login},
		{"ComparesEmailsWithoutCase", record(t, "b", "A@example.com", "9000000003"), email},
		{"ReportsEveryTakenKey", record(t, "a", "a@example.com", "9000000002"), slices.Concat(login, email, phone)},
		{"ReportsTakenKeysOfAnInvalidRecord", record(t, "a", "x", "9000000004"), slices.Concat(login, only(domain.FieldEmail, domain.CodeInvalid))},
		{"AdmitsAfterRejections", record(t, "b", "b@example.com", "9000000003"), nil},
		{"AdmitsWithoutAnEmail", record(t, "c", "", "9000000004"), nil},
		{"AdmitsASecondRecordWithoutAnEmail", record(t, "d", "", "9000000005"), nil},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, taken.Admit(c.record)) })
	}
}

func TestTally(t *testing.T) {
	for _, c := range []struct {
		tally  domain.Tally
		want   string
		status int
	}{
		{domain.Tally{Records: 5, Registered: 5}, "All users have been created (5 of 5 users)", 200},
		{domain.Tally{Records: 13, Registered: 9}, "Not all users have been created (created by 9 of 13 users)", 200},
		{domain.Tally{Records: 3}, "Bad request! Users haven't been created.", 400},
	} {
		t.Run(c.want, func(t *testing.T) {
			require.Equal(t, c.want, c.tally.Description())
			require.Equal(t, c.status, c.tally.Status())
		})
	}
}
