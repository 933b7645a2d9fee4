package guard

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// eventsPerSecond is the number of events of a kind that are logged in a second. A flood then neither fills the disk nor hides other
// kinds.
const eventsPerSecond = 20

// Events logs security events, one line for each, with the address and the id of the request. A line contains no personal data: it has
// the id of a user, and a pseudonym instead of a name that was entered.
type Events struct {
	log       *slog.Logger
	pseudonym func(name string) string
	proxies   transport.Proxies

	mu    sync.Mutex
	kinds map[kindOfEvent]*second
}

type kindOfEvent struct{ event, outcome string }

// second counts the events of a kind in the current second.
type second struct{ logged, leftOut int }

func newEvents(log *slog.Logger, pseudonym func(name string) string, proxies transport.Proxies) *Events {
	return &Events{log: log, pseudonym: pseudonym, proxies: proxies, kinds: map[kindOfEvent]*second{}}
}

// Note logs an event. It leaves out the events of a kind beyond eventsPerSecond, and logs their number.
func (e *Events) Note(c *fiber.Ctx, event, outcome string, attrs ...slog.Attr) {
	if !e.pass(kindOfEvent{event, outcome}) {
		return
	}
	level := slog.LevelWarn
	switch {
	case event == "account", slices.Contains([]string{"succeeded", "used", "made", "granted"}, outcome):
		level = slog.LevelInfo
	}
	line := append([]slog.Attr{slog.String("event", event), slog.String("outcome", outcome)}, attrs...)
	line = append(line, slog.String("address", e.proxies.ClientAddress(c)), slog.String("id", transport.RequestID(c)))
	e.log.LogAttrs(c.UserContext(), level, "security event", line...)
}

// pass reports whether to log an event. The first event of a second starts a count, which ends with that second.
func (e *Events) pass(kind kindOfEvent) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	current := e.kinds[kind]
	if current == nil {
		current = &second{}
		e.kinds[kind] = current
		time.AfterFunc(time.Second, func() { e.endSecond(kind) })
	}
	if current.logged == eventsPerSecond {
		current.leftOut++
		return false
	}
	current.logged++
	return true
}

func (e *Events) endSecond(kind kindOfEvent) {
	e.mu.Lock()
	leftOut := e.kinds[kind].leftOut
	delete(e.kinds, kind)
	e.mu.Unlock()
	if leftOut > 0 {
		e.log.Warn("security events left out", "event", kind.event, "outcome", kind.outcome, "left_out", leftOut)
	}
}

// UserID returns the attribute that names a user in the log.
func UserID(user *domain.User) slog.Attr { return slog.Int64("user", user.ID) }

// signInFailures are the outcomes of failed attempts to sign in. Other errors are the server's.
var signInFailures = []struct {
	err     error
	outcome string
}{
	{domain.ErrWrongCredentials, "failed"},
	{domain.ErrTooManyAttempts, "limited"},
	{domain.ErrPasswordExpired, "password_expired"},
	{domain.ErrPasswordUsed, "password_used"},
	{domain.ErrSuspended, "suspended"},
}

// NoteSignIn logs an attempt to sign in with a name, and its result.
func (e *Events) NoteSignIn(c *fiber.Ctx, name string, user *domain.User, err error) {
	if err == nil {
		e.Note(c, "sign_in", "succeeded", UserID(user))
		return
	}
	for _, failure := range signInFailures {
		if errors.Is(err, failure.err) {
			e.Note(c, "sign_in", failure.outcome, slog.String("name", e.pseudonym(name)))
			return
		}
	}
}

// NoteAccount logs what an operator or a client with a token did with the account of a user.
func (e *Events) NoteAccount(c *fiber.Ctx, outcome string, id int64) {
	e.Note(c, "account", outcome, slog.Int64("account", id), slog.String("by", ports.OriginOf(c.UserContext()).Actor.Key()))
}

// NoteError logs the error that a request is answered with, if it is a security event.
func (e *Events) NoteError(c *fiber.Ctx, err error) {
	answered := problem.New("", err)
	attrs := []slog.Attr{slog.String("code", answered.Code)}
	if visitor := session.Known(c); visitor != nil && visitor.User != nil {
		attrs = append(attrs, UserID(visitor.User))
	}
	switch {
	case errors.Is(err, domain.ErrTooManyAttempts):
		e.Note(c, "limit", "reached", attrs...)
	case errors.Is(err, problem.ErrCrossSite):
		e.Note(c, "form", "forged", attrs...)
	case errors.Is(err, domain.ErrTokenInvalid), errors.Is(err, problem.ErrTokenMissing):
		e.Note(c, "token", "refused", attrs...)
	case answered.Status == http.StatusForbidden:
		e.Note(c, "access", "denied", attrs...)
	}
}
