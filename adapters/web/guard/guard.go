// Package guard decides which requests are served: for which host, from which site, of which user, and how many concurrently. It logs
// security events.
package guard

import (
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// Config describes who may do what.
type Config struct {
	Hosts         Hosts // names that the server answers to
	ReportsAccess domain.ReportsAccess
	Tokens        ports.CheckingTokens

	// Pseudonym returns the text that replaces a name in the log. It is the same for the same name, and does not reveal the name.
	Pseudonym func(name string) string
}

// A Guard applies the rules of routes to the sender of a request.
type Guard struct {
	Visitors *session.Visitors
	Events   *Events
	Proxies  transport.Proxies

	reportsAccess domain.ReportsAccess
	tokens        ports.CheckingTokens
}

// New returns the guard of a server.
func New(cfg Config, visitors *session.Visitors, proxies transport.Proxies, log *slog.Logger) *Guard {
	return &Guard{visitors, newEvents(log, cfg.Pseudonym, proxies), proxies, cfg.ReportsAccess, cfg.Tokens}
}

// NoteOrigin puts the address and the id of a request into its context, for the audit. Until the sender is known, it is a visitor.
func (g *Guard) NoteOrigin(c *fiber.Ctx) error {
	c.SetUserContext(ports.WithOrigin(c.UserContext(), ports.Origin{
		Actor: domain.Actor{Kind: domain.ActorVisitor}, Address: g.Proxies.ClientAddress(c), Request: transport.RequestID(c),
	}))
	return c.Next()
}

// SeesReports reports whether a user may see the reports of imports.
func (g *Guard) SeesReports(user *domain.User) bool { return g.reportsAccess.Allows(user) }
