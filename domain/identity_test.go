package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestIdentity(t *testing.T) {
	for _, c := range []struct {
		name string
		want domain.Identity
	}{
		{"Ivan", domain.Identity{Login: "ivan"}},
		{" Ivan ", domain.Identity{Login: "ivan"}},
		{"\u200b Ivan\u00a0\ufeff", domain.Identity{Login: "ivan"}},
		{"\u202aivan@example.com\u202c", domain.Identity{Login: "ivan@example.com", Email: "ivan@example.com"}},
		{"\u202d+7 912 345\u201167-89\u202c", domain.Identity{Login: "+7 912 345\u201167-89", Phone: "79123456789"}},
		{"\u20688-912-345-67-89 \u2069", domain.Identity{Login: "8-912-345-67-89", Phone: "79123456789"}},
		{"Ivan@Example.com", domain.Identity{Login: "ivan@example.com", Email: "ivan@example.com"}},
		{"ivan@home", domain.Identity{Login: "ivan@home"}},
		{"89123456789", domain.Identity{Login: "89123456789", Phone: "79123456789"}},
		{"8 (912) 345-67-89", domain.Identity{Login: "8 (912) 345-67-89", Phone: "79123456789"}},
		{"+49(30)901820", domain.Identity{Login: "+49(30)901820", Phone: "4930901820"}},
		{"\uff18\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19", domain.Identity{Login: "89123456789", Phone: "79123456789"}},
		{"901820", domain.Identity{Login: "901820"}},
		{"ivan89123456789", domain.Identity{Login: "ivan89123456789"}}, // libphonenumber would find the number in it
		{"8912FLOWERS", domain.Identity{Login: "8912flowers"}},
		{" Two Words ", domain.Identity{Login: "two words"}}, // accounts of the first service may have such logins
		{"Two\u0301 words", domain.Identity{Login: "tw\u00f3 words"}},
		{"Ы" + strings.Repeat("x", domain.MaxLogin), domain.Identity{Login: "ы" + strings.Repeat("x", domain.MaxLogin)}},
		{"two\xff", domain.Identity{}},
		{"9123456789", domain.Identity{Login: "9123456789", Phone: "79123456789"}},
		{"a\x00b", domain.Identity{}},
		{strings.Repeat("x", 100_000), domain.Identity{}},
		{"", domain.Identity{Login: " "}},
		{" ", domain.Identity{Login: " "}},
		{"a@\u03c2\u03b5.gr", domain.Identity{Email: "a@xn--qxaz.gr"}}, // the login's key has another domain
	} {
		t.Run(fmt.Sprintf("%.40q", c.name), func(t *testing.T) {
			require.Equal(t, c.want, domain.NewIdentity(c.name, "RU"))
		})
	}
	require.Equal(t, domain.Identity{Login: "7654321"}, domain.NewIdentity("7654321", "DE"), "could be a phone number of a German town")
	require.Equal(t, domain.Identity{Login: "030/901820", Phone: "4930901820"}, domain.NewIdentity("030/901820", "DE"))
	require.Equal(t, domain.Identity{Login: "32123456", Phone: "4532123456"}, domain.NewIdentity("32123456", "DK"))
}

// Accounts of the first service are found by the logins that they have, and by their emails and phones if these can be read.
func TestRestoredValues(t *testing.T) {
	for _, login := range []string{"Anna", "gornaya login", " anna ", "", "\u00a0", "ёлкина", strings.Repeat("Я", 200), "a\u202eb", "анна_anna"} {
		t.Run("login "+login, func(t *testing.T) {
			restored := domain.RestoreLogin(login)
			require.Equal(t, login, restored.String())
			require.Equal(t, domain.NewIdentity(login, "RU").Login, restored.Key())
		})
	}
	for _, c := range []struct{ email, text, key string }{
		{"", "", ""},
		{" ", "", ""},
		{"Anna@Example.org ", "Anna@Example.org ", "anna@example.org"},
		{"No address at all", "No address at all", "no address at all"},
		{"ПОЧТА@пример.рф", "ПОЧТА@пример.рф", "почта@xn--e1afmkfd.xn--p1ai"},
	} {
		t.Run("email "+c.email, func(t *testing.T) {
			restored := domain.RestoreEmail(c.email)
			require.Equal(t, c.text, restored.String())
			require.Equal(t, c.key, restored.Key())
		})
	}
	for _, c := range []struct {
		digits, want string
		valid        bool
	}{
		{"9163000101", "79163000101", true},
		{"89163000104", "79163000104", true},
		{"4951234567", "74951234567", true},
		{"375291234567", "375291234567", true}, // a client sent +375291234567
		{"7", "7", false},
		{"-5", "-5", false},
		{"9223372036854775807", "9223372036854775807", false},
	} {
		t.Run("phone "+c.digits, func(t *testing.T) {
			phone, violations := domain.RestorePhone(c.digits, "RU")
			require.Equal(t, c.want, phone.String())
			require.Equal(t, c.valid, violations == nil)
		})
	}
}

