package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
)

// eventsPerSecond is how many events of a kind are logged in a second. A flood must not fill the disk, nor hide other kinds.
const eventsPerSecond = 20

// events logs what matters to the security of accounts, a line for each event, with the address and the id of its request.
// There is no personal data in a line: a user stands there by id, and a name that was entered by a pseudonym.
type events struct {
	log       *slog.Logger
	pseudonym func(name string) string
	isProxy   func(netip.Addr) bool

	mu    sync.Mutex
	kinds map[kindOfEvent]*seconds
}

type kindOfEvent struct{ event, outcome string }

// seconds counts the events of a kind in the present second.
type seconds struct{ logged, leftOut int }

func newEvents(cfg Config) *events {
	return &events{log: cfg.Log, pseudonym: cfg.Pseudonym, isProxy: isAnyOf(cfg.TrustedProxies), kinds: map[kindOfEvent]*seconds{}}
}

// note logs an event. Of more than eventsPerSecond of a kind it tells the number in the end.
func (e *events) note(c *fiber.Ctx, event, outcome string, attrs ...slog.Attr) {
	if !e.pass(kindOfEvent{event, outcome}) {
		return
	}
	level := slog.LevelWarn
	switch outcome {
	case "succeeded", "used", "made", "granted":
		level = slog.LevelInfo
	}
	line := append([]slog.Attr{slog.String("event", event), slog.String("outcome", outcome)}, attrs...)
	line = append(line, slog.String("address", clientAddress(c, e.isProxy)), slog.String("id", requestID(c)))
	e.log.LogAttrs(c.UserContext(), level, "security event", line...)
}

// pass reports whether to log an event. The first of a second begins a count, which ends with it.
func (e *events) pass(kind kindOfEvent) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	second := e.kinds[kind]
	if second == nil {
		second = &seconds{}
		e.kinds[kind] = second
		time.AfterFunc(time.Second, func() { e.endSecond(kind) })
	}
	if second.logged == eventsPerSecond {
		second.leftOut++
		return false
	}
	second.logged++
	return true
}

func (e *events) endSecond(kind kindOfEvent) {
	e.mu.Lock()
	leftOut := e.kinds[kind].leftOut
	delete(e.kinds, kind)
	e.mu.Unlock()
	if leftOut > 0 {
		e.log.Warn("security events left out", "event", kind.event, "outcome", kind.outcome, "left_out", leftOut)
	}
}

func userID(user *domain.User) slog.Attr { return slog.Int64("user", user.ID) }

// signInFailures are the outcomes of attempts to sign in. An error that is not here is the server's.
var signInFailures = []struct {
	err     error
	outcome string
}{
	{domain.ErrWrongCredentials, "failed"},
	{domain.ErrTooManyAttempts, "limited"},
	{domain.ErrPasswordExpired, "password_expired"},
	{domain.ErrPasswordUsed, "password_used"},
}

// noteSignIn logs an attempt to sign in with a name, and what came of it.
func (e *events) noteSignIn(c *fiber.Ctx, name string, user *domain.User, err error) {
	if err == nil {
		e.note(c, "sign_in", "succeeded", userID(user))
		return
	}
	for _, failure := range signInFailures {
		if errors.Is(err, failure.err) {
			e.note(c, "sign_in", failure.outcome, slog.String("name", e.pseudonym(name)))
			return
		}
	}
}

// noteError logs an error that a client is answered with, where it is a security event.
func (e *events) noteError(c *fiber.Ctx, err error) {
	problem := newProblem("", err)
	code := slog.String("code", problem.Code)
	attrs := []slog.Attr{code}
	if who, known := c.Locals(visitorKey).(*visitor); known && who.user != nil {
		attrs = append(attrs, userID(who.user))
	}
	switch {
	case errors.Is(err, domain.ErrTooManyAttempts):
		e.note(c, "limit", "reached", attrs...)
	case errors.Is(err, errFormExpired), errors.Is(err, errCrossSite):
		e.note(c, "form", "forged", attrs...)
	case errors.Is(err, domain.ErrTokenInvalid), errors.Is(err, errTokenMissing):
		e.note(c, "token", "refused", attrs...)
	case problem.Status == http.StatusForbidden:
		e.note(c, "access", "denied", attrs...)
	}
}
