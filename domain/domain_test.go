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

func only(field domain.Field, code domain.Code) domain.Violations {
	v := domain.Violation{Field: field, Code: code}
	if code == domain.CodeTooLong {
		v.Limit = 50
	}
	return domain.Violations{v}
}

func TestLogin(t *testing.T) {
	for s, want := range map[string]struct{ text, key string }{
		"ivan":                                  {"ivan", "ivan"},
		"IvanPetrov":                            {"IvanPetrov", "ivanpetrov"},
		"a":                                     {"a", "a"},
		`!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`": {`!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`", `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`"},
		"Иван":                                  {"Иван", "иван"},
		"İvan":                                  {"İvan", "i̇van"},
		"ＩＶＡＮ":                                  {"IVAN", "ivan"}, // width mapping
		"e\u0301a":                              {"éa", "éa"},     // NFC
		"名前":                                    {"名前", "名前"},
		"مستخدم":                                {"مستخدم", "مستخدم"},
		strings.Repeat("ж", 50):                 {strings.Repeat("ж", 50), strings.Repeat("ж", 50)},
	} {
		login, vs := domain.NewLogin(s)
		require.Nil(t, vs, s)
		require.Equal(t, want.text, login.String())
		require.Equal(t, want.key, login.Key())
	}
	for s, want := range map[string]domain.Code{
		"":                      domain.CodeEmpty,
		"   ":                   domain.CodeEmpty,
		"\u200b":                domain.CodeEmpty,
		"ivan petrov":           domain.CodeInvalid,
		" ivan":                 domain.CodeInvalid,
		"иван петров":           domain.CodeInvalid,
		"♥":                     domain.CodeInvalid, // a symbol
		"ⅳ":                     domain.CodeInvalid, // a letter that has a plainer equivalent
		"aא":                    domain.CodeInvalid, // mixed directions
		"a\x00b":                domain.CodeControl,
		"a\nb":                  domain.CodeControl,
		"a\u202eb":              domain.CodeControl,
		"a\xffb":                domain.CodeEncoding,
		strings.Repeat("x", 51): domain.CodeTooLong,
		strings.Repeat("ж", 51): domain.CodeTooLong,
	} {
		_, vs := domain.NewLogin(s)
		require.Equal(t, only(domain.FieldLogin, want), vs, "%q", s)
	}
	_, vs := domain.NewLogin("a b" + strings.Repeat("x", 50))
	require.Equal(t, append(only(domain.FieldLogin, domain.CodeInvalid), only(domain.FieldLogin, domain.CodeTooLong)...), vs)
}

// The directionality rule of RFC 8265 is for strings with right-to-left characters alone.
func TestLoginsOfDigitsAndSigns(t *testing.T) {
	for _, s := range []string{"2ivanov", "2иванов", "_анна", "анна_", "007-бонд", "é."} {
		login, vs := domain.NewLogin(s)
		require.Nil(t, vs, s)
		require.Equal(t, s, login.String())
	}
	for _, s := range []string{"123א", "שלוםa"} {
		_, vs := domain.NewLogin(s)
		require.Equal(t, only(domain.FieldLogin, domain.CodeInvalid), vs, s)
	}
}

// A login of letters that look like others' could pass for another person's: UTS 39, highly restrictive.
func TestMixedScripts(t *testing.T) {
	for _, s := range []string{
		"ivan-2007", "иван-2007", "ιβάν", "zoë", "e\u0301va", "ёлка\u0306",
		"王偉", "ひらカタ漢字", "taro太郎ひらカタ", "李ㄅㄆli", "kim김金", "ｔａｒｏ太郎", "ラーメン", "יוסי2", "محمد٢",
	} {
		login, vs := domain.NewLogin(s)
		require.Nil(t, vs, s)
		known, vs := domain.ParseLogin(s)
		require.Nil(t, vs)
		require.Equal(t, login, known)
	}
	for _, s := range []string{
		"ivаn", "Аnna", "аnna", "βeta", "иванι", "анна@example.com", "ひ김", "ㄅひ", "ивантаро太郎", "ｉvаn", "ᏢＡ",
	} {
		_, vs := domain.NewLogin(s)
		require.Equal(t, only(domain.FieldLogin, domain.CodeMixedScripts), vs, s)
		known, vs := domain.ParseLogin(s)
		require.Nil(t, vs, "an account may have it")
		require.Equal(t, known.Key(), domain.NewIdentity(s, "RU").Login, "and signs in with it")
		require.Equal(t, known.Key(), domain.LoginKey(s))
	}
	_, vs := domain.NewLogin(strings.Repeat("а", 50) + "a")
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeMixedScripts}, {Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50}}, vs)
}

