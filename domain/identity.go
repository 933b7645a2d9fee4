package domain

import (
	"strings"
	"sync"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
)

// An Identity holds the keys by which a name entered at sign-in is looked up: as a login, and as an email or a phone. A key is empty if
// the name cannot be read that way.
//
// A name belongs to one account at most. A login that reads as an email or a phone must be the user's own (see Rules), so the login and
// the contact have the same owner.
type Identity struct{ Login, Email, Phone string }

// NewIdentity returns the identity of a name. A phone without a country code belongs to region.
func NewIdentity(name, region string) Identity {
	name = trim(name)
	if len(name) > MaxValue {
		return Identity{}
	}
	login := signInKey(name)
	read := readContact(name, region)
	if read != (contact{}) && read != readContact(login, region) {
		// This happens for rare letters only, such as a final sigma in the domain. The login's key is another address then, which
		// may belong to another person.
		login = ""
	}
	return Identity{login, read.email, read.phone}
}

// contact is the key of an email or of a phone, or empty.
type contact struct{ email, phone string }

// readContact returns the contact that a name reads as.
func readContact(name, region string) contact {
	if strings.Contains(name, "@") {
		email, _ := ParseEmail(name)
		return contact{email: email.Key()}
	}
	name = clean(name)
	if !isDialed(name, region) || checkText(FieldPhone, name) != nil {
		return contact{}
	}
	// NewPhone has become stricter than this. Accounts keep the names that they were found by.
	digits, ok := plainPhone(name, region)
	if !ok {
		digits, _ = parsePhone(name, region)
	}
	return contact{phone: digits}
}

// isDialed reports whether a name is written as people write phone numbers: without letters, and with a prefix or at least as many
// digits as a mobile number of the region. Shorter phone numbers exist, but a short number is more often a number in a list, such as a
// student number. In Germany three of four numbers with 7 digits could be phones.
func isDialed(name, region string) bool {
	digits := 0
	for _, r := range name {
		if unicode.IsLetter(r) { // libphonenumber skips letters, or reads them as digits
			return false
		}
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits > 0 && (name[0] == '+' || name[0] == '0' || digits >= mobileDigits()[region])
}

// mobileDigits returns the number of digits of a mobile number in each region, without the country code.
var mobileDigits = sync.OnceValue(func() map[string]int {
	digits := map[string]int{}
	for region := range phonenumbers.GetSupportedRegions() {
		if example := phonenumbers.GetExampleNumberForTypeInRegion(region, phonenumbers.MOBILE); example != nil {
			digits[region] = len(phonenumbers.GetNationalSignificantNumber(example))
		}
	}
	return digits
})

// isOthersContact reports whether a person's login reads as an email or a phone that is not the person's own. It also reads the login's
// key, because a few letters read differently in lower case.
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
