package pages

import (
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/session"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// AccountConfig describes the pages of Account.
type AccountConfig struct {
	Registering        ports.Registering
	Auth               ports.Authenticating
	Setup              ports.SettingUp
	RegistrationClosed bool // visitors may not register; POST /useradd still registers
}

// Account registers users, signs them in and out, and changes their passwords.
type Account struct {
	*Site
	AccountConfig
}

// ForRegistration is the rule of registration. If registration is closed, visitors with a setup link can still register, because the first
// operator may have no account yet.
func (a *Account) ForRegistration(handle fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !a.RegistrationClosed {
			return handle(c)
		}
		err := a.checkSetup(c)
		closed := func() error { return problem.ErrRegistrationClosed }
		switch {
		case errors.Is(err, domain.ErrSetupCode) && c.Method() == fiber.MethodPost && setupCode(c) != "": // the form may have been sent twice
			return a.enterAgain(c, noticeRegistered, closed)
		case errors.Is(err, domain.ErrSetupCode):
			return closed()
		case err != nil:
			return err
		}
		return handle(c)
	}
}

// registerView is the view of the page on which a visitor registers.
type registerView struct {
	Base
	personForm

	Lead string // message
	Next string // address to go to; empty for the profile
}

// registerView returns the view of a form with the values that a visitor entered.
func (a *Account) registerView(c *fiber.Ctx, entered url.Values) formView {
	v := &registerView{personForm: a.personForm(c, "register.", registrationInputs, entered), Lead: "register.lead", Next: nextOf(entered)}
	if a.PatronymicOptional {
		v.Lead = "register.lead.patronymic_optional"
	}
	return v
}

// TakeRegistration is the first handler of POST /register.
func (a *Account) TakeRegistration() fiber.Handler { return a.takeForm("register", a.registerView) }

// RegisterForm answers GET /register.
func (a *Account) RegisterForm(c *fiber.Ctx) error {
	return a.showUnlessSignedIn(c, "register", a.registerView(c, url.Values{"next": {c.Query("next")}}))
}

// Register answers POST /register.
func (a *Account) Register(c *fiber.Ctx) error {
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	person := new(domain.Candidate)
	for _, input := range registrationInputs {
		if field, known := domain.ParsePersonField(input.field); known {
			person.Given[field] = domain.Entered(entered.Get(input.name))
		}
	}
	user, isNew, err := a.Registering.Register(c.UserContext(), ports.RegistrationRequest{
		Person: person, Password: entered.Get("psw"),
		Address: a.Guard.Proxies.ClientAddress(c), Device: session.Device(c), Browser: session.Browser(c),
		UserAgent: c.Get(fiber.HeaderUserAgent),
	})
	switch {
	case isNew:
		a.Guard.Events.Note(c, "registration", "succeeded", guard.UserID(user))
	case err == nil, errors.Is(err, domain.ErrWrongCredentials):
		a.Guard.Events.NoteSignIn(c, entered.Get("login"), user, err)
	}
	if err != nil {
		return err
	}
	return a.enter(c, user, noticeRegistered, urls.Local(entered.Get("next")))
}

// enter signs in a user who has a new password, and redirects to a page with a notice. If sessions are unavailable, that is the sign-in
// page, because the registration or the change of the password has succeeded.
func (a *Account) enter(c *fiber.Ctx, user *domain.User, notice, next string) error {
	err := a.Guard.Visitors.SignIn(c, user)
	if errors.Is(err, ports.ErrUnavailable) {
		return a.redirect(c, urls.Login, notice+noticeSignIn)
	}
	if err != nil {
		return err
	}
	return a.proceed(c, user, next, notice)
}

// loginView is the view of the page on which a user signs in.
type loginView struct {
	Base
	Form

	Next string // address to go to; empty for the profile
}

// LoginForm answers GET /login. It gives the browser its id. A temporary password works in one browser, so without the id a sign-in whose
// answer is lost could not be repeated. The code on a slip has the login in the address.
func (a *Account) LoginForm(c *fiber.Ctx) error {
	session.Browser(c)
	next, login := c.Query("next"), c.Query("login")
	v := a.loginView(c, url.Values{"next": {next}})
	if login != "" && domain.Line(login, domain.MaxEmail) == login {
		v.form().entered.Set("login", login)
		v.form().focused = "psw"
	}
	if next != "" {
		v.base().Notice = a.Locale.Words(c).Text("notice.sign_in_first")
	}
	return a.showUnlessSignedIn(c, "login", v)
}

// loginView returns the view of a form with the values that a visitor entered.
func (a *Account) loginView(c *fiber.Ctx, entered url.Values) formView {
	return &loginView{Form: a.form(c, signInInputs, entered), Next: nextOf(entered)}
}

// nextOf returns the address that the user of a form goes to afterwards, empty for the profile.
func nextOf(entered url.Values) string {
	if next := entered.Get("next"); next != "" {
		return urls.Local(next)
	}
	return ""
}

// TakeLogin is the first handler of POST /login.
func (a *Account) TakeLogin() fiber.Handler { return a.takeForm("login", a.loginView) }

// Login answers POST /login.
func (a *Account) Login(c *fiber.Ctx) error {
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	user, err := a.signIn(c, entered)
	if err != nil {
		return err
	}
	err = a.Guard.Visitors.SignIn(c, user)
	if err != nil {
		return err
	}
	return a.proceed(c, user, urls.Local(entered.Get("next")), "")
}

