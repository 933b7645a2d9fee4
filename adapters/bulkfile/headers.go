package bulkfile

import (
	"strings"
	"unicode"

	"rollcall/domain"
)

// headers are the fields by the headers of their columns, as plainHeader returns them.
var headers = func() map[string]domain.PersonField {
	fields := map[string]domain.PersonField{}
	for field := range domain.PersonField(domain.NumPersonFields) {
		fields[plainHeader(string(field.Name()))] = field
		for _, header := range synonyms[field] {
			fields[header] = field
		}
	}
	return fields
}()

// synonyms are the headers that people give the columns, beside the names of the fields.
var synonyms = map[domain.PersonField][]string{
	domain.PersonFirstName:  {"name", "givenname", "forename", "fname", "имя"},
	domain.PersonLastName:   {"surname", "familyname", "lname", "фамилия"},
	domain.PersonPatronymic: {"middlename", "patr", "отчество"},
	domain.PersonLogin:      {"username", "user", "account", "userid", "логин", "имяпользователя", "учетнаязапись"},
	domain.PersonEmail: {
		"mail", "emailaddress", "почта", "элпочта", "электроннаяпочта", "адресэлпочты", "адресэлектроннойпочты", "емейл", "имейл",
	},
	domain.PersonPhone: {
		"phonenumber", "telephone", "tel", "mobile", "mobilephone", "cell", "телефон", "номертелефона", "мобильный",
		"мобильныйтелефон", "тел",
	},
	domain.PersonBirthday: {"birthdate", "dateofbirth", "dob", "born", "датарождения", "деньрождения", "др"},
}

// plainHeader returns the letters and digits of a header in lower case, with "е" for "ё".
func plainHeader(header string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		r = unicode.ToLower(r)
		if r == 'ё' {
			r = 'е'
		}
		return r
	}, header)
}