func TestKeysHaveNoCase(t *testing.T) {
	for _, pair := range [][2]string{{"Ivan", "iVAN"}, {"ИВАН", "иван"}, {"ΟΔΥΣΣΕΥΣ", "οδυσσευς"}, {"Ꭰ", "ꭰ"}} {
		var logins [2]domain.Login
		var emails [2]domain.Email
		for i, s := range pair {
			var vs domain.Violations
			logins[i], vs = domain.NewLogin(s)
			require.Nil(t, vs)
			emails[i], vs = domain.NewEmail(s + "@example.com")
			require.Nil(t, vs)
		}
		require.Equal(t, logins[0].Key(), logins[1].Key())
		require.Equal(t, emails[0].Key(), emails[1].Key())
	}
	dotted, _ := domain.NewEmail("İz@example.com")
	plain, _ := domain.NewEmail("iz@example.com")
	require.NotEqual(t, plain.Key(), dotted.Key())
}

func TestName(t *testing.T) {
	for s, want := range map[string]string{
		"Анна":                        "Анна",
		"  Анна-Мария \t":             "Анна-Мария",
		"O'Neill, Jr.":                "O'Neill, Jr.",
		"И\u0306ов":                   "Йов", // NFC
		"王":                           "王",
		"می\u200cخواهم":               "می\u200cخواهم", // a joiner that Persian is written with
		"é" + strings.Repeat("a", 49): "é" + strings.Repeat("a", 49),
		strings.Repeat("e\u0301", 50): strings.Repeat("é", 50),
	} {
		name, vs := domain.NewFirstName(s)
		require.Nil(t, vs, s)
		require.Equal(t, want, name.String())
	}
	for s, want := range map[string]domain.Code{
		"":                      domain.CodeEmpty,
		" \t\n ":                domain.CodeEmpty,
		"\u00a0\u200b":          domain.CodeEmpty,
		"a\x00":                 domain.CodeControl,
		"a\tb":                  domain.CodeControl,
		"a\u2028b":              domain.CodeControl,
		"a\u2066b":              domain.CodeControl,
		"\xf0\x9f":              domain.CodeEncoding,
		strings.Repeat("x", 51): domain.CodeTooLong,
		strings.Repeat("名", 51): domain.CodeTooLong,
	} {
		_, vs := domain.NewPatronymic(s)
		require.Equal(t, only(domain.FieldPatronymic, want), vs, "%q", s)
	}
	_, vs := domain.NewLastName("\xff\x00" + strings.Repeat("я", 60))
	require.Equal(t, domain.Violations{
		{Field: domain.FieldLastName, Code: domain.CodeEncoding},
		{Field: domain.FieldLastName, Code: domain.CodeControl},
		{Field: domain.FieldLastName, Code: domain.CodeTooLong, Limit: 50},
	}, vs, "every violation at once")
}

func TestEmail(t *testing.T) {
	for s, key := range map[string]string{
		"ivan@example.com":             "ivan@example.com",
		" Ivan.Petrov@Example.COM ":    "ivan.petrov@example.com",
		"a+b_c-d!#$%&'*/=?^`{|}~@a.bc": "a+b_c-d!#$%&'*/=?^`{|}~@a.bc",
		"1@2.example":                  "1@2.example",
		"почта@пример.рф":              "почта@xn--e1afmkfd.xn--p1ai",
		"ПОЧТА@ПРИМЕР.РФ":              "почта@xn--e1afmkfd.xn--p1ai",
		"x@xn--e1afmkfd.xn--p1ai":      "x@xn--e1afmkfd.xn--p1ai",
		"x@a-b.example":                "x@a-b.example",
	} {
		email, vs := domain.NewEmail(s)
		require.Nil(t, vs, s)
		require.Equal(t, key, email.Key())
		require.Equal(t, strings.TrimSpace(s), email.String())
	}
	for _, s := range []string{
		"ivan", "@", "ivan@", "@example.com", "ivan@localhost", "a@b@example.com", "a..b@example.com", ".a@example.com", "a.@example.com",
		"a b@example.com", `"a b"@example.com`, "a@exam ple.com", "a@-example.com", "a@example-.com", "a@example..com", "a@.com",
		"a@example.com.", "a@example.123", "a@[127.0.0.1]", "a@exa_mple.com", "Ivan <a@example.com>", "a,b@example.com", "a@example,com",
		"♥@example.com", "a@♥..com", "a(c)@example.com",
	} {
		_, vs := domain.NewEmail(s)
		require.Equal(t, only(domain.FieldEmail, domain.CodeInvalid), vs, s)
	}
	for s, want := range map[string]domain.Code{
		"":                                       domain.CodeEmpty,
		"a\x00@example.com":                      domain.CodeControl,
		"a\xff@example.com":                      domain.CodeEncoding,
		strings.Repeat("a", 39) + "@example.com": domain.CodeTooLong,
	} {
		_, vs := domain.NewEmail(s)
		require.Equal(t, only(domain.FieldEmail, want), vs, "%q", s)
	}
	_, vs := domain.NewEmail(strings.Repeat("a", 51))
	require.Equal(t, append(only(domain.FieldEmail, domain.CodeInvalid), only(domain.FieldEmail, domain.CodeTooLong)...), vs, "both at once")
	_, vs = domain.NewEmail("q@exa\u00admple.org")
	require.Equal(t, only(domain.FieldEmail, domain.CodeInvalid), vs, "nobody sees what is in it")
	_, vs = domain.NewEmail(strings.Repeat("a", 38) + "@example.com")
	require.Nil(t, vs, "50 characters")
}