// signIn returns the user whose login and password a form has.
func (a *Account) signIn(c *fiber.Ctx, entered url.Values) (*domain.User, error) {
	user, err := a.Auth.SignIn(c.UserContext(), ports.Attempt{
		Name: entered.Get("login"), Password: entered.Get("psw"), Address: a.Guard.Proxies.ClientAddress(c), Device: session.Device(c),
		Browser: session.Browser(c), UserAgent: c.Get(fiber.HeaderUserAgent),
	})
	a.Guard.Events.NoteSignIn(c, entered.Get("login"), user, err)
	return user, err
}

// showUnlessSignedIn shows a page to a visitor, and redirects a user to the page that the address names.
func (a *Account) showUnlessSignedIn(c *fiber.Ctx, page string, v view) error {
	visitor, err := a.Guard.Visitors.Visitor(c)
	if err != nil {
		return err
	}
	if visitor.User != nil {
		next := urls.Local(c.Query("next"))
		if visitor.User.MustChangePassword {
			next = urls.ChangePassword(next)
		}
		return a.redirect(c, next, "")
	}
	return a.show(c, page, v)
}

// LogoutForm answers GET /logout. The link alone signs no one out, because a page of any site can contain it.
func (a *Account) LogoutForm(c *fiber.Ctx) error { return a.show(c, "logout", a.buttonView(c, nil)) }

// buttonView is the view of a page whose form is a button.
type buttonView struct {
	Base
	Form
}

func (a *Account) buttonView(c *fiber.Ctx, entered url.Values) formView {
	return &buttonView{Form: a.form(c, nil, entered)}
}

// TakeLogout is the first handler of POST /logout.
func (a *Account) TakeLogout() fiber.Handler { return a.takeForm("logout", a.buttonView) }

// Logout answers POST /logout.
func (a *Account) Logout(c *fiber.Ctx) error {
	_, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	visitor, err := a.Guard.Visitors.Visitor(c)
	if err == nil {
		err = a.Guard.Visitors.SignOut(c)
	}
	if err != nil {
		return err
	}
	if visitor.User != nil {
		a.Guard.Events.Note(c, "sign_out", "succeeded", guard.UserID(visitor.User))
	}
	return a.redirect(c, urls.Login, noticeSignedOut)
}

// passwordView is the view of the page on which a user changes a password.
type passwordView struct {
	Base
	Form

	Login          string
	MustChange     bool
	TemporaryUntil time.Time // zero for a password that the user has chosen
	Next           string    // address to go to
}

// passwordView returns the view of a form that a user filled in. The user is unknown while the database does not answer.
func (a *Account) passwordView(c *fiber.Ctx, entered url.Values) formView {
	v := &passwordView{Form: a.form(c, passwordInputs, entered), Login: entered.Get("login"), Next: urls.Local(entered.Get("next"))}
	if visitor := session.Known(c); visitor != nil && visitor.User != nil {
		v.Login, v.MustChange, v.TemporaryUntil = visitor.User.Login, visitor.User.MustChangePassword, visitor.User.PasswordExpires
	}
	return v
}

// PasswordForm answers GET /account/password.
func (a *Account) PasswordForm(c *fiber.Ctx, _ *domain.User) error {
	return a.show(c, "password", a.passwordView(c, url.Values{"next": {c.Query("next")}}))
}

// TakePassword is the first handler of POST /account/password.
func (a *Account) TakePassword() fiber.Handler { return a.takeForm("password", a.passwordView) }

// ReenterUser is the second handler of POST /account/password, before the rule that the user is signed in. A form that was sent twice
// arrives after the first time has ended its session.
func (a *Account) ReenterUser(c *fiber.Ctx) error {
	visitor, err := a.Guard.Visitors.Visitor(c)
	if err != nil {
		return err
	}
	if visitor.User != nil {
		return c.Next()
	}
	return a.enterAgain(c, noticePasswordChanged, c.Next)
}

// ChangePassword answers POST /account/password.
func (a *Account) ChangePassword(c *fiber.Ctx, changer *domain.User) error {
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	if isOtherUser(entered, changer) {
		return problem.ErrOtherUser
	}
	user, err := a.Auth.ChangePassword(c.UserContext(), ports.PasswordChange{
		User: changer.ID, Made: changer.Password.Made, Old: entered.Get("old"), New: entered.Get("psw"),
	})
	switch {
	case errors.Is(err, domain.ErrSignedOut):
		return a.enterAgain(c, noticePasswordChanged, func() error { return err })
	case slices.Contains(problem.ViolationsOf(err), domain.Violation{Field: domain.FieldOldPassword, Code: domain.CodeWrong}):
		a.Guard.Events.Note(c, "password_change", "failed", guard.UserID(changer))
	}
	if err != nil {
		return err
	}
	a.Guard.Events.Note(c, "password_change", "succeeded", guard.UserID(user))
	return a.enter(c, user, noticePasswordChanged, urls.Local(entered.Get("next")))
}

// isOtherUser reports whether another user has opened a form, before the browser's user changed.
func isOtherUser(entered url.Values, user *domain.User) bool {
	login := entered.Get("login")
	return login != "" && login != user.Login
}

// enterAgain signs in the user of a form that was sent twice, if the account has the password of the form by now. The attempt counts as a
// sign-in. All else is left to otherwise.
func (a *Account) enterAgain(c *fiber.Ctx, notice string, otherwise func() error) error {
	entered, err := intake.ReadForm(c)
	if err != nil || entered.Get("login") == "" || entered.Get("psw") == "" {
		return otherwise()
	}
	user, err := a.signIn(c, entered)
	switch {
	case err == nil:
		return a.enter(c, user, notice, urls.Local(entered.Get("next")))
	case errors.Is(err, ports.ErrBusy), errors.Is(err, ports.ErrUnavailable):
		return err
	}
	return otherwise()
}
