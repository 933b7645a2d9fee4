package domain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

// today is 23 November 2026.
var today = domain.DateOf(time.Date(2026, 11, 23, 23, 59, 0, 0, time.FixedZone("+14", 14*60*60)))

// only returns the violations of a value with one violation.
func only(field domain.Field, code domain.Code) domain.Violations {
	v := domain.Violation{Field: field, Code: code}
	if code == domain.CodeTooLong {
		v.Limit = map[domain.Field]int{domain.FieldPatronymic: 100, domain.FieldGroup: 100, domain.FieldLogin: 64, domain.FieldEmail: 254}[field]
	}
	return domain.Violations{v}
}

// text returns a value that is a text.
func text(s string) domain.Given { return domain.Given{Text: s, Kind: domain.KindText} }

// valid returns a candidate without violations.
func valid() domain.Candidate {
	return domain.Candidate{
		Number: 1,
		Given: [domain.NumPersonFields]domain.Given{
			domain.PersonFirstName: text("Иван"), domain.PersonLastName: text("Петров"), domain.PersonPatronymic: text("Ильич"),
			domain.PersonLogin: text("ivan"), domain.PersonEmail: text("ivan@example.com"), domain.PersonPhone: text("9123456789"),
			domain.PersonBirthday: text("01/02/1990"), domain.PersonGroup: text("7 «Б»"),
		},
	}
}

func TestCheck(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today}
	for _, c := range []struct {
		name   string
		change func(*domain.Candidate)
		want   domain.Violations
	}{
		{"Valid", func(*domain.Candidate) {}, nil},
		{"NotARecord", func(c *domain.Candidate) { c.NotRecord = true }, domain.Violations{{Code: domain.CodeNotObject}}},
		{"EmailOnly", func(c *domain.Candidate) { c.Given[domain.PersonPhone] = domain.Given{} }, nil},
		{"PhoneOnly", func(c *domain.Candidate) { c.Given[domain.PersonEmail] = text("  ") }, nil},
		{"NumericPhone", func(c *domain.Candidate) { c.Given[domain.PersonPhone].Kind = domain.KindNumber }, nil},
		{"NoBirthday", func(c *domain.Candidate) { c.Given[domain.PersonBirthday] = text("") }, nil},
		{"NoGroup", func(c *domain.Candidate) { c.Given[domain.PersonGroup] = text("-") }, nil},
		{"NumericGroup", func(c *domain.Candidate) { c.Given[domain.PersonGroup].Kind = domain.KindNumber }, only(domain.FieldGroup, domain.CodeType)},
		{"HugeGroup", func(c *domain.Candidate) { c.Given[domain.PersonGroup].Cut = true }, only(domain.FieldGroup, domain.CodeTooLong)},
		{"NoContact", func(c *domain.Candidate) {
			c.Given[domain.PersonEmail], c.Given[domain.PersonPhone] = domain.Given{}, text("")
		}, only(domain.FieldEmail, domain.CodeContactRequired)},
		{"NegativePhone", func(c *domain.Candidate) {
			c.Given[domain.PersonPhone] = domain.Given{Text: "-9123456789", Kind: domain.KindNumber}
		}, only(domain.FieldPhone, domain.CodeInvalid)},
		{"FractionalPhone", func(c *domain.Candidate) {
			c.Given[domain.PersonPhone] = domain.Given{Text: "9123456789.5", Kind: domain.KindNumber}
		}, only(domain.FieldPhone, domain.CodeInvalid)},
		{"HugePhone", func(c *domain.Candidate) {
			c.Given[domain.PersonPhone] = domain.Given{Text: "9", Kind: domain.KindNumber, Cut: true}
		}, only(domain.FieldPhone, domain.CodeInvalid)},
		{"HugeBirthday", func(c *domain.Candidate) { c.Given[domain.PersonBirthday].Cut = true }, only(domain.FieldBirthday, domain.CodeInvalid)},
		{"HugeLogin", func(c *domain.Candidate) { c.Given[domain.PersonLogin].Cut = true }, only(domain.FieldLogin, domain.CodeTooLong)},
		{"RepeatedLogin", func(c *domain.Candidate) { c.Given[domain.PersonLogin].Repeated = true }, only(domain.FieldLogin, domain.CodeRepeated)},
		{"RepeatedAndAbsent", func(c *domain.Candidate) { c.Given[domain.PersonEmail] = domain.Given{Repeated: true} }, only(domain.FieldEmail, domain.CodeRepeated)},
		{
			"RepeatedAndNoOtherContact",
			func(c *domain.Candidate) {
				c.Given[domain.PersonEmail], c.Given[domain.PersonPhone] = domain.Given{Repeated: true}, domain.Given{}
			},
			only(domain.FieldEmail, domain.CodeRepeated),
		},
		{
			"EveryViolationOfOneField",
			func(c *domain.Candidate) {
				c.Given[domain.PersonLogin] = domain.Given{Kind: domain.KindText, Text: "\x00\ufffd", Cut: true, Malformed: true, Repeated: true}
			},
			slices.Concat(only(domain.FieldLogin, domain.CodeRepeated), only(domain.FieldLogin, domain.CodeEncoding),
				only(domain.FieldLogin, domain.CodeControl), only(domain.FieldLogin, domain.CodeTooLong)),
		},
		{"MalformedName", func(c *domain.Candidate) { c.Given[domain.PersonFirstName].Malformed = true }, only(domain.FieldFirstName, domain.CodeEncoding)},
		{
			"EveryFieldInvalid",
			func(c *domain.Candidate) {
				*c = domain.Candidate{
					Given: [domain.NumPersonFields]domain.Given{
						domain.PersonLastName: text(" "), domain.PersonPatronymic: {Kind: domain.KindNumber, Text: "7"},
						domain.PersonLogin: text(strings.Repeat("x", 65)), domain.PersonEmail: text("x"),
						domain.PersonPhone: {Kind: domain.KindOther}, domain.PersonBirthday: text("2999-01-01"),
						domain.PersonGroup: text("🙂"),
					},
				}
			},
			domain.Violations{
				{Field: domain.FieldFirstName, Code: domain.CodeRequired},
				{Field: domain.FieldLastName, Code: domain.CodeEmpty},
				{Field: domain.FieldPatronymic, Code: domain.CodeType},
				{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 64},
				{Field: domain.FieldEmail, Code: domain.CodeInvalid},
				{Field: domain.FieldPhone, Code: domain.CodeType},
				{Field: domain.FieldBirthday, Code: domain.CodeFuture},
				{Field: domain.FieldGroup, Code: domain.CodeInvalid},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			candidate := valid()
			c.change(&candidate)
			require.Equal(t, c.want, rules.Check(&candidate).Violations)
		})
	}
}

func TestLoginOfRecordIsFitToShow(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today}
	for _, c := range []struct {
		name  string
		login domain.Given
		want  string
	}{
		{"Plain", text("ivan"), "ivan"},
		{"ControlCharacters", text("a\x00b\nc"), "a\ufffdb\ufffdc"},
		{"PersianJoiner", text("علی\u200cرضا"), "علی\u200cرضا"},
		{"LatinJoiner", text("an\u200cna"), "an\ufffdna"},
		{"TooLong", text(strings.Repeat("ж", 70)), strings.Repeat("ж", 64) + "…"},
		{"NoText", domain.Given{Kind: domain.KindNumber, Text: "7"}, ""},
		{"Absent", domain.Given{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			candidate := valid()
			candidate.Given[domain.PersonLogin] = c.login
			require.Equal(t, c.want, rules.Check(&candidate).Login)
		})
	}
}