func TestPhone(t *testing.T) {
	for s, want := range map[string]string{
		"9123456789":        "79123456789",
		"+7 912 345-67-89":  "79123456789",
		"8 (912) 345-67-89": "79123456789",
		"79123456789":       "79123456789",
		"89123456789":       "79123456789",
		"+79123456789":      "79123456789",
		"(495) 123-45-67":   "74951234567",
		"+1 650 253 0000":   "16502530000",
		"+49 30 901820":     "4930901820",
		"8~10 49 30 901820": "4930901820",
		"\t+79123456789\n":  "79123456789",
		"+7 701 234 5678":   "77012345678",
		"٩١٢٣٤٥٦٧٨٩":        "79123456789",
	} {
		phone, vs := domain.NewPhone(s, "RU")
		require.Nil(t, vs, s)
		require.Equal(t, want, phone.String(), s)
	}
	for s, want := range map[string]domain.Code{
		"":                       domain.CodeEmpty,
		"112":                    domain.CodeInvalid,
		"912345678":              domain.CodeInvalid,
		"1234567890":             domain.CodeInvalid,
		"phone":                  domain.CodeInvalid,
		"+":                      domain.CodeInvalid,
		"+999123":                domain.CodeInvalid,
		"912\x00":                domain.CodeControl,
		"8 800 FLOWERS":          domain.CodeInvalid,
		"9123456789 доб. 5":      domain.CodeInvalid,
		"tel:+79123456789":       domain.CodeInvalid,
		"+7912345678O":           domain.CodeInvalid,
		"9123456\xff":            domain.CodeEncoding,
		strings.Repeat("9", 500): domain.CodeInvalid,
	} {
		_, vs := domain.NewPhone(s, "RU")
		require.Equal(t, only(domain.FieldPhone, want), vs, "%q", s)
	}
	phone, vs := domain.NewPhone("(650) 253-0000", "US")
	require.Nil(t, vs)
	require.Equal(t, "16502530000", phone.String())
	_, vs = domain.NewPhone("9123456789", "DE")
	require.NotEqual(t, "79123456789", vs, "a Russian number is not everyone's")
	require.True(t, domain.IsRegion("DE"))
	require.False(t, domain.IsRegion("XX"))
}

