package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

var errRegistrationClosed = errors.New("registration is closed")

// forRegistration is the rule of registration. Where registration is closed, a visitor who comes by a setup link can register
// all the same: the first operator may have no account yet.
func (p *pages) forRegistration(handle fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if p.registers {
			return handle(c)
		}
		err := p.checkSetup(c)
		switch {
		case errors.Is(err, domain.ErrSetupCode):
			return errRegistrationClosed
		case err != nil:
			return err
		}
		return handle(c)
	}
}

// registerForm answers GET /register.
func (p *pages) registerForm(c *fiber.Ctx) error {
	return p.showUnlessSignedIn(c, "register", &view{form: form{inputs: registrationInputs}})
}

// register answers POST /register.
func (p *pages) register(c *fiber.Ctx) error {
	entered, err := p.readForm(c)
	if err != nil {
		return err
	}
	person := new(domain.Candidate)
	for _, input := range registrationInputs {
		if field, known := domain.ParsePersonField(input.field); known {
			person.Given[field] = domain.Entered(entered.Get(input.name))
		}
	}
	user, err := p.registering.Register(c.UserContext(), ports.RegistrationRequest{
		Person: person, Password: entered.Get("psw"), Address: clientAddress(c, p.isProxy),
	})
	if err != nil {
		return p.showForm(c, "register", &view{form: form{inputs: registrationInputs, entered: entered}}, err)
	}
	p.events.note(c, "registration", "succeeded", userID(user))
	return p.enter(c, user, noticeRegistered, pathProfile)
}

// enter signs in who has a new password, and goes on to a page, of which the profile says what was done. What was done is done,
// even where nobody can be signed in now: then they are told so by the page on which they can do it themselves.
func (p *pages) enter(c *fiber.Ctx, user *domain.User, notice, next string) error {
	err := p.signIn(c, user)
	if errors.Is(err, ports.ErrUnavailable) {
		return c.Redirect("/login?notice="+notice+noticeSignIn, http.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	if next == pathProfile {
		next += "?notice=" + notice
	}
	return p.goOn(c, user, next)
}

// loginForm answers GET /login.
func (p *pages) loginForm(c *fiber.Ctx) error {
	v := &view{form: form{inputs: signInInputs}, Notice: p.notice(c)}
	if next := c.Query("next"); next != "" {
		v.Next = localPath(next)
		v.Notice = p.words(c).Text("notice.sign_in_first")
	}
	return p.showUnlessSignedIn(c, "login", v)
}

// login answers POST /login.
func (p *pages) login(c *fiber.Ctx) error {
	entered, err := p.readForm(c)
	if err != nil {
		return err
	}
	next := localPath(entered.Get("next"))
	user, err := p.auth.SignIn(c.UserContext(), ports.Attempt{
		Name: entered.Get("login"), Password: entered.Get("psw"), Address: clientAddress(c, p.isProxy), Device: device(c),
		Browser: p.formCookie(c),
	})
	p.events.noteSignIn(c, entered.Get("login"), user, err)
	if err != nil {
		return p.showForm(c, "login", &view{form: form{inputs: signInInputs, entered: entered}, Next: next}, err)
	}
	err = p.signIn(c, user)
	if err != nil {
		return err
	}
	return p.goOn(c, user, next)
}

// passwordPage is the address of the page on which a password is changed, and which then leads to next.
func passwordPage(next string) string {
	if next == pathProfile || next == pathPassword {
		return pathPassword
	}
	return pathPassword + "?next=" + url.QueryEscape(next)
}

// showUnlessSignedIn shows a page that is for people who are not signed in.
func (p *pages) showUnlessSignedIn(c *fiber.Ctx, page string, v *view) error {
	who, err := p.visitor(c)
	if err != nil {
		return err
	}
	if who.user != nil {
		next := localPath(c.Query("next"))
		if who.user.MustChangePassword {
			next = passwordPage(next)
		}
		return c.Redirect(next, http.StatusSeeOther)
	}
	return p.show(c, page, v)
}

// logoutForm answers GET /logout. A link must not sign a user out, since a page of any site can have one.
func (p *pages) logoutForm(c *fiber.Ctx) error { return p.show(c, "logout", &view{}) }

// logout answers POST /logout.
func (p *pages) logout(c *fiber.Ctx) error {
	_, err := p.readForm(c)
	if err != nil {
		return err
	}
	who, err := p.visitor(c)
	if err == nil {
		err = p.sessions.end(c)
	}
	if err != nil {
		return err
	}
	if who.user != nil {
		p.events.note(c, "sign_out", "succeeded", userID(who.user))
	}
	return c.Redirect("/login?notice="+noticeSignedOut, http.StatusSeeOther)
}

// profile answers GET /profile.
func (p *pages) profile(c *fiber.Ctx, user *domain.User) (err error) {
	v := &view{Notice: p.notice(c), TemporaryUntil: user.PasswordExpires}
	if p.access.Allows(user) {
		query := readReportQuery(c)
		v.form, v.kept = form{inputs: filterInputs, entered: query.values}, query.values
		v.Report, err = p.report(c, query)
		if err != nil {
			return err
		}
	}
	return p.show(c, "profile", v)
}

// passwordForm answers GET /account/password.
func (p *pages) passwordForm(c *fiber.Ctx, user *domain.User) error {
	return p.show(c, "password", &view{form: form{inputs: passwordInputs}, TemporaryUntil: user.PasswordExpires, Next: localPath(c.Query("next"))})
}

// changePassword answers POST /account/password.
func (p *pages) changePassword(c *fiber.Ctx, changer *domain.User) error {
	entered, err := p.readForm(c)
	if err != nil {
		return err
	}
	next, until := localPath(entered.Get("next")), changer.PasswordExpires
	user, err := p.auth.ChangePassword(c.UserContext(), ports.PasswordChange{
		User: changer.ID, Made: changer.Password.Made, Old: entered.Get("old"), New: entered.Get("psw"),
	})
	if err != nil {
		if slices.Contains(refused(err), domain.Violation{Field: domain.FieldOldPassword, Code: domain.CodeWrong}) {
			p.events.note(c, "password_change", "failed", userID(changer))
		}
		return p.showForm(c, "password", &view{form: form{inputs: passwordInputs, entered: url.Values{}}, TemporaryUntil: until, Next: next}, err)
	}
	p.events.note(c, "password_change", "succeeded", userID(user))
	return p.enter(c, user, noticePasswordChanged, next)
}
