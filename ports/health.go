package ports

import "context"

// Health tells whether the service can do its work.
type Health interface {
	// Ready returns nil when the database answers and has every migration, else what is missing.
	Ready(ctx context.Context) error
}
