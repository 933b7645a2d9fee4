package bootstrap

import (
	"fmt"

	sessions "github.com/gofiber/storage/postgres/v3"

	"rollcall/adapters/postgres"
)

// newSessions returns the storage of sessions, which removes expired ones itself. Its constructor panics instead of returning an
// error.
func newSessions(db *postgres.DB) (storage *sessions.Storage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open sessions: %v", p)
		}
	}()
	return sessions.New(sessions.Config{DB: db.Pool(), Table: "sessions", GCInterval: sweepInterval}), nil
}
