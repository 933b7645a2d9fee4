package web

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
)

const pathSetup = "/setup"

// setupTime is how long a browser keeps the code of a setup link.
const setupTime = time.Hour

// setupForm answers GET /setup. It uses no code: browsers and scanners open links before users do. The code moves from the address
// to a cookie, so that the history of the browser does not have it.
func (p *pages) setupForm(c *fiber.Ctx) error {
	if code := c.Query("code"); code != "" {
		err := p.setup.CheckCode(c.UserContext(), code)
		if err != nil {
			return err
		}
		setSetupCookie(c, code, time.Now().Add(setupTime))
		return c.Redirect(pathSetup, http.StatusSeeOther)
	}
	err := p.checkSetup(c)
	if err != nil {
		return err
	}
	return p.show(c, "setup", &view{})
}

// setUp answers POST /setup, of a user who was signed in before.
func (p *pages) setUp(c *fiber.Ctx, user *domain.User) error {
	_, err := p.readForm(c)
	if err != nil {
		return err
	}
	return p.becomeOperator(c, user)
}

// goOn redirects a user who has just signed in. A user who came by a setup link becomes the first operator first, and before
// that replaces a temporary password.
func (p *pages) goOn(c *fiber.Ctx, user *domain.User, next string) error {
	if user.MustChangePassword {
		return c.Redirect(passwordPage(next), http.StatusSeeOther)
	}
	err := p.becomeOperator(c, user)
	if errors.Is(err, domain.ErrSetupCode) {
		return c.Redirect(next, http.StatusSeeOther)
	}
	return err
}

// becomeOperator makes a user the first operator by the code of the setup link that the browser came by.
func (p *pages) becomeOperator(c *fiber.Ctx, user *domain.User) error {
	code := setupCode(c)
	if code == "" {
		return domain.ErrSetupCode
	}
	err := p.setup.UseCode(c.UserContext(), code, user.ID)
	if err == nil || errors.Is(err, domain.ErrSetupCode) {
		setSetupCookie(c, "", time.Unix(0, 0))
	}
	if err != nil {
		return err
	}
	p.events.note(c, "role", "granted", userID(user), slog.String("role", string(domain.RoleOperator)))
	return c.Redirect(pathProfile+"?notice="+noticeOperator, http.StatusSeeOther)
}

// checkSetup returns domain.ErrSetupCode when the browser did not come by a setup link that works.
func (p *pages) checkSetup(c *fiber.Ctx) error {
	code := setupCode(c)
	if code == "" {
		return domain.ErrSetupCode
	}
	return p.setup.CheckCode(c.UserContext(), code)
}

func setupCode(c *fiber.Ctx) string { return c.Cookies(cookieName("setup", isSecure(c))) }

func setSetupCookie(c *fiber.Ctx, code string, expires time.Time) {
	c.Cookie(&fiber.Cookie{
		Name: cookieName("setup", isSecure(c)), Value: code, Path: "/", Expires: expires,
		HTTPOnly: true, Secure: isSecure(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
}
