package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	sessions "github.com/gofiber/storage/postgres/v3"

	"rollcall/adapters/postgres"
)

const (
	sessionAttempts = 5
	sessionPause    = time.Second // between two attempts
)

// newSessions returns the storage of sessions, which removes expired ones itself. The constructor checks the table that the migrations
// have made, and reports a missing table if its query fails, as on a connection that breaks while PostgreSQL recovers. So newSessions
// attempts it several times.
func newSessions(ctx context.Context, db *postgres.DB) (*sessions.Storage, error) {
	for attempt := 1; ; attempt++ {
		storage, err := openSessions(db)
		if err == nil || attempt == sessionAttempts {
			return storage, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(sessionPause):
		}
	}
}

// openSessions makes one attempt. The constructor panics instead of returning an error.
func openSessions(db *postgres.DB) (storage *sessions.Storage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open sessions: %v", p)
		}
	}()
	return sessions.New(sessions.Config{DB: db.Pool(), Table: "sessions", GCInterval: sweepInterval}), nil
}
