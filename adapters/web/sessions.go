package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/session"

	"rollcall/domain"
	"rollcall/ports"
)

// storageTimeout bounds how long a request waits for the storage of sessions.
const storageTimeout = 5 * time.Second

// SessionStorage is one of gofiber/storage, in the forms that take a context.
type SessionStorage interface {
	GetWithContext(ctx context.Context, key string) ([]byte, error)
	SetWithContext(ctx context.Context, key string, val []byte, exp time.Duration) error
	DeleteWithContext(ctx context.Context, key string) error
}

// SessionConfig says how long somebody stays signed in.
type SessionConfig struct {
	Storage  SessionStorage
	Idle     time.Duration // without a request
	Lifetime time.Duration // at most
}

// The values of a session, all of them numbers.
const (
	sessionUser  = "user"  // id
	sessionMade  = "made"  // when the user's password was made, in microseconds
	sessionBegan = "began" // in seconds
	sessionSeen  = "seen"  // when it was last prolonged, in seconds
	sessionUntil = "until" // when a temporary password ends it, in seconds; 0 for never
)

// touchesPerIdle is how often in the time of an idle session a busy one is prolonged: not with each request, since that
// is a write.
const touchesPerIdle = 20

// sessions keeps who is signed in, and lets them be known by a cookie.
type sessions struct {
	plain, secure  *session.Store // for requests without TLS and with it
	idle, lifetime time.Duration
}

func newSessions(cfg SessionConfig) *sessions {
	store := func(secure bool) *session.Store {
		return session.New(session.Config{
			Expiration:     cfg.Idle,
			Storage:        hashedKeys{cfg.Storage},
			KeyLookup:      "cookie:" + cookieName("session", secure),
			CookiePath:     "/",
			CookieHTTPOnly: true,
			CookieSecure:   secure,
			CookieSameSite: fiber.CookieSameSiteLaxMode,
			KeyGenerator:   rand.Text,
		})
	}
	return &sessions{store(false), store(true), cfg.Idle, cfg.Lifetime}
}

// cookieName makes browsers refuse the cookie from anybody but this host over TLS, where there is TLS.
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

func isSecure(c *fiber.Ctx) bool { return c.Protocol() == "https" }

func (s *sessions) get(c *fiber.Ctx) (*session.Session, error) {
	store := s.plain
	if isSecure(c) {
		store = s.secure
	}
	return store.Get(c)
}

// begin signs a user in. The session has a new id: one that somebody else may have put there is worth nothing.
func (s *sessions) begin(c *fiber.Ctx, user *domain.User) error {
	current, err := s.get(c)
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	err = current.Regenerate()
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	now := time.Now().Unix()
	current.Set(sessionUser, user.ID)
	current.Set(sessionMade, user.Password.Made.UnixMicro())
	current.Set(sessionBegan, now)
	current.Set(sessionSeen, now)
	left, until := s.lifetime, int64(0)
	if user.MustChangePassword {
		left, until = min(left, time.Until(user.PasswordExpires)), user.PasswordExpires.Unix()
	}
	current.Set(sessionUntil, until)
	current.SetExpiry(min(s.idle, left))
	err = current.Save()
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	return nil
}

// signedIn is what a session says.
type signedIn struct {
	id   string // of the session
	user int64
	made time.Time // when the user's password was made
}

// read returns the session of a request, nil for none, and prolongs it.
func (s *sessions) read(c *fiber.Ctx) (*signedIn, error) {
	if c.Cookies(cookieName("session", isSecure(c))) == "" {
		return nil, nil //nolint:nilnil // most requests have none, which is no error
	}
	current, err := s.get(c)
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	user, _ := current.Get(sessionUser).(int64)
	made, _ := current.Get(sessionMade).(int64)
	began, _ := current.Get(sessionBegan).(int64)
	seen, _ := current.Get(sessionSeen).(int64)
	now := time.Now()
	left := s.lifetime - now.Sub(time.Unix(began, 0))
	if until, _ := current.Get(sessionUntil).(int64); until != 0 {
		left = min(left, time.Unix(until, 0).Sub(now))
	}
	if user == 0 || left <= 0 {
		return nil, s.end(c)
	}
	found := &signedIn{current.ID(), user, time.UnixMicro(made)}
	if now.Sub(time.Unix(seen, 0)) > s.idle/touchesPerIdle {
		current.Set(sessionSeen, now.Unix())
		current.SetExpiry(min(s.idle, left))
		err = current.Save()
		if err != nil {
			return nil, fmt.Errorf("prolong session: %w", err)
		}
	}
	return found, nil
}

// end signs out, here and in the storage.
func (s *sessions) end(c *fiber.Ctx) error {
	current, err := s.get(c)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	err = current.Destroy()
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// hashedKeys implements fiber.Storage. Keys are stored as their hashes: who reads the table gets into nobody's session.
type hashedKeys struct{ storage SessionStorage }

func hashedKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func (h hashedKeys) with(operation func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
	defer cancel()
	err := operation(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ports.ErrUnavailable, err)
	}
	return nil
}

// Get implements fiber.Storage.
func (h hashedKeys) Get(key string) (value []byte, err error) {
	err = h.with(func(ctx context.Context) error {
		value, err = h.storage.GetWithContext(ctx, hashedKey(key))
		return err
	})
	return value, err
}

// Set implements fiber.Storage.
func (h hashedKeys) Set(key string, value []byte, expiry time.Duration) error {
	return h.with(func(ctx context.Context) error { return h.storage.SetWithContext(ctx, hashedKey(key), value, expiry) })
}

// Delete implements fiber.Storage.
func (h hashedKeys) Delete(key string) error {
	return h.with(func(ctx context.Context) error { return h.storage.DeleteWithContext(ctx, hashedKey(key)) })
}

// Reset implements fiber.Storage.
func (hashedKeys) Reset() error { return errors.ErrUnsupported }

// Close implements fiber.Storage. The storage belongs to whoever made it.
func (hashedKeys) Close() error { return nil }
