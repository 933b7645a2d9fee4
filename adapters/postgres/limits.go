package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"rollcall/ports"
)

// Limits keeps buckets of attempts. A bucket is one moment: when it is full again. Each attempt that is taken puts that
// off by one refill, and there is none to take when it would be further off than the bucket's size of refills.
type Limits struct{ db *DB }

// NewLimits makes the store.
func NewLimits(db *DB) *Limits { return &Limits{db} }

// takeSQL returns no row when the bucket is empty. The clock is the database's, which all instances share.
const takeSQL = `
	insert into limits as l (key, full_at) values ($1, clock_timestamp() + $2)
	on conflict (key) do update set full_at = greatest(l.full_at, clock_timestamp()) + $2
	where l.full_at + $2 <= clock_timestamp() + $3`

// Take implements ports.Limits.
func (l *Limits) Take(ctx context.Context, bucket ports.Bucket) (time.Duration, error) {
	key := sha256.Sum256([]byte(bucket.Key))
	whole := time.Duration(bucket.Size) * bucket.Refill
	tag, err := l.db.pool.Exec(ctx, takeSQL, key[:], bucket.Refill, whole)
	if err != nil {
		return 0, fmt.Errorf("take from bucket: %w", unavailable(err))
	}
	if tag.RowsAffected() == 1 {
		return 0, nil
	}
	var wait time.Duration
	err = l.db.pool.QueryRow(ctx, "select coalesce(max(full_at), clock_timestamp()) + $2 - clock_timestamp() - $3 from limits where key = $1",
		key[:], bucket.Refill, whole).Scan(&wait)
	if err != nil {
		return 0, fmt.Errorf("ask bucket: %w", unavailable(err))
	}
	return max(wait, time.Millisecond), nil // it may have come meanwhile
}

// Return implements ports.Limits.
func (l *Limits) Return(ctx context.Context, bucket ports.Bucket) error {
	key := sha256.Sum256([]byte(bucket.Key))
	_, err := l.db.pool.Exec(ctx, "update limits set full_at = full_at - $2::interval where key = $1", key[:], bucket.Refill)
	if err != nil {
		return fmt.Errorf("return to bucket: %w", unavailable(err))
	}
	return nil
}

// Sweep removes the buckets that are full: they are as if nobody had taken from them.
func (l *Limits) Sweep(ctx context.Context) error {
	_, err := l.db.pool.Exec(ctx, "delete from limits where full_at <= now()")
	if err != nil {
		return fmt.Errorf("sweep limits: %w", unavailable(err))
	}
	return nil
}
