package pages

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
)

// setupTime is the time for which a browser keeps the code of a setup link.
const setupTime = time.Hour

// SetupForm answers GET /setup. It does not use the code, because browsers and scanners open links before users do. It moves the code from
// the address to a cookie, to keep it out of the browser's history.
func (a *Account) SetupForm(c *fiber.Ctx) error {
	if code := c.Query("code"); code != "" {
		err := a.Setup.CheckCode(c.UserContext(), code)
		if err != nil {
			return err
		}
		setSetupCookie(c, code, time.Now().Add(setupTime))
		return c.Redirect(urls.Setup, http.StatusSeeOther)
	}
	err := a.checkSetup(c)
	if err != nil {
		return err
	}
	return a.show(c, "setup", a.buttonView(c, nil))
}

// TakeSetup is the first handler of POST /setup.
func (a *Account) TakeSetup() fiber.Handler { return a.takeForm("setup", a.buttonView) }

// SetUp answers POST /setup of a user who is already signed in. A form that was sent twice finds that the user is an operator.
func (a *Account) SetUp(c *fiber.Ctx, user *domain.User) error {
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	if isOtherUser(entered, user) {
		return problem.ErrOtherUser
	}
	err = a.becomeOperator(c, user)
	if !errors.Is(err, domain.ErrSetupCode) {
		return err
	}
	now, failed := a.Auth.User(c.UserContext(), user.ID, user.Password.Made)
	if failed != nil || !now.Has(domain.RoleOperator) {
		return errors.Join(err, failed)
	}
	return a.redirect(c, urls.Profile, noticeOperator)
}

// proceed redirects a user who has just signed in to next, with a notice. A temporary password must be changed first. Then a user who came
// by a setup link becomes the first operator.
func (a *Account) proceed(c *fiber.Ctx, user *domain.User, next, notice string) error {
	if user.MustChangePassword {
		return c.Redirect(urls.ChangePassword(next), http.StatusSeeOther)
	}
	err := a.becomeOperator(c, user)
	if errors.Is(err, domain.ErrSetupCode) {
		return a.redirect(c, next, notice)
	}
	return err
}

// becomeOperator makes a user the first operator, by the code of the setup link that the browser came by.
func (a *Account) becomeOperator(c *fiber.Ctx, user *domain.User) error {
	code := setupCode(c)
	if code == "" {
		return domain.ErrSetupCode
	}
	err := a.Setup.UseCode(c.UserContext(), code, user.ID)
	if err == nil || errors.Is(err, domain.ErrSetupCode) {
		setSetupCookie(c, "", time.Unix(0, 0))
	}
	if err != nil {
		return err
	}
	a.Guard.Events.Note(c, "role", "granted", guard.UserID(user), slog.String("role", string(domain.RoleOperator)))
	return a.redirect(c, urls.Profile, noticeOperator)
}

// checkSetup returns domain.ErrSetupCode unless the browser came by a valid setup link.
func (a *Account) checkSetup(c *fiber.Ctx) error {
	code := setupCode(c)
	if code == "" {
		return domain.ErrSetupCode
	}
	return a.Setup.CheckCode(c.UserContext(), code)
}

func setupCode(c *fiber.Ctx) string {
	return c.Cookies(transport.CookieName("setup", transport.IsSecure(c)))
}

func setSetupCookie(c *fiber.Ctx, code string, expires time.Time) {
	secure := transport.IsSecure(c)
	c.Cookie(&fiber.Cookie{
		Name: transport.CookieName("setup", secure), Value: code, Path: "/", Expires: expires,
		HTTPOnly: true, Secure: secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
}
