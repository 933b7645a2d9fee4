package pages

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/problem"
	"rollcall/domain"
)

// An input is a field of a form. It has no maximum length, because browsers cut longer values silently.
type input struct {
	name         string
	field        domain.Field // whose violations are shown beside it
	label        string       // message; label.NAME, if empty
	kind         string       // type, list for a choice of options; text, if empty
	unchosen     string       // message of a list's first option, which chooses none; empty if one of the others is always chosen
	autocomplete string
	section      string // of the form of a person; person, if empty
	required     bool
	hint         bool // there is a message hint.NAME
}

var (
	registrationInputs = append(personInputs(
		input{name: "lname", field: domain.FieldLastName, autocomplete: "family-name"},
		input{name: "fname", field: domain.FieldFirstName, autocomplete: "given-name"},
		input{name: "patr", field: domain.FieldPatronymic, autocomplete: "additional-name"},
		input{name: "birthday", field: domain.FieldBirthday, kind: "date", autocomplete: "bday", hint: true},
		input{name: "email", field: domain.FieldEmail, kind: "email", autocomplete: "email", section: "contact", hint: true},
		input{name: "phone", field: domain.FieldPhone, kind: "tel", autocomplete: "tel", section: "contact", hint: true},
		input{name: "login", field: domain.FieldLogin, autocomplete: "username", section: "account", hint: true},
	), input{
		name: "psw", field: domain.FieldPassword, kind: "password", autocomplete: "new-password", section: "account", required: true, hint: true,
	})
	personEditInputs = editInputs(registrationInputs[:len(registrationInputs)-1])
	signInInputs     = []input{
		{name: "login", label: "label.identity", autocomplete: "username", required: true},
		{name: "psw", kind: "password", autocomplete: "current-password", required: true},
	}
	passwordInputs = []input{
		{name: "old", field: domain.FieldOldPassword, kind: "password", autocomplete: "current-password", required: true},
		{
			name: "psw", field: domain.FieldPassword, label: "label.new_password", kind: "password", autocomplete: "new-password",
			required: true, hint: true,
		},
	}
	filterInputs = []input{
		{name: api.QueryFrom, field: api.QueryFrom, label: "report.from", kind: "date", autocomplete: "off"},
		{name: api.QueryUntil, field: api.QueryUntil, label: "report.until", kind: "date", autocomplete: "off"},
		{name: api.QueryStatus, field: api.QueryStatus, label: "report.status", kind: "list", unchosen: "report.status.any"},
		{name: api.QueryReason, field: api.QueryReason, label: "report.reason", kind: "list", unchosen: "report.reason.any"},
		{name: api.QueryLogin, field: api.QueryLogin, label: "report.login", autocomplete: "off"},
	}
)

// personInputs returns an input for each field of a person that a visitor enters: those in inputs first, then the other fields by their
// own names.
func personInputs(inputs ...input) []input {
	for f := range domain.PersonField(domain.NumPersonFields) {
		if f.IsAssigned() {
			continue
		}
		i := slices.IndexFunc(inputs, func(in input) bool { return in.field == f.Name() })
		if i < 0 {
			i = len(inputs)
			inputs = append(inputs, input{name: string(f.Name()), field: f.Name(), autocomplete: "off"})
		}
		inputs[i].required = f.IsRequired()
	}
	return inputs
}

// editInputs returns the inputs with which an operator edits a person, without what registration says to the person.
func editInputs(inputs []input) []input {
	inputs = append(slices.Clone(inputs), input{name: string(domain.FieldGroup), field: domain.FieldGroup})
	for i := range inputs {
		inputs[i].hint, inputs[i].autocomplete = false, "off"
	}
	return inputs
}

// A Form is a form with the values that a user entered, and their violations. The view of a page with a form embeds it.
type Form struct {
	inputs     []input
	entered    url.Values
	options    map[string][]optionView // of each list, by the name of its input
	violations domain.Violations
	words      *locale.Words
	texts      string // prefix of the messages that only this form has, empty for none
	isSent     bool   // by the browser, to which its passwords do not come back
	focused    string // name of the field in which the user begins; empty for the browser's choice

	Resends bool // the same values may be accepted later
}

