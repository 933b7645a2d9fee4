package fake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rollcall/ports"
)

// Limits stores buckets in memory.
type Limits struct {
	Now func() time.Time // nil for time.Now

	mu     sync.Mutex
	fullAt map[string]time.Time
}

// Take implements ports.LimitStore.
func (l *Limits) Take(ctx context.Context, buckets ...ports.Bucket) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("take: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := now(l.Now)
	fullAt := func(bucket ports.Bucket) time.Time {
		if l.fullAt[bucket.Key].After(now) {
			return l.fullAt[bucket.Key]
		}
		return now
	}
	var wait time.Duration
	for _, bucket := range buckets {
		wait = max(wait, fullAt(bucket).Sub(now)-time.Duration(bucket.Size-1)*bucket.Refill)
	}
	if wait > 0 {
		return wait, nil
	}
	for _, bucket := range buckets {
		l.set(bucket.Key, fullAt(bucket).Add(bucket.Refill))
	}
	return 0, nil
}

// Return implements ports.LimitStore.
func (l *Limits) Return(ctx context.Context, buckets ...ports.Bucket) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("return: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, bucket := range buckets {
		l.set(bucket.Key, l.fullAt[bucket.Key].Add(-bucket.Refill))
	}
	return nil
}

func (l *Limits) set(key string, fullAt time.Time) {
	if l.fullAt == nil {
		l.fullAt = map[string]time.Time{}
	}
	l.fullAt[key] = fullAt
}
