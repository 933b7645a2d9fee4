package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// The pause between two attempts doubles from firstPause to maxPause. A server may ask for a longer one.
const (
	firstPause = time.Second
	maxPause   = 30 * time.Second
)

// pause waits for d, or until ctx is cancelled.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// A temporaryError is an error that a retry may not meet.
type temporaryError struct {
	cause error
	after time.Duration // that the server asks to wait
}

func (e *temporaryError) Error() string { return e.cause.Error() }
func (e *temporaryError) Unwrap() error { return e.cause }

// retry calls attempt until it succeeds, fails permanently, or has failed for RetryFor.
func (c *Client) retry(ctx context.Context, name string, attempt func() error) error {
	var firstFailure time.Time
	for wait := firstPause; ; wait = min(2*wait, maxPause) {
		err := attempt()
		temporary, ok := errors.AsType[*temporaryError](err)
		if !ok || c.RetryFor == 0 || ctx.Err() != nil {
			return err
		}
		now := c.Now()
		if firstFailure.IsZero() {
			firstFailure = now
		}
		left := c.RetryFor - now.Sub(firstFailure)
		if left <= 0 {
			return fmt.Errorf("%w (gave up after %s)", err, c.RetryFor)
		}
		if temporary.after > left {
			return fmt.Errorf("%w (the server asks to retry after %s, which exceeds --retry-for)", err, temporary.after)
		}
		// Clients that failed together must not retry together.
		d := min(max(wait/2+rand.N(wait/2), temporary.after), left)
		c.report(name, fmt.Sprintf("%v; retrying in %s", err, d.Round(time.Second/10)))
		err = c.Pause(ctx, d)
		if err != nil {
			return err
		}
	}
}

// retryAfter returns the duration of a Retry-After header, which has seconds or a date. It returns 0 for any other value, and a
// day for a longer duration, so that adding it to a time cannot overflow.
func retryAfter(header string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(most/time.Second))) * time.Second
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), most)
}
