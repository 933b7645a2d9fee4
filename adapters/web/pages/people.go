package pages

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/mileusna/useragent"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// People shows accounts to operators, who change them.
type People struct {
	*Site

	Finding        ports.Users
	Directory      ports.Directory
	Audit          ports.AuditReading
	Slips          *SlipPrinter
	PasswordPolicy PasswordPolicy
}

// personView is the view of the page of an account.
type personView struct {
	Base

	URL         string // of the page
	Name        string
	Status      string
	StatusNote  *locale.Moment // since when, or until when; nil for none
	Terms       []termView     // the person's data; an empty value is not given
	Registered  locale.Moment
	ImportURL   string // of the import that registered the person; empty for none
	Origin      string // how the person was registered
	Sessions    []sessionView
	SignIns     []signInView
	Entries     []entryView // the latest changes of the account
	AuditURL    string      // of all entries
	IsSuspended bool
	MustChange  bool // at the next sign-in, because an operator requires it
}

// signInView is a sign-in.
type signInView struct {
	Time             locale.Moment
	Address          string
	Browser, Product string // as in sessionView
}

// productOf returns the name of a browser and its system, or the whole User-Agent of another program.
func productOf(userAgent string) string {
	known := useragent.Parse(userAgent)
	if known.IsUnknown() {
		return userAgent
	}
	return fmt.Sprintf("%s %d, %s", known.Name, known.VersionNo.Major, known.OS)
}

// sessionView is a session.
type sessionView struct {
	Began, Used      locale.Moment
	Address          string
	Browser, Product string // User-Agent, and its name for readers
}

// historyEvents are the events of a person's history. Sign-ins have a list of their own.
var historyEvents = []string{"registration", "password_change", "account", "role"}

const historyEntries = 20

// Show answers GET /users/:id.
func (p *People) Show(c *fiber.Ctx, _ *domain.User) error {
	person, err := p.person(c)
	if err != nil {
		return err
	}
	words := p.Locale.Words(c)
	v := &personView{
		Base: Base{Title: nameOf(&person.User)}, URL: urls.User(person.ID), Name: nameOf(&person.User),
		Status: words.Text("status." + string(person.Status)), Registered: words.Time(person.Registered),
		IsSuspended: person.IsSuspended(), MustChange: person.ChangeRequired,
	}
	switch {
	case person.IsSuspended():
		v.StatusNote = new(words.TextWithTime("user.since", person.Suspended))
	case !person.PasswordExpires.IsZero():
		v.StatusNote = new(words.TextWithTime("user.until", person.PasswordExpires))
	}
	for _, f := range domain.PersonColumns() {
		term := termView{words.Text("field." + string(f.Name())), person.Text(f)}
		if f == domain.PersonBirthday && person.Birthday != nil {
			term.Value = words.Date(person.Birthday.Time())
		}
		v.Terms = append(v.Terms, term)
	}
	switch {
	case person.Import != 0:
		v.Origin, v.ImportURL = words.Text("import.heading", "Number", person.Import), urls.Import(person.Import)
	case person.Self:
		v.Origin = words.Text("user.by_form")
	default:
		v.Origin = words.Text("user.by_unknown")
	}
	for _, signIn := range person.SignIns {
		v.SignIns = append(v.SignIns, signInView{words.Time(signIn.Time), signIn.Address, signIn.Browser, productOf(signIn.Browser)})
	}
	for _, session := range person.Sessions {
		v.Sessions = append(v.Sessions, sessionView{
			words.TextWithTime("user.session.began", session.Began), words.TextWithTime("user.session.used", session.Used),
			session.Address, session.Browser, productOf(session.Browser),
		})
	}
	err = p.addHistory(c, v, person)
	if err != nil {
		return err
	}
	return p.show(c, "user", v)
}

// addHistory adds the latest changes of an account.
func (p *People) addHistory(c *fiber.Ctx, v *personView, person *domain.Person) error {
	filter := domain.AuditFilter{User: person.ID}
	for _, event := range historyEvents {
		actions, err := domain.ParseActions(event)
		if err != nil {
			return fmt.Errorf("list actions of %q: %w", event, err)
		}
		filter.Actions = append(filter.Actions, actions...)
	}
	page, err := p.Audit.Entries(c.UserContext(), ports.AuditQuery{Filter: filter, Limit: historyEntries})
	if err != nil {
		return err
	}
	words := p.Locale.Words(c)
	for i := range page.Entries {
		v.Entries = append(v.Entries, newEntryView(&page.Entries[i], words))
	}
	name := person.Login
	if _, notNumber := strconv.ParseInt(name, 10, 64); notNumber == nil { // which would be an id
		name = text(person.ID)
	}
	v.AuditURL = urls.Audit + "?" + url.Values{api.QueryPerson: {name}}.Encode()
	return nil
}

