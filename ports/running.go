package ports

import (
	"context"
	"time"

	"rollcall/domain"
)

// A RunningImport is an import that is not on record yet, with its progress.
type RunningImport struct {
	ID      string
	Started time.Time
	Done    domain.Progress
}

// RunningImportStore stores the progress of imports. Every method returns ErrUnavailable if the database is unreachable.
type RunningImportStore interface {
	// Beat records a heartbeat and the progress of an import.
	Beat(ctx context.Context, run RunningImport) error

	// End removes an import. It returns nil if there is none.
	End(ctx context.Context, id string) error
}

// HeartbeatPatience is the time without a heartbeat after which an import or a job counts as interrupted.
const HeartbeatPatience = 15 * time.Second
