package domain

import (
	"strings"
	"sync"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
)

// An Identity holds the keys that a name entered at sign-in is looked up by: of a login, and of an email or a phone. A key
// is empty where the name is no such thing.
//
// The name belongs to one account at most. A login that reads as an email or a phone is its owner's own (see Rules), so
// whoever has the login has the contact as well.
type Identity struct{ Login, Email, Phone string }

// NewIdentity returns the identity of a name. A phone without a country code belongs to region.
func NewIdentity(name, region string) Identity {
	name = trim(name)
	if len(name) > MaxValue {
		return Identity{}
	}
	login, _ := ParseLogin(name)
	read := readContact(name, region)
	if read != (contact{}) && read != readContact(login.Key(), region) {
		// Only rare letters get here, such as a final sigma in the domain: in the login's key they make another address,
		// which may be another person's.
		login = Login{}
	}
	return Identity{login.Key(), read.email, read.phone}
}

// contact is the key of an email or a phone, or neither.
type contact struct{ email, phone string }

// readContact returns the contact that a name reads as. Few names need a look at more than their first letters.
func readContact(name, region string) contact {
	if strings.Contains(name, "@") {
		email, _ := NewEmail(name)
		return contact{email: email.Key()}
	}
	if !isDialed(name, region) {
		return contact{}
	}
	phone, _ := NewPhone(name, region)
	return contact{phone: phone.String()}
}

// isDialed reports whether a name is written as people write phones: without letters, and either with a prefix or with as
// many digits as a mobile phone of the region has. There are shorter phones, but a short number is more often a number in a
// list, such as a student's: in Germany three of four numbers with 7 digits could be phones.
func isDialed(name, region string) bool {
	digits := 0
	for _, r := range name {
		if unicode.IsLetter(r) { // which libphonenumber passes over, or takes for digits
			return false
		}
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits > 0 && (name[0] == '+' || name[0] == '0' || digits >= mobileDigits()[region])
}

// mobileDigits returns how many digits a mobile phone has in each region, without the country code.
var mobileDigits = sync.OnceValue(func() map[string]int {
	digits := map[string]int{}
	for region := range phonenumbers.GetSupportedRegions() {
		if example := phonenumbers.GetExampleNumberForTypeInRegion(region, phonenumbers.MOBILE); example != nil {
			digits[region] = len(phonenumbers.GetNationalSignificantNumber(example))
		}
	}
	return digits
})

// isOthersContact reports whether a person's login reads as an email or a phone that is not the person's own. The login's
// key is read as well, because a few letters read otherwise in lower case.
func (r Rules) isOthersContact(person *Registration) bool {
	login := person.Login
	return r.readsAsOthers(login.String(), person) || !isPlain(login.String()) && r.readsAsOthers(login.Key(), person)
}

func (r Rules) readsAsOthers(login string, person *Registration) bool {
	switch readContact(login, r.Region) {
	case contact{}, contact{email: person.Email.Key()}, contact{phone: person.Phone.String()}:
		return false
	}
	return true
}
