package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
)

// maxForm is how many bytes a form may have.
const maxForm = 16 << 10

// input is a field of a form. It has no maximal length: browsers cut what is longer without a word.
type input struct {
	name         string
	field        domain.Field // whose violations are told beside it
	label        string       // message, if not label.NAME
	kind         string       // type, if not text
	autocomplete string
	required     bool
	hint         bool // there is a message hint.NAME
}

var (
	registrationInputs = []input{
		{name: "lname", field: domain.FieldLastName, autocomplete: "family-name", required: true},
		{name: "fname", field: domain.FieldFirstName, autocomplete: "given-name", required: true},
		{name: "patr", field: domain.FieldPatronymic, autocomplete: "additional-name", required: true},
		{name: "birthday", field: domain.FieldBirthday, kind: "date", autocomplete: "bday", hint: true},
		{name: "email", field: domain.FieldEmail, kind: "email", autocomplete: "email", hint: true},
		{name: "phone", field: domain.FieldPhone, kind: "tel", autocomplete: "tel", hint: true},
		{name: "login", field: domain.FieldLogin, autocomplete: "username", required: true, hint: true},
		{name: "psw", field: domain.FieldPassword, kind: "password", autocomplete: "new-password", required: true, hint: true},
	}
	signInInputs = []input{
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
		{name: queryFrom, label: "report.from", kind: "date", autocomplete: "off"},
		{name: queryUntil, label: "report.until", kind: "date", autocomplete: "off"},
		{name: queryLogin, label: "report.login", autocomplete: "off"},
	}
)

// form is a form with what was entered, and what is wrong with it.
type form struct {
	inputs     []input
	entered    url.Values
	violations domain.Violations
}

// viewField is a field as a template shows it.
type viewField struct {
	Name, Label, Hint, Value, Error, Type, Autocomplete string
	Required, Focus                                     bool
}

// field is the field of a name. The first one with a violation has the focus.
func (f form) field(name string, words *words) (viewField, error) {
	focused := false
	for _, in := range f.inputs {
		var violations domain.Violations
		for _, v := range f.violations {
			if in.field != "" && v.Field == in.field {
				violations = append(violations, v)
			}
		}
		if in.name != name {
			focused = focused || violations != nil
			continue
		}
		field := viewField{
			Name: name, Label: words.Text("label." + name), Value: f.entered.Get(name), Type: "text", Autocomplete: in.autocomplete,
			Required: in.required,
		}
		if in.label != "" {
			field.Label = words.Text(in.label)
		}
		if in.hint {
			field.Hint = words.Text("hint." + name)
		}
		switch in.kind {
		case "":
		case "password":
			field.Type, field.Value = in.kind, ""
		case "date":
			field.Type, field.Value = in.kind, pickerDate(field.Value)
		default:
			field.Type = in.kind
		}
		if violations != nil {
			field.Error, field.Focus = words.Describe(violations), !focused
		}
		return field, nil
	}
	return viewField{}, fmt.Errorf("there is no field %q in this form", name)
}

// pickerDate writes a date as date pickers take it, and leaves what is none.
func pickerDate(entered string) string {
	const lastDay = 1<<31 - 1 // a date in the future is a violation, and one all the same
	birthday, _ := domain.NewBirthday(entered, lastDay)
	if date, given := birthday.Date(); given {
		return date.Time().Format("2006-01-02")
	}
	return entered
}

// readForm reads the form of a POST that came from a page of this server.
func (p *pages) readForm(c *fiber.Ctx) (url.Values, error) {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationForm || c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, errFormType
	}
	length := int64(c.Request().Header.ContentLength()) // negative when the body comes in chunks
	if length > maxForm {
		return nil, errTooLarge
	}
	var text []byte
	if stream := c.Context().RequestBodyStream(); stream != nil {
		text, err = io.ReadAll(&body{stream: stream, conn: connOf(c), length: length, limit: maxForm})
	}
	switch {
	case errors.Is(err, errCutShort):
		return nil, fmt.Errorf("%w: a form was cut short", errRequest)
	case err != nil:
		return nil, fmt.Errorf("read form: %w", err)
	}
	bodyWasRead(c)
	entered, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, fmt.Errorf("%w: parse form: %w", errRequest, err)
	}
	token, err := p.token(c)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(entered.Get("csrf")), []byte(token)) == 0 {
		return nil, errFormExpired
	}
	return entered, nil
}

// token returns what a form must have in it to be taken from this visitor. It is derived from what only the visitor's
// browser knows: the session, and before there is one a cookie of its own. So nothing is stored for who only looks.
func (p *pages) token(c *fiber.Ctx) (string, error) {
	who, err := p.visitor(c)
	if err != nil {
		return "", err
	}
	secret := who.session
	if secret == "" {
		secret = p.formCookie(c)
	}
	sum := sha256.Sum256([]byte("form " + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// formCookie returns the cookie that stands for a session where there is none, and sets it if need be.
func (p *pages) formCookie(c *fiber.Ctx) string {
	name := cookieName("form", isSecure(c))
	if known := c.Cookies(name); known != "" {
		return known
	}
	if made, ok := c.Locals(formCookieKey).(string); ok {
		return made
	}
	made := rand.Text()
	c.Locals(formCookieKey, made)
	c.Cookie(&fiber.Cookie{
		Name: name, Value: made, Path: "/", HTTPOnly: true, Secure: isSecure(c), SameSite: fiber.CookieSameSiteLaxMode, SessionOnly: true,
	})
	return made
}

const formCookieKey = "form_cookie"

// refused returns the violations of an error that has some.
func refused(err error) domain.Violations {
	if it, ok := errors.AsType[*domain.RejectedError](err); ok {
		return it.Violations
	}
	return nil
}