func (s *Site) form(c *fiber.Ctx, inputs []input, entered url.Values) Form {
	return Form{inputs: inputs, entered: entered, words: s.Locale.Words(c)}
}

func (f *Form) form() *Form { return f }

// A personForm is a form with the data of a person, in sections. The view of a page with one embeds it.
type personForm struct{ Form }

// personForm returns a form of a person, with a patronymic that is required if the rules require it.
func (s *Site) personForm(c *fiber.Ctx, texts string, inputs []input, entered url.Values) personForm {
	f := personForm{s.form(c, slices.Clone(inputs), entered)}
	f.texts = texts
	for i := range f.inputs {
		if f.inputs[i].field == domain.FieldPatronymic {
			f.inputs[i].required = !s.PatronymicOptional
		}
	}
	return f
}

// A formSection is the view of a section of a form.
type formSection struct {
	Name, Legend, Hint string
	Fields             []FormField
}

// Sections returns the sections.
func (f *personForm) Sections() ([]formSection, error) {
	sections := []formSection{
		{Name: "person"}, {Name: "contact", Hint: f.words.Text("register.contact.hint")}, {Name: "account"},
	}
	for i := range sections {
		section := &sections[i]
		section.Legend = f.words.Text(f.texts + section.Name)
		for _, in := range f.inputs {
			if cmp.Or(in.section, "person") != section.Name {
				continue
			}
			field, err := f.Field(in.name)
			if err != nil {
				return nil, err
			}
			section.Fields = append(section.Fields, field)
		}
	}
	return sections, nil
}

// offer sets the options of a list and chooses the one that was entered. A value that none of them has becomes one, so that the list
// shows what the filter has.
func (f *Form) offer(name string, options []optionView) {
	chosen := f.entered.Get(name)
	isListed := chosen == ""
	for i := range options {
		options[i].Chosen = options[i].Value == chosen
		isListed = isListed || options[i].Chosen
	}
	if !isListed {
		options = append(options, optionView{chosen, chosen, true})
	}
	if f.options == nil {
		f.options = map[string][]optionView{}
	}
	f.options[name] = options
}

// A FormField is the view of a field.
type FormField struct {
	Name, Label, Hint, Value, Error, Retype, Type, Autocomplete string
	Required, HasFocus                                          bool
	Options                                                     []optionView // of a list
	Reveal                                                      string       // name of the button that shows a password
}

// Field returns the field of a name.
func (f *Form) Field(name string) (FormField, error) {
	for _, in := range f.inputs {
		if in.name != name {
			continue
		}
		field := FormField{
			Name: name, Label: f.words.Text("label." + name), Value: f.entered.Get(name), Type: "text", Autocomplete: in.autocomplete,
			Required: in.required, HasFocus: name == f.focused,
		}
		if in.label != "" {
			field.Label = f.words.Text(in.label)
		}
		if in.hint {
			field.Hint = f.words.Text("hint." + name)
		}
		switch in.kind {
		case "":
		case "list":
			if in.unchosen != "" {
				field.Options = append(field.Options, optionView{Name: f.words.Text(in.unchosen)})
			}
			field.Type, field.Options = in.kind, append(field.Options, f.options[name]...)
		case "password":
			if name == f.lostPassword() {
				field.Retype = f.words.Text("form.retype")
			}
			field.Type, field.Value, field.Reveal = in.kind, "", f.words.Text("form.show_password")
		case "date":
			date, isDate := domain.ParseDate(field.Value) // a date in the future is a violation, but a date
			if isDate {
				field.Value = date.Time().Format(time.DateOnly)
			}
			if isDate || field.Value == "" { // a date picker shows no other text
				field.Type = in.kind
			}
		default:
			field.Type = in.kind
		}
		field.Error = f.wrong(in)
		return field, nil
	}
	return FormField{}, fmt.Errorf("the form has no field %q", name)
}

// lostPassword returns the name of the first password that the browser has sent and that does not come back, empty for none.
func (f *Form) lostPassword() string {
	for _, in := range f.inputs {
		if f.isSent && in.kind == "password" && f.entered.Get(in.name) != "" {
			return in.name
		}
	}
	return ""
}