func TestBirthday(t *testing.T) {
	for s, want := range map[string]string{
		"31/12/1999": "1999-12-31", "31.12.1999": "1999-12-31", "31-12-1999": "1999-12-31", "1999-12-31": "1999-12-31",
		" 29.02.2000 ": "2000-02-29", "23/11/2026": "2026-11-23", "01/01/0001": "0001-01-01",
	} {
		birthday, vs := domain.NewBirthday(s, today)
		require.Nil(t, vs, s)
		date, given := birthday.Date()
		require.True(t, given)
		require.Equal(t, want, date.Time().Format(time.DateOnly))
	}
	for s, want := range map[string]domain.Code{
		"24/11/2026": domain.CodeFuture, "2999-01-01": domain.CodeFuture,
		"": domain.CodeEmpty, "31/02/2000": domain.CodeInvalid, "29.02.1900": domain.CodeInvalid, "00/01/2000": domain.CodeInvalid,
		"01/13/2000": domain.CodeInvalid, "01/00/2000": domain.CodeInvalid, "1/1/2000": domain.CodeInvalid, "01/01/00": domain.CodeInvalid,
		"01/01-2000": domain.CodeInvalid, "2000/01/01": domain.CodeInvalid, "01012000": domain.CodeInvalid, "01/01/0000": domain.CodeInvalid,
		"2000-01-01T00:00": domain.CodeInvalid, "aa/bb/cccc": domain.CodeInvalid, "01\x0001\x002000": domain.CodeControl,
		"+1/01/2000": domain.CodeInvalid, "٠١/٠١": domain.CodeInvalid, "01 01 2000": domain.CodeInvalid,
	} {
		_, vs := domain.NewBirthday(s, today)
		require.Equal(t, only(domain.FieldBirthday, want), vs, "%q", s)
	}
	_, given := domain.Birthday{}.Date()
	require.False(t, given)
}

func text(s string) domain.Given { return domain.Given{Text: s, Kind: domain.KindText} }

func valid() domain.Candidate {
	return domain.Candidate{
		Number: 1,
		Given: [domain.NumPersonFields]domain.Given{
			domain.PersonFirstName: text("Иван"), domain.PersonLastName: text("Петров"), domain.PersonPatronymic: text("Ильич"),
			domain.PersonLogin: text("ivan"), domain.PersonEmail: text("ivan@example.com"), domain.PersonPhone: text("9123456789"),
			domain.PersonBirthday: text("01/02/1990"),
		},
	}
}

func TestCheck(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today}
	for name, c := range map[string]struct {
		change func(*domain.Candidate)
		want   domain.Violations
	}{
		"valid":          {func(*domain.Candidate) {}, nil},
		"no object":      {func(c *domain.Candidate) { c.NotRecord = true }, domain.Violations{{Code: domain.CodeNotObject}}},
		"e-mail only":    {func(c *domain.Candidate) { c.Given[domain.PersonPhone] = domain.Given{} }, nil},
		"phone only":     {func(c *domain.Candidate) { c.Given[domain.PersonEmail] = text("  ") }, nil},
		"phone a number": {func(c *domain.Candidate) { c.Given[domain.PersonPhone].Kind = domain.KindNumber }, nil},
		"no birthday":    {func(c *domain.Candidate) { c.Given[domain.PersonBirthday] = text("") }, nil},
		"no contact": {func(c *domain.Candidate) {
			c.Given[domain.PersonEmail], c.Given[domain.PersonPhone] = domain.Given{}, text("")
		}, only(domain.FieldEmail, domain.CodeContactRequired)},
		"negative phone": {func(c *domain.Candidate) {
			c.Given[domain.PersonPhone] = domain.Given{Text: "-9123456789", Kind: domain.KindNumber}
		}, only(domain.FieldPhone, domain.CodeInvalid)},
		"fractional phone": {func(c *domain.Candidate) {
			c.Given[domain.PersonPhone] = domain.Given{Text: "9123456789.5", Kind: domain.KindNumber}
		}, only(domain.FieldPhone, domain.CodeInvalid)},
		"huge phone": {func(c *domain.Candidate) {
			c.Given[domain.PersonPhone] = domain.Given{Text: "9", Kind: domain.KindNumber, Cut: true}
		}, only(domain.FieldPhone, domain.CodeInvalid)},
		"huge birthday":  {func(c *domain.Candidate) { c.Given[domain.PersonBirthday].Cut = true }, only(domain.FieldBirthday, domain.CodeInvalid)},
		"huge login":     {func(c *domain.Candidate) { c.Given[domain.PersonLogin].Cut = true }, only(domain.FieldLogin, domain.CodeTooLong)},
		"repeated login": {func(c *domain.Candidate) { c.Given[domain.PersonLogin].Repeated = true }, only(domain.FieldLogin, domain.CodeRepeated)},
		"repeated null":  {func(c *domain.Candidate) { c.Given[domain.PersonEmail] = domain.Given{Repeated: true} }, only(domain.FieldEmail, domain.CodeRepeated)},
		"repeated, then null": {
			func(c *domain.Candidate) {
				c.Given[domain.PersonEmail], c.Given[domain.PersonPhone] = domain.Given{Repeated: true}, domain.Given{}
			},
			only(domain.FieldEmail, domain.CodeRepeated),
		},
		"everything wrong with one field": {
			func(c *domain.Candidate) {
				c.Given[domain.PersonLogin] = domain.Given{Kind: domain.KindText, Text: "\x00\ufffd", Cut: true, Malformed: true, Repeated: true}
			},
			slices.Concat(only(domain.FieldLogin, domain.CodeRepeated), only(domain.FieldLogin, domain.CodeEncoding),
				only(domain.FieldLogin, domain.CodeControl), only(domain.FieldLogin, domain.CodeTooLong)),
		},
		"malformed name": {func(c *domain.Candidate) { c.Given[domain.PersonFirstName].Malformed = true }, only(domain.FieldFirstName, domain.CodeEncoding)},
		"everything wrong": {
			func(c *domain.Candidate) {
				*c = domain.Candidate{
					Given: [domain.NumPersonFields]domain.Given{
						domain.PersonLastName: text(" "), domain.PersonPatronymic: {Kind: domain.KindNumber, Text: "7"},
						domain.PersonLogin: text(strings.Repeat("x", 51)), domain.PersonEmail: text("x"),
						domain.PersonPhone: {Kind: domain.KindOther}, domain.PersonBirthday: text("2999-01-01"),
					},
				}
			},
			domain.Violations{
				{Field: domain.FieldFirstName, Code: domain.CodeRequired},
				{Field: domain.FieldLastName, Code: domain.CodeEmpty},
				{Field: domain.FieldPatronymic, Code: domain.CodeType},
				{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50},
				{Field: domain.FieldEmail, Code: domain.CodeInvalid},
				{Field: domain.FieldPhone, Code: domain.CodeType},
				{Field: domain.FieldBirthday, Code: domain.CodeFuture},
			},
		},
	} {
		candidate := valid()
		c.change(&candidate)
		require.Equal(t, c.want, rules.Check(&candidate).Violations, name)
	}
}