// A login can be the person's own email or phone in any notation, but not another person's.
func TestLoginThatIsAContact(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: today}
	foreign := only(domain.FieldLogin, domain.CodeIsContact)
	for _, c := range []struct {
		login, email, phone string
		want                domain.Violations
	}{
		{"ivan@example.com", "Ivan@Example.com", "", nil},
		{"IVAN@example.com", "ivan@example.com", "+79123456789", nil},
		{"почта@пример.рф", "почта@xn--e1afmkfd.xn--p1ai", "", nil},
		{"89123456789", "", "+7 912 345-67-89", nil},
		{"8(912)345-67-89", "ivan@example.com", "9123456789", nil},
		{"ivan@home", "", "9123456789", nil},
		{"901820", "", "9123456789", nil},
		{"2024123456", "", "9123456789", nil},

		{"ivan@example.com", "", "9123456789", foreign},
		{"ivan@example.com", "ivan@example.org", "", foreign},
		{"ivan@example.com", "no address", "", append(foreign[:1:1], only(domain.FieldEmail, domain.CodeInvalid)...)},
		{"ivan＠example.com", "", "9123456789", foreign},
		{"ｉｖａｎ@example.com", "", "9123456789", foreign},
		{"89123456789", "ivan@example.com", "", foreign},
		{"89123456789", "", "9123456780", foreign},
		{"+79123456789", "", "9123456780", foreign},
		{"8-912-345-67-89", "", "9123456780", foreign},
		{"#89123456789", "", "9123456780", foreign},
		{"８９１２３４５６７８９", "", "9123456780", foreign},
		{"+49/30/901820", "", "9123456780", foreign},
	} {
		t.Run(c.login+" of "+c.email+c.phone, func(t *testing.T) {
			person := valid()
			person.Given[domain.PersonLogin], person.Given[domain.PersonEmail], person.Given[domain.PersonPhone] = text(c.login), text(c.email), text(c.phone)
			require.Equal(t, c.want, rules.Check(&person).Violations)
		})
	}
}

// has reports whether an identity finds a person by the contact, and whether by the login.
func has(reg *domain.Registration, name domain.Identity) (byContact, byLogin bool) {
	return name.Email != "" && name.Email == reg.Email.Key() || name.Phone != "" && name.Phone == reg.Phone.String(),
		name.Login != "" && name.Login == reg.Login.Key()
}

// FuzzIdentity proves that the logins, emails and phones of registered people are one namespace: a name finds at most one person, and
// a person is found by each of their own names.
func FuzzIdentity(f *testing.F) {
	const capitals, small = "ẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞẞ@x.com", "ßßßßßßßßßßßßßßßßßßßßßß@x.com" // of 66 and 44 octets before the @
	names := []string{
		"ivan", "a@x.com", "A@X.com", "ａ@x.com", "a＠x.com", "a@ςx.com", "a@σx.com", "a@ẞx.com", "a@ßx.com", capitals, small, "K@x.com", "\u212a@x.com",
		"89123456789", "+79123456789", "８９１２３４５６７８９", "٨٩١٢٣٤٥٦٧٨٩", "a@8916123.abcd", "8912FLOWERS", "ivan89123456789",
	}
	for _, login := range names {
		for _, other := range names {
			f.Add(login, login, "9123456780", "other", other, "", other, byte(0)) // the login equals the email, if it is one
			f.Add(login, "", login, "other", other, other, other, byte(0))
			f.Add(login, "b@x.com", "", "other", other, other, other, byte(1))
		}
	}
	regions := []string{"RU", "DE", "DK", "US", "AD"}
	f.Fuzz(func(t *testing.T, login1, email1, phone1, login2, email2, phone2, name string, region byte) {
		rules := domain.Rules{Region: regions[int(region)%len(regions)], Today: today}
		taken := domain.NewTaken()
		var people []*domain.Registration
		for _, s := range [][3]string{{login1, email1, phone1}, {login2, email2, phone2}} {
			person := valid()
			person.Given[domain.PersonLogin], person.Given[domain.PersonEmail], person.Given[domain.PersonPhone] = domain.Entered(s[0]), domain.Entered(s[1]), domain.Entered(s[2])
			checked := rules.Check(&person)
			if taken.Admit(&checked) == nil {
				people = append(people, &checked.Registration)
			}
		}
		names := []string{name}
		for _, person := range people {
			own := []string{person.Login.String(), person.Email.String()}
			if digits := person.Phone.String(); digits != "" {
				own = append(own, "+"+digits)
			}
			for _, name := range own {
				byContact, byLogin := has(person, domain.NewIdentity(name, rules.Region))
				require.True(t, name == "" || byContact || byLogin, "%q does not find its owner", name)
			}
			names = append(names, own...)
		}
		for _, name := range names {
			found := 0
			for _, person := range people {
				if byContact, byLogin := has(person, domain.NewIdentity(name, rules.Region)); byContact || byLogin {
					found++
				}
			}
			require.LessOrEqual(t, found, 1, "%q", name)
		}
	})
}
