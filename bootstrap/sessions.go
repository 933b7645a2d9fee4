package bootstrap

import (
	"fmt"

	sessions "github.com/gofiber/storage/postgres/v3"

	"rollcall/adapters/postgres"
)

// newSessions opens the table of sessions. The storage removes those that have expired. Its constructor panics where
// others return an error.
func newSessions(db *postgres.DB) (storage *sessions.Storage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open sessions: %v", p)
		}
	}()
	return sessions.New(sessions.Config{DB: db.Pool(), Table: "sessions", GCInterval: sweepInterval}), nil
}