func TestLoginInReports(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today}
	for login, want := range map[domain.Given]string{
		text("ivan"):                         "ivan",
		text("a\x00b\nc"):                    "a\ufffdb\ufffdc",
		text(strings.Repeat("ж", 60)):        strings.Repeat("ж", 50) + "…",
		{Kind: domain.KindNumber, Text: "7"}: "",
		{}:                                   "",
	} {
		candidate := valid()
		candidate.Given[domain.PersonLogin] = login
		require.Equal(t, want, rules.Check(&candidate).Login)
	}
}

func object(t *testing.T, login, email, phone string) *domain.Record {
	t.Helper()
	c := valid()
	c.Given[domain.PersonLogin], c.Given[domain.PersonEmail], c.Given[domain.PersonPhone] = text(login), text(email), text(phone)
	o := domain.Rules{Region: "RU", Today: today}.Check(&c)
	return &o
}

func TestSequence(t *testing.T) {
	taken := domain.NewTaken()
	taken.AddPhone("79000000001")
	login, email, phone := only(domain.FieldLogin, domain.CodeTaken), only(domain.FieldEmail, domain.CodeTaken), only(domain.FieldPhone, domain.CodeTaken)
	for i, c := range []struct {
		object *domain.Record
		want   domain.Violations
	}{
		{object(t, "a", "a@example.com", "9000000001"), phone}, // and takes nothing
		{object(t, "a", "a@example.com", "9000000002"), nil},
		{object(t, "A", "b@example.com", "9000000003"), login},
		{object(t, "b", "A@example.com", "9000000003"), email},
		{object(t, "a", "a@example.com", "9000000002"), append(append(login[:1:1], email...), phone...)},
		{object(t, "a", "x", "9000000004"), append(login[:1:1], only(domain.FieldEmail, domain.CodeInvalid)...)},
		{object(t, "b", "b@example.com", "9000000003"), nil},
		{object(t, "c", "", "9000000004"), nil},
		{object(t, "d", "", "9000000005"), nil}, // two without an e-mail do not share one
	} {
		require.Equal(t, c.want, taken.Admit(c.object), "object %d", i+1)
	}
}

func TestTally(t *testing.T) {
	for tally, want := range map[domain.Tally]string{
		{Records: 5, Registered: 5}:  "All users have been created (5 of 5 users)",
		{Records: 13, Registered: 9}: "Not all users have been created (created by 9 of 13 users)",
		{Records: 3}:                 "Bad request! Users haven't been created.",
	} {
		require.Equal(t, want, tally.Description())
		require.Equal(t, tally.Registered > 0, tally.Status() == 200)
		require.Equal(t, tally.Registered == 0, tally.Status() == 400)
	}
}