// wrong describes the violations of a field, empty for none.
func (f *Form) wrong(in input) string {
	var sentences []string
	for _, v := range f.violations {
		if in.field == "" || v.Field != in.field {
			continue
		}
		id := cmp.Or(f.texts, "form.") + "violation." + string(v.Code) + "." + string(v.Field)
		sentence := f.words.Text(id)
		if sentence == id {
			sentence = f.words.Describe(domain.Violations{v})
		}
		sentences = append(sentences, sentence)
	}
	return strings.Join(sentences, " ")
}

// summary returns a link to each field with a violation.
func (f *Form) summary() (links []linkView) {
	for _, in := range f.inputs {
		if wrong := f.wrong(in); wrong != "" {
			links = append(links, linkView{wrong, "#" + in.name})
		}
	}
	return links
}

// A formView is the view of a page with a form.
type formView interface {
	view

	form() *Form
}

const (
	provenKey = "proven_form"
	sentKey   = "sent_form"
)

// AnswerForms answers the script of a form with 204 and the address to go to, because scripts do not see redirects. It runs after the
// guard against forms of other sites: only what it passes comes back as it was filled in.
func AnswerForms(c *fiber.Ctx) error {
	c.Locals(provenKey, true)
	err := c.Next()
	if err == nil && problem.WantsLocation(c) && c.Response().StatusCode() == http.StatusSeeOther {
		c.Status(http.StatusNoContent)
	}
	return err
}

// A sentForm is a form that a browser has sent.
type sentForm struct {
	page string
	view func(c *fiber.Ctx, entered url.Values) formView // returns the view of its page, filled in
}

// takeForm returns the first handler of a form's route. If a later handler rejects the form, it comes back as it was filled in. The language
// switch of a browser without scripts also sends the form, with the language in the address, and the form comes back in that language. The
// body of any other form is left to later handlers: many forms may wait for their turn.
func (s *Site) takeForm(page string, view func(c *fiber.Ctx, entered url.Values) formView) fiber.Handler {
	return func(c *fiber.Ctx) error {
		isShown, err := s.take(c, page, view)
		if isShown || err != nil {
			return err
		}
		return c.Next()
	}
}

// take does what the handler of takeForm does, and reports whether it has shown the form.
func (s *Site) take(c *fiber.Ctx, page string, view func(c *fiber.Ctx, entered url.Values) formView) (isShown bool, err error) {
	c.Locals(sentKey, sentForm{page, view})
	if !s.Locale.Switch(c, c.Query(locale.Parameter)) {
		return false, nil
	}
	entered, err := intake.ReadForm(c)
	if err != nil {
		return false, err
	}
	v := view(c, entered)
	v.form().isSent = true
	return true, s.show(c, page, v)
}

// reject rejects a form that comes back on a page.
func (s *Site) reject(c *fiber.Ctx, page string, v formView, err error) error {
	c.Locals(sentKey, sentForm{page, func(*fiber.Ctx, url.Values) formView { return v }})
	return err
}

// showRejected shows a form again, with the values that were entered and the reason why they were rejected.
func (s *Site) showRejected(c *fiber.Ctx, sent sentForm, p problem.Problem, err error) error {
	entered, _ := intake.ReadForm(c)
	v := sent.view(c, entered)
	violations, words := problem.ViolationsOf(err), s.Locale.Words(c)
	form, b := v.form(), v.base()
	form.violations, form.isSent = violations, true
	b.Summary = form.summary()
	switch known, tooMany := errors.AsType[*domain.TooManyAttemptsError](err); {
	case tooMany:
		b.Alert, form.Resends = words.Text("alert.attempts", "Count", minutes(known.Wait)), true
	case violations != nil:
		b.Alert = words.Text("alert.fields")
	case errors.Is(err, domain.ErrWrongCredentials):
		b.Alert, b.AlertURL = words.Text("alert.credentials"), "#login"
	case errors.Is(err, domain.ErrPasswordExpired):
		b.Alert = words.Text("alert.expired")
	case errors.Is(err, domain.ErrPasswordUsed), errors.Is(err, domain.ErrSuspended):
		b.Alert = p.Text(words)
	default:
		b.Alert, form.Resends = words.Text("error."+p.Code+".title")+". "+p.Text(words), true
	}
	if p.IsInternal() {
		b.RequestID = p.RequestID
	}
	return s.show(c, sent.page, v)
}

// minutes returns the number of whole minutes that cover a time.
func minutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }
