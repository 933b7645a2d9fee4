package ports

import (
	"context"

	"rollcall/domain"
)

// SessionStore holds descriptions of sessions for operators. The sessions themselves are in a storage of the web adapter, under the same keys.
type SessionStore interface {
	// Describe replaces the description of the session with a key. It does nothing if the storage has no such session. It returns
	// ErrUnavailable.
	Describe(ctx context.Context, key string, session *domain.Session) error
}