// person returns the person whom an address names.
func (p *People) person(c *fiber.Ctx) (*domain.Person, error) {
	id, err := api.UserID(c)
	if err != nil {
		return nil, err
	}
	return p.Directory.Person(c.UserContext(), id)
}

// nameOf returns the full name of a user, or the login of one without a name.
func nameOf(user *domain.User) string {
	name := user.LastName
	for _, part := range []string{user.FirstName, user.Patronymic} {
		if part != "" && name != "" {
			name += " "
		}
		name += part
	}
	if name == "" {
		return user.Login
	}
	return name
}

// editView is the view of the page on which an operator edits a person.
type editView struct {
	Base
	personForm

	URL     string   // of the person's page
	Was     string   // the person's data when the form was opened, as JSON
	Changes []string // that another operator made since
}

// editForm returns the view of a form that an operator filled in.
func (p *People) editForm(c *fiber.Ctx, entered url.Values) formView {
	id, _ := api.UserID(c) // a form of another address is not found
	return &editView{personForm: p.personForm(c, "user.edit.", personEditInputs, entered), URL: urls.User(id), Was: entered.Get("was")}
}

// EditForm answers GET /users/:id/edit.
func (p *People) EditForm(c *fiber.Ctx, _ *domain.User) error {
	person, err := p.person(c)
	if err != nil {
		return err
	}
	values := url.Values{"was": {dataOf(&person.User)}}
	for _, in := range personEditInputs {
		if field, known := domain.ParsePersonField(in.field); known {
			values.Set(in.name, person.Text(field))
		}
	}
	return p.show(c, "user_edit", p.editForm(c, values))
}

// dataOf returns a person's data as the form keeps them, to notice what others change meanwhile.
func dataOf(user *domain.User) string {
	data := map[domain.Field]string{}
	for f := range domain.PersonField(domain.NumPersonFields) {
		data[f.Name()] = user.Text(f)
	}
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // texts can be encoded
	}
	return string(text)
}

// Edit answers POST /users/:id/edit. If another operator has changed the person since the form was opened, the form comes back with what
// that operator changed, and is sent once more to replace it.
func (p *People) Edit(c *fiber.Ctx, _ *domain.User) error {
	id, err := api.UserID(c)
	if err != nil {
		return err
	}
	isShown, err := p.take(c, "user_edit", p.editForm)
	if isShown || err != nil {
		return err
	}
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	person := &domain.Candidate{}
	for _, in := range personEditInputs {
		if field, known := domain.ParsePersonField(in.field); known {
			person.Given[field] = domain.Entered(entered.Get(in.name))
		}
	}
	var is domain.User
	expected := func(user *domain.User) error {
		is = *user
		if dataOf(user) != entered.Get("was") {
			return ports.ErrChanged
		}
		return nil
	}
	err = p.Directory.Edit(c.UserContext(), id, expected, func(*domain.User) *domain.Candidate { return person })
	if errors.Is(err, ports.ErrChanged) {
		return p.reject(c, "user_edit", p.conflict(c, entered, &is), err)
	}
	if err != nil {
		return err
	}
	p.Guard.Events.NoteAccount(c, "edited", id)
	return p.redirect(c, urls.User(id), noticeUserEdited)
}

// conflict returns the view of a form whose person another operator has changed.
func (p *People) conflict(c *fiber.Ctx, entered url.Values, is *domain.User) *editView {
	words := p.Locale.Words(c)
	var was map[domain.Field]string
	_ = json.Unmarshal([]byte(entered.Get("was")), &was) // a damaged text counts as an empty person
	v, _ := p.editForm(c, entered).(*editView)
	v.Was = dataOf(is)
	for f := range domain.PersonField(domain.NumPersonFields) {
		if before, now := was[f.Name()], is.Text(f); before != now {
			v.Changes = append(v.Changes, words.Text("user.changed", "Field", words.Text("field."+string(f.Name())),
				"Before", orNone(before, words), "Now", orNone(now, words)))
		}
	}
	return v
}

func orNone(text string, words *locale.Words) string {
	if text == "" {
		return words.Text("profile.none")
	}
	return text
}

// confirmView is the view of the page on which an operator confirms a change of one account.
type confirmView struct {
	Base

	Name, Login  string
	URL          string // of the person's page
	Action       string // password, suspend or delete
	Consequences []string
	Salt         string // of a new password
	Made         int64  // when the current password was made, in microseconds
}

// consequences are the numbers of messages user.ACTION.1 and so on, which say what an action does.
var consequences = map[string]int{"password": 3, "suspend": 3, "delete": 4}

// Confirm returns the handler of GET /users/:id/ACTION.
func (p *People) Confirm(action string) func(*fiber.Ctx, *domain.User) error {
	return func(c *fiber.Ctx, _ *domain.User) error {
		person, err := p.person(c)
		if err != nil {
			return err
		}
		words := p.Locale.Words(c)
		v := &confirmView{
			Base: Base{Title: words.Text("user." + action + ".heading")}, Name: nameOf(&person.User), Login: person.Login, URL: urls.User(person.ID), Action: action,
		}
		for n := range consequences[action] {
			v.Consequences = append(v.Consequences, words.Text(fmt.Sprintf("user.%s.%d", action, n+1)))
		}
		if action == "password" {
			v.Salt, v.Made = base64.RawURLEncoding.EncodeToString(p.Directory.Salt()), person.Password.Made.UnixMicro()
		}
		return p.show(c, "user_confirm", v)
	}
}

