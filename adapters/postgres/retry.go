package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// maxAttempts bounds how often something is attempted that the database undoes or does not answer. With the pauses, the attempts
	// take about five seconds, which is longer than a restart of the database.
	maxAttempts  = 8
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// A next is the step that retry takes after an attempt.
type next int

const (
	stop  next = iota // return the attempt's error
	again             // attempt again immediately
	later             // attempt again after a pause
)

// retry calls f until f asks it to stop, at most a number of times, and returns the error of the last call. Pauses double, and vary at
// random so that those who failed together do not come back together. If ctx ends during a pause, retry adds the context's error.
func retry(ctx context.Context, attempts int, f func(attempt int) (next, error)) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		next, err := f(attempt)
		if next == stop || attempt == attempts {
			return err
		}
		if next == again {
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(pause/2 + rand.N(pause)):
			pause = min(2*pause, longestPause)
		}
	}
}
