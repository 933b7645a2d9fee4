package domain

// A PersonField is a field that describes a person. Its value is the field's index in a Candidate, and its place in the order of
// violations. A new field needs a constant, a row in personFields and a case in parse. Decoders, forms and files of records iterate
// over the fields. It also needs its headers in adapters/bulkfile and its column in adapters/postgres.
type PersonField uint8

// The fields of a person.
const (
	PersonFirstName PersonField = iota
	PersonLastName
	PersonPatronymic
	PersonLogin
	PersonEmail
	PersonPhone
	PersonBirthday
	PersonGroup

	NumPersonFields = iota
)

// The names of the fields of a person: their keys in JSON, and columns of files of records.
const (
	FieldFirstName  Field = "first_name"
	FieldLastName   Field = "last_name"
	FieldPatronymic Field = "patronymic"
	FieldLogin      Field = "login"
	FieldEmail      Field = "email"
	FieldPhone      Field = "phone"
	FieldBirthday   Field = "birthday"
	FieldGroup      Field = "group"
)

// FieldFullName names a column with the full name, which gives first name, last name and patronymic.
const FieldFullName Field = "full_name"

// personFields defines the fields of a person.
var personFields = [NumPersonFields]struct {
	name           Field
	column         int // place among the columns of files of records, from 0
	required       bool
	acceptsNumbers bool // the value may be a number instead of a text
	assigned       bool // see IsAssigned
}{
	PersonFirstName:  {name: FieldFirstName, column: 1, required: true},
	PersonLastName:   {name: FieldLastName, column: 0, required: true},
	PersonPatronymic: {name: FieldPatronymic, column: 2, required: true},
	PersonLogin:      {name: FieldLogin, column: 3, required: true},
	PersonEmail:      {name: FieldEmail, column: 4},
	PersonPhone:      {name: FieldPhone, column: 5, acceptsNumbers: true},
	PersonBirthday:   {name: FieldBirthday, column: 6},
	PersonGroup:      {name: FieldGroup, column: 7, assigned: true},
}

// parse sets the field of reg to the value of text, and returns the violations of text. It is not a function in personFields, because
// an indirect call would move each registration to the heap.
func (f PersonField) parse(reg *Registration, text string, rules Rules) (vs Violations) {
	switch f {
	case PersonFirstName:
		reg.Name.First, vs = NewFirstName(text)
	case PersonLastName:
		reg.Name.Last, vs = NewLastName(text)
	case PersonPatronymic:
		reg.Name.Patronymic, vs = NewPatronymic(text)
	case PersonLogin:
		reg.Login, vs = NewLogin(text)
	case PersonEmail:
		reg.Email, vs = NewEmail(text)
	case PersonPhone:
		reg.Phone, vs = NewPhone(text, rules.Region)
	case PersonBirthday:
		reg.Birthday, vs = rules.birthday(text)
	case PersonGroup:
		reg.Group, vs = NewGroup(text)
	}
	return vs
}

// Name returns the name that violations, JSON and files of records have for the field.
func (f PersonField) Name() Field { return personFields[f].name }

// IsRequired reports whether every person must have the field.
func (f PersonField) IsRequired() bool { return personFields[f].required }

// IsAssigned reports whether an organization assigns the field. Visitors who register do not enter it. Lists of people have its name in
// titles, too, so it shows neither a header row nor an object of a person.
func (f PersonField) IsAssigned() bool { return personFields[f].assigned }

// ParsePersonField returns the field of a person with a name, and whether there is one.
func ParsePersonField[T ~string | ~[]byte](name T) (PersonField, bool) {
	for f := range personFields {
		if string(name) == string(personFields[f].name) {
			return PersonField(f), true
		}
	}
	return 0, false
}

// PersonColumns returns the fields of a person in the order of the columns of files of records.
func PersonColumns() (columns [NumPersonFields]PersonField) {
	for f := range personFields {
		columns[personFields[f].column] = PersonField(f)
	}
	return columns
}
