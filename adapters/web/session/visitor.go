// Package session keeps users signed in, and identifies the senders of requests.
package session

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// storageTimeout bounds the time that a request waits for the storage of sessions.
const storageTimeout = 5 * time.Second

// Config describes sessions.
type Config struct {
	Storage      Storage
	Descriptions ports.SessionStore
	Idle         time.Duration // without a request, after which a session ends
	Lifetime     time.Duration // after which a session ends in any case
}

// A Visitor is the sender of a request, with or without an account.
type Visitor struct {
	User *domain.User // nil for a visitor who is not signed in
}

// IsOperator reports whether the visitor may use the pages for operators.
func (v *Visitor) IsOperator() bool {
	return v.User != nil && !v.User.MustChangePassword && v.User.Has(domain.RoleOperator)
}

// Visitors identifies the senders of requests, and signs users in and out.
type Visitors struct {
	auth  ports.Authenticating
	store *store
}

// New returns the visitors of a server.
func New(auth ports.Authenticating, cfg Config) *Visitors { return &Visitors{auth, newStore(cfg)} }

const visitorKey = "visitor"

// Visitor returns the sender of a request. It reads the database once for each request.
func (v *Visitors) Visitor(c *fiber.Ctx) (*Visitor, error) {
	if known := Known(c); known != nil {
		return known, nil
	}
	visitor := &Visitor{}
	session, err := v.store.read(c)
	if err != nil {
		return nil, err
	}
	if session != nil {
		visitor.User, err = v.auth.User(c.UserContext(), session.user, session.made)
		if errors.Is(err, domain.ErrSignedOut) {
			err = v.store.end(c)
		}
		if err != nil {
			return nil, err
		}
	}
	c.Locals(visitorKey, visitor)
	return visitor, nil
}

// Known returns the sender of a request after a call of Visitor, and nil before.
func Known(c *fiber.Ctx) *Visitor {
	known, _ := c.Locals(visitorKey).(*Visitor)
	return known
}

// LookUp identifies the sender of a request. If the database does not answer in time, the sender counts as not signed in, so that an
// error page can be shown.
func (v *Visitors) LookUp(c *fiber.Ctx) {
	err := transport.Within(c, storageTimeout, func() error {
		_, err := v.Visitor(c)
		return err
	})
	if err != nil {
		c.Locals(visitorKey, &Visitor{})
	}
}

// SignIn begins a session for a user, and marks the browser as one in which the user has signed in.
func (v *Visitors) SignIn(c *fiber.Ctx, user *domain.User) error {
	c.Locals(visitorKey, nil)
	err := v.store.begin(c, user)
	if err != nil {
		return err
	}
	secure := transport.IsSecure(c)
	c.Cookie(&fiber.Cookie{
		Name: transport.CookieName("device", secure), Value: v.auth.MarkDevice(user, Device(c)), Path: "/", MaxAge: int(deviceAge.Seconds()),
		HTTPOnly: true, Secure: secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
	return nil
}

// SignOut ends the session of a request, in the browser and in the storage.
func (v *Visitors) SignOut(c *fiber.Ctx) error { return v.store.end(c) }

// deviceAge is the time for which a browser keeps the marks of its users.
const deviceAge = 180 * 24 * time.Hour

// Device returns the marks of the users who have signed in with this browser.
func Device(c *fiber.Ctx) string {
	return c.Cookies(transport.CookieName("device", transport.IsSecure(c)))
}

const (
	browserKey    = "browser"
	browserCookie = "form" // its name since forms had a token in it
)

// Browser returns the id of a browser, and gives the browser an id if it has none. The id lasts until the browser is closed.
func Browser(c *fiber.Ctx) string {
	secure := transport.IsSecure(c)
	name := transport.CookieName(browserCookie, secure)
	if known := c.Cookies(name); known != "" {
		return known
	}
	if given, ok := c.Locals(browserKey).(string); ok {
		return given
	}
	id := rand.Text()
	c.Locals(browserKey, id)
	c.Cookie(&fiber.Cookie{
		Name: name, Value: id, Path: "/", HTTPOnly: true, Secure: secure, SameSite: fiber.CookieSameSiteLaxMode, SessionOnly: true,
	})
	return id
}
