package session

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

	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// Storage is the part of gofiber/storage that sessions need, in the forms that take a context.
type Storage interface {
	GetWithContext(ctx context.Context, key string) ([]byte, error)
	SetWithContext(ctx context.Context, key string, val []byte, exp time.Duration) error
	DeleteWithContext(ctx context.Context, key string) error
}

// The values of a session. Times are in seconds of Unix time.
const (
	valueUser  = "user"  // id
	valueMade  = "made"  // when the user's password was made, in microseconds
	valueBegan = "began" // when the session began
	valueSeen  = "seen"  // when the session was last extended
	valueUntil = "until" // when the user's temporary password expires; 0 for never
)

// extensionsPerIdle is the number of times that a busy session is extended in Config.Idle. Not every request extends it, because an
// extension is a write.
const extensionsPerIdle = 20

// A store keeps sessions. Browsers name them in a cookie.
type store struct {
	plain, secure  *session.Store // for requests without and with TLS
	idle, lifetime time.Duration
	descriptions   ports.SessionStore
}

func newStore(cfg Config) *store {
	open := func(secure bool) *session.Store {
		return session.New(session.Config{
			Expiration:     cfg.Idle,
			Storage:        hashedKeys{cfg.Storage},
			KeyLookup:      "cookie:" + transport.CookieName("session", secure),
			CookiePath:     "/",
			CookieHTTPOnly: true,
			CookieSecure:   secure,
			CookieSameSite: fiber.CookieSameSiteLaxMode,
			KeyGenerator:   rand.Text,
		})
	}
	return &store{open(false), open(true), cfg.Idle, cfg.Lifetime, cfg.Descriptions}
}

func (s *store) get(c *fiber.Ctx) (*session.Session, error) {
	if transport.IsSecure(c) {
		return s.secure.Get(c)
	}
	return s.plain.Get(c)
}

// begin begins a session for a user. The session has a new id, because an attacker may have planted the old one.
func (s *store) begin(c *fiber.Ctx, user *domain.User) error {
	current, err := s.get(c)
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	err = current.Regenerate()
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	now := time.Now()
	current.Set(valueUser, user.ID)
	current.Set(valueMade, user.Password.Made.UnixMicro())
	current.Set(valueBegan, now.Unix())
	current.Set(valueSeen, now.Unix())
	left, until := s.lifetime, int64(0)
	if user.MustChangePassword && !user.PasswordExpires.IsZero() {
		left, until = min(left, time.Until(user.PasswordExpires)), user.PasswordExpires.Unix()
	}
	current.Set(valueUntil, until)
	err = s.save(c, current, min(s.idle, left), domain.NewSession(
		user.ID, user.Password.Made, now, now, ports.OriginOf(c.UserContext()).Address, c.Get(fiber.HeaderUserAgent)))
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	return nil
}

// save stores a session, with its description.
func (s *store) save(c *fiber.Ctx, current *session.Session, expiry time.Duration, description *domain.Session) error {
	key := hashedKey(current.ID()) // which a saved session no longer has
	current.SetExpiry(expiry)
	err := current.Save()
	if err != nil {
		return err
	}
	return s.descriptions.Describe(c.UserContext(), key, description)
}

// signedIn is the content of a session.
type signedIn struct {
	user int64
	made time.Time // when the user's password was made
}

// read returns the session of a request, nil for none, and extends it.
func (s *store) read(c *fiber.Ctx) (*signedIn, error) {
	if c.Cookies(transport.CookieName("session", transport.IsSecure(c))) == "" {
		return nil, nil //nolint:nilnil // most requests have no session, which is no error
	}
	current, err := s.get(c)
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	user, _ := current.Get(valueUser).(int64)
	made, _ := current.Get(valueMade).(int64)
	began, _ := current.Get(valueBegan).(int64)
	seen, _ := current.Get(valueSeen).(int64)
	now := time.Now()
	left := s.lifetime - now.Sub(time.Unix(began, 0))
	if until, _ := current.Get(valueUntil).(int64); until != 0 {
		left = min(left, time.Unix(until, 0).Sub(now))
	}
	if user == 0 || left <= 0 {
		return nil, s.end(c)
	}
	found := &signedIn{user, time.UnixMicro(made)}
	if now.Sub(time.Unix(seen, 0)) > s.idle/extensionsPerIdle {
		current.Set(valueSeen, now.Unix())
		err = s.save(c, current, min(s.idle, left), domain.NewSession(
			user, found.made, time.Unix(began, 0), now, ports.OriginOf(c.UserContext()).Address, c.Get(fiber.HeaderUserAgent)))
		if err != nil {
			return nil, fmt.Errorf("extend session: %w", err)
		}
	}
	return found, nil
}

// end ends the session of a request, in the browser and in the storage.
func (s *store) end(c *fiber.Ctx) error {
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

// hashedKeys implements fiber.Storage. It stores keys as their hashes, so that a reader of the table cannot use the sessions in it.
type hashedKeys struct{ storage Storage }

func hashedKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func (h hashedKeys) within(operation func(context.Context) error) error {
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
	err = h.within(func(ctx context.Context) error {
		value, err = h.storage.GetWithContext(ctx, hashedKey(key))
		return err
	})
	return value, err
}

// Set implements fiber.Storage.
func (h hashedKeys) Set(key string, value []byte, expiry time.Duration) error {
	return h.within(func(ctx context.Context) error { return h.storage.SetWithContext(ctx, hashedKey(key), value, expiry) })
}

// Delete implements fiber.Storage.
func (h hashedKeys) Delete(key string) error {
	return h.within(func(ctx context.Context) error { return h.storage.DeleteWithContext(ctx, hashedKey(key)) })
}

// Reset implements fiber.Storage.
func (hashedKeys) Reset() error { return errors.ErrUnsupported }

// Close implements fiber.Storage. It leaves the storage open, which bootstrap closes.
func (hashedKeys) Close() error { return nil }
