package ports

import "context"

// Health reports whether the program can serve requests.
type Health interface {
	// Ready returns nil if the database answers and has every migration, else what is missing.
	Ready(ctx context.Context) error
}
