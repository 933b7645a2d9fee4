package pages

import (
	"errors"
	"net/http"
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
	PatronymicOptional bool // a person may have no patronymic
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
		switch {
		case errors.Is(err, domain.ErrSetupCode):
			return problem.ErrRegistrationClosed
		case err != nil:
			return err
		}
		return handle(c)
	}
}

// registerView is the view of the page on which a visitor registers.
type registerView struct {
	Base
	Form

	Lead string // message
}

// registerView returns the view of a form with the values that a visitor entered.
func (a *Account) registerView(c *fiber.Ctx, entered url.Values) *registerView {
	v := &registerView{Form: a.form(c, registrationInputs, entered), Lead: "register.lead"}
	if a.PatronymicOptional {
		v.Lead = "register.lead.patronymic_optional"
		v.inputs = slices.Clone(v.inputs)
		for i := range v.inputs {
			v.inputs[i].required = v.inputs[i].required && v.inputs[i].field != domain.FieldPatronymic
		}
	}
	return v
}

// RegisterForm answers GET /register.
func (a *Account) RegisterForm(c *fiber.Ctx) error {
	return a.showUnlessSignedIn(c, "register", a.registerView(c, nil))
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
	user, err := a.Registering.Register(c.UserContext(), ports.RegistrationRequest{
		Person: person, Password: entered.Get("psw"), Address: a.Guard.Proxies.ClientAddress(c),
	})
	if err != nil {
		return a.showForm(c, "register", a.registerView(c, entered), err)
	}
	a.Guard.Events.Note(c, "registration", "succeeded", guard.UserID(user))
	return a.enter(c, user, noticeRegistered, urls.Profile)
}

// enter signs in a user who has a new password, and redirects to a page. The profile shows the notice. If sessions are unavailable, the
// sign-in page shows it, because the registration or the change of the password has succeeded.
func (a *Account) enter(c *fiber.Ctx, user *domain.User, notice, next string) error {
	err := a.Guard.Visitors.SignIn(c, user)
	if errors.Is(err, ports.ErrUnavailable) {
		return c.Redirect(urls.Login+"?notice="+notice+noticeSignIn, http.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	if next == urls.Profile {
		next += "?notice=" + notice
	}
	return a.proceed(c, user, next)
}

// loginView is the view of the page on which a user signs in.
type loginView struct {
	Base
	Form

	Next string // address to go to; empty for the profile
}

// LoginForm answers GET /login. It gives the browser its id. A temporary password works in one browser, so without the id a sign-in whose
// answer is lost could not be repeated.
func (a *Account) LoginForm(c *fiber.Ctx) error {
	session.Browser(c)
	v := &loginView{Base: Base{Notice: a.notice(c)}, Form: a.form(c, signInInputs, nil)}
	if next := c.Query("next"); next != "" {
		v.Next = urls.Local(next)
		v.Notice = a.Locale.Words(c).Text("notice.sign_in_first")
	}
	return a.showUnlessSignedIn(c, "login", v)
}

// Login answers POST /login.
func (a *Account) Login(c *fiber.Ctx) error {
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	next := urls.Local(entered.Get("next"))
	user, err := a.Auth.SignIn(c.UserContext(), ports.Attempt{
		Name: entered.Get("login"), Password: entered.Get("psw"), Address: a.Guard.Proxies.ClientAddress(c), Device: session.Device(c),
		Browser: session.Browser(c),
	})
	a.Guard.Events.NoteSignIn(c, entered.Get("login"), user, err)
	if err != nil {
		return a.showForm(c, "login", &loginView{Form: a.form(c, signInInputs, entered), Next: next}, err)
	}
	err = a.Guard.Visitors.SignIn(c, user)
	if err != nil {
		return err
	}
	return a.proceed(c, user, next)
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
		return c.Redirect(next, http.StatusSeeOther)
	}
	return a.show(c, page, v)
}

// LogoutForm answers GET /logout. The link alone signs no one out, because a page of any site can contain it.
func (a *Account) LogoutForm(c *fiber.Ctx) error { return a.show(c, "logout", &Base{}) }

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
	return c.Redirect(urls.Login+"?notice="+noticeSignedOut, http.StatusSeeOther)
}

// passwordView is the view of the page on which a user changes a password.
type passwordView struct {
	Base
	Form

	TemporaryUntil time.Time // zero for a password that the user has chosen
	Next           string    // address to go to
}

// PasswordForm answers GET /account/password.
func (a *Account) PasswordForm(c *fiber.Ctx, user *domain.User) error {
	return a.show(c, "password", &passwordView{
		Form: a.form(c, passwordInputs, nil), TemporaryUntil: user.PasswordExpires, Next: urls.Local(c.Query("next")),
	})
}

// ChangePassword answers POST /account/password.
func (a *Account) ChangePassword(c *fiber.Ctx, changer *domain.User) error {
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	next := urls.Local(entered.Get("next"))
	user, err := a.Auth.ChangePassword(c.UserContext(), ports.PasswordChange{
		User: changer.ID, Made: changer.Password.Made, Old: entered.Get("old"), New: entered.Get("psw"),
	})
	if err != nil {
		if slices.Contains(problem.ViolationsOf(err), domain.Violation{Field: domain.FieldOldPassword, Code: domain.CodeWrong}) {
			a.Guard.Events.Note(c, "password_change", "failed", guard.UserID(changer))
		}
		v := &passwordView{Form: a.form(c, passwordInputs, url.Values{}), TemporaryUntil: changer.PasswordExpires, Next: next}
		return a.showForm(c, "password", v, err)
	}
	a.Guard.Events.Note(c, "password_change", "succeeded", guard.UserID(user))
	return a.enter(c, user, noticePasswordChanged, next)
}
