// Package guard decides which requests get in: for which host, from which site, of which user, and how many at a time. It logs what
// matters to the security of accounts.
package guard

import (
	"log/slog"

	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
)

// Config describes who may do what.
type Config struct {
	Hosts         Hosts // names that the server answers to
	ReportsAccess domain.ReportsAccess

	// Pseudonym returns a text that stands for a name in the log: the same for the same name, and useless to guess the name from.
	Pseudonym func(name string) string
}

// A Guard knows who sent a request, and which handlers serve the sender.
type Guard struct {
	Visitors *session.Visitors
	Events   *Events
	Proxies  transport.Proxies

	reportsAccess domain.ReportsAccess
}

// New returns the guard of a server.
func New(cfg Config, visitors *session.Visitors, proxies transport.Proxies, log *slog.Logger) *Guard {
	return &Guard{visitors, newEvents(log, cfg.Pseudonym, proxies), proxies, cfg.ReportsAccess}
}

// SeesReports reports whether a user may see the reports of imports.
func (g *Guard) SeesReports(user *domain.User) bool { return g.reportsAccess.Allows(user) }
