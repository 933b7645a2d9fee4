package pages

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
)

// The notices with which a page reports on the request before it.
const (
	noticeSignedOut       = "signed_out"
	noticeRegistered      = "registered"
	noticePasswordChanged = "password_changed"
	noticeOperator        = "operator"
	noticeUserEdited      = "user_edited"
	noticeUserSuspended   = "user_suspended"
	noticeUserRestored    = "user_restored"
	noticeUserMustChange  = "user_must_change"
	noticeUserDeleted     = "user_deleted"
	noticeUserChanged     = "user_changed"
	noticeUploadGone      = "upload_gone"
	noticePeopleChanged   = "people_changed"
	noticeSessionOver     = "session_over"

	noticeUserSessionsEnded = "user_sessions_ended"

	// noticeSignIn is the end of the notice of a request that succeeded but could not sign the user in.
	noticeSignIn = "_sign_in"
)

// flashTime is the time in which a browser must open the next page to see its flash.
const flashTime = time.Minute

// redirect redirects to a page that shows a notice, empty for none. If next is a file, it redirects to the page that offers the file and
// starts the download there. Both are in a cookie, which that page deletes. An address would be stored and shown again, and there may be
// no session: after signing out, and while the storage of sessions is down.
func (s *Site) redirect(c *fiber.Ctx, next, notice string) error {
	flash := url.Values{}
	if notice != "" {
		flash.Set("notice", notice)
	}
	if page, isFile := urls.Offering(next); isFile {
		flash.Set("file", next)
		next = page
	}
	if len(flash) > 0 {
		setFlash(c, flash.Encode(), time.Now().Add(flashTime))
	}
	return c.Redirect(next, http.StatusSeeOther)
}

// takeFlash adds the notice and the download of a browser's flash to a page, and deletes the flash. The scripts of other pages may ask for
// pages before the one that the flash is for.
func (s *Site) takeFlash(c *fiber.Ctx, b *Base) {
	text := c.Cookies(flashName(c))
	if text == "" || problem.WantsLocation(c) {
		return
	}
	setFlash(c, "", time.Unix(0, 0))
	flash, err := url.ParseQuery(text)
	if err != nil {
		return
	}
	switch name := flash.Get("notice"); name {
	case noticeSignedOut, noticeOperator, noticeRegistered, noticeRegistered + noticeSignIn, noticePasswordChanged, noticePasswordChanged + noticeSignIn,
		noticeUserEdited, noticeUserSuspended, noticeUserRestored, noticeUserMustChange, noticeUserDeleted, noticeUserSessionsEnded:
		b.Notice = b.T.Text("notice." + name)
	case noticeSessionOver, noticeUserChanged, noticeUploadGone, noticePeopleChanged: // nothing was done
		b.Notice, b.Alert = "", b.T.Text("notice."+name)
	}
	file := flash.Get("file")
	page, isFile := urls.Offering(urls.Local(file))
	if path, _, _ := strings.Cut(page, "?"); isFile && path == c.Path() {
		b.Download = file
	}
}

func flashName(c *fiber.Ctx) string { return transport.CookieName("flash", transport.IsSecure(c)) }

func setFlash(c *fiber.Ctx, value string, expires time.Time) {
	c.Cookie(&fiber.Cookie{
		Name: flashName(c), Value: value, Path: "/", Expires: expires,
		HTTPOnly: true, Secure: transport.IsSecure(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
}
