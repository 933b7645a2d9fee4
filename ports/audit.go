package ports

import (
	"context"
	"iter"

	"rollcall/domain"
)

// An Origin is who asks for a change, and from where. It is in the context of the request or command. Stores record it in the audit, in
// the transaction of the change. The zero value is the program itself.
type Origin struct {
	Actor   domain.Actor
	Address string // of the client's network; empty for none
	Request string // id of the request; empty for none
}

type originKey struct{}

// WithOrigin returns a context with an origin.
func WithOrigin(ctx context.Context, origin Origin) context.Context {
	return context.WithValue(ctx, originKey{}, origin)
}

// WithActor returns a context in which another actor has the same address and request.
func WithActor(ctx context.Context, actor domain.Actor) context.Context {
	origin := OriginOf(ctx)
	origin.Actor = actor
	return WithOrigin(ctx, origin)
}

// OriginOf returns the origin of a context.
func OriginOf(ctx context.Context) Origin {
	origin, _ := ctx.Value(originKey{}).(Origin)
	return origin
}

// Auditing records what changes no other data: sign-ins, exports, starts of the server. Every other store records its own changes.
type Auditing interface {
	// Record adds an entry with the actor, address and request of the context's origin, and the current time. It returns
	// ErrUnavailable if the database is unreachable.
	Record(ctx context.Context, entry domain.AuditEntry) error
}

// AuditReading reads the audit. Pages read the store directly, because no rule of a use case stands between them. Every method returns
// ErrUnavailable if the database is unreachable.
type AuditReading interface {
	// Entries returns a page of entries.
	Entries(ctx context.Context, query AuditQuery) (*AuditPage, error)
}

// ReadingAudit reads the audit for operators.
type ReadingAudit interface {
	AuditReading

	// FindPerson returns the id of the user with an id or a login. It returns ErrNotFound if no user has the login.
	FindPerson(ctx context.Context, name string) (int64, error)
}

// An AuditQuery asks for a page of entries. They are ordered by their ids, the newest first, which is the order of their times.
type AuditQuery struct {
	Filter domain.AuditFilter
	After  int64 // starts the page after the entry with this id; 0 for the first page
	Limit  int
}

// An AuditPage is a page of entries.
type AuditPage struct {
	Entries []domain.AuditEntry
	IsLast  bool // no entry follows the page
}

// AuditStore stores the audit. No method changes or deletes an entry.
type AuditStore interface {
	Auditing
	AuditReading

	// Follow yields entries that a filter selects, in the order in which it finds them: first those that exist, the oldest first, then
	// each new one once, also one that commits later than newer ones. Between two entries it may yield nil, when there is no other for
	// now. The caller decides how long to wait then. It ends with the first error.
	Follow(ctx context.Context, filter domain.AuditFilter) iter.Seq2[*domain.AuditEntry, error]
}