// act makes a confirmed change, and redirects to the person's page with a notice.
func (p *People) act(
	c *fiber.Ctx, outcome, notice string, change func(context.Context, int64, ports.Expectation) error,
) error {
	id, err := api.UserID(c)
	if err != nil {
		return err
	}
	err = change(c.UserContext(), id, nil)
	if err != nil {
		return err
	}
	p.Guard.Events.NoteAccount(c, outcome, id)
	return p.redirect(c, urls.User(id), notice)
}

// Suspend answers POST /users/:id/suspend.
func (p *People) Suspend(c *fiber.Ctx, _ *domain.User) error {
	return p.act(c, "suspended", noticeUserSuspended, p.Directory.Suspend)
}

// EndSessions answers POST /users/:id/end-sessions.
func (p *People) EndSessions(c *fiber.Ctx, _ *domain.User) error {
	return p.act(c, "sessions_ended", noticeUserSessionsEnded, p.Directory.EndSessions)
}

// Restore answers POST /users/:id/restore.
func (p *People) Restore(c *fiber.Ctx, _ *domain.User) error {
	return p.act(c, "restored", noticeUserRestored, p.Directory.Restore)
}

// RequireChange answers POST /users/:id/require-change.
func (p *People) RequireChange(c *fiber.Ctx, _ *domain.User) error {
	return p.act(c, "change_required", noticeUserMustChange, p.Directory.RequireChange)
}

// Delete answers POST /users/:id/delete. A form that was sent twice finds no account.
func (p *People) Delete(c *fiber.Ctx, _ *domain.User) error {
	id, err := api.UserID(c)
	if err != nil {
		return err
	}
	err = p.Directory.Delete(c.UserContext(), id, nil)
	switch {
	case err == nil:
		p.Guard.Events.NoteAccount(c, "deleted", id)
	case !errors.Is(err, ports.ErrNotFound):
		return err
	}
	return p.redirect(c, urls.Directory, noticeUserDeleted)
}

// newPasswordView is the view of the page that shows a new temporary password once.
type newPasswordView struct {
	Base

	Name, Login, Password string
	URL                   string // of the person's page
	Note                  locale.Moment
	Salt, Made            string // of the form, which gives the same password again
}

// NewPassword answers POST /users/:id/password. The form has the salt of the password, so a form that was sent twice shows the same one,
// and the button for the slip sends it once more.
func (p *People) NewPassword(c *fiber.Ctx, _ *domain.User) error {
	id, err := api.UserID(c)
	if err != nil {
		return err
	}
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	salt, err := base64.RawURLEncoding.DecodeString(entered.Get("salt"))
	if err != nil {
		return problem.ErrRequest
	}
	expected := func(user *domain.User) error {
		if strconv.FormatInt(user.Password.Made.UnixMicro(), 10) != entered.Get("made") {
			return ports.ErrChanged
		}
		return nil
	}
	login, password, err := p.Directory.NewPassword(c.UserContext(), id, expected, salt)
	switch {
	case errors.Is(err, ports.ErrChanged):
		return p.redirect(c, c.Path(), noticeUserChanged)
	case errors.Is(err, ports.ErrOtherSecret):
		return problem.ErrRequest
	case err != nil:
		return err
	}
	p.Guard.Events.NoteAccount(c, "password_replaced", id)
	person, err := p.Directory.Person(c.UserContext(), id)
	if err != nil {
		return err
	}
	words := p.Locale.Words(c)
	if entered.Has("slip") {
		note := words.TextWithTime("upload.slips."+string(p.PasswordPolicy), person.PasswordExpires)
		p.Slips.answerOne(c, slipOf(&person.User, password), slipList{back: linkView{words.Text("user.back"), urls.User(id)}, note: note})
		return nil
	}
	return p.show(c, "user_password", &newPasswordView{
		Base: Base{Title: words.Text("user.new_password")}, Name: nameOf(&person.User), Login: login, Password: password, URL: urls.User(id),
		Note: words.TextWithTime("user.until", person.PasswordExpires),
		Salt: entered.Get("salt"), Made: entered.Get("made"),
	})
}

// slipOf returns what the slip of a user shows.
func slipOf(user *domain.User, password string) *domain.Outcome {
	return &domain.Outcome{
		Login: user.Login, Password: password, Group: domain.RestoreGroup(user.Group),
		Name: domain.RestoreFullName(domain.NameTexts{Last: user.LastName, First: user.FirstName, Patronymic: user.Patronymic}),
	}
}
