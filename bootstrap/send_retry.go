package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// firstPause and longestPause bound the time between two attempts, unless the server asks for more.
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// clock is the time, which tests set.
type clock struct {
	now   func() time.Time
	pause func(ctx context.Context, d time.Duration) error
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// temporaryError is one that another attempt may not meet.
type temporaryError struct {
	cause error
	after time.Duration // that the server asks to wait
}

func (e *temporaryError) Error() string { return e.cause.Error() }
func (e *temporaryError) Unwrap() error { return e.cause }

// retry makes attempts until one ends well or for good, or until they have failed for as long as they may.
func (s *sender) retry(ctx context.Context, name string, attempt func() error) error {
	var failing time.Time // since when
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		err := attempt()
		again, ok := errors.AsType[*temporaryError](err)
		if !ok || s.RetryFor == 0 || ctx.Err() != nil {
			return err
		}
		now := s.clock.now()
		if failing.IsZero() {
			failing = now
		}
		left := s.RetryFor - now.Sub(failing)
		if left <= 0 {
			return fmt.Errorf("%w (tried for %s)", err, s.RetryFor)
		}
		if again.after > left {
			return fmt.Errorf("%w (it asks to wait for %s, which is longer than --retry-for)", err, again.after)
		}
		// Those who failed together must not come back together.
		d := min(max(wait/2+rand.N(wait/2), again.after), left)
		s.say(name, fmt.Sprintf("%v; trying again in %s", err, d.Round(time.Second/10)))
		err = s.clock.pause(ctx, d)
		if err != nil {
			return err
		}
	}
}

// retryAfter reads a Retry-After header, in seconds or with a date.
func retryAfter(header string, now time.Time) time.Duration {
	const most = 24 * time.Hour // of which the sum with any time is one
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(most/time.Second))) * time.Second
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), most)
}
