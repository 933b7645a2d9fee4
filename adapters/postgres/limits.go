package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"rollcall/ports"
)

// Limits keeps buckets of attempts. A bucket is one moment: when it is full again. Each attempt that is taken puts that
// off by one refill; there is none to take while it is further off than all refills but one.
type Limits struct{ db *DB }

// NewLimits makes the store.
func NewLimits(db *DB) *Limits { return &Limits{db} }

// takeSQL takes an attempt of refill $2 when the bucket is full within $3, all refills but one. The clock is the
// database's, which all instances share, and is read once: excluded.full_at is that reading and a refill. The row tells
// what came of it, because what was in it before is not seen by returning. An attempt that has waited for the row has an older
// reading than those it waited for: it may come somewhat early.
const takeSQL = `
	with clock as materialized (select clock_timestamp() as now)
	insert into limits as l (key, full_at) select $1, now + $2 from clock
	on conflict (key) do update set
		refused = l.full_at > excluded.full_at - $2 + $3 + $4,
		full_at = case when l.full_at > excluded.full_at - $2 + $3 + $4 then l.full_at
			else greatest(l.full_at + $2, excluded.full_at) end
	returning case when refused then full_at - $3 - (select now from clock) else interval '0' end`

// maxEarly is how long an attempt waits for a row at most, within reason.
const maxEarly = time.Second

// Take implements ports.Limits.
func (l *Limits) Take(ctx context.Context, bucket ports.Bucket) (time.Duration, error) {
	var wait time.Duration
	err := l.db.pool.QueryRow(ctx, takeSQL, key(bucket), bucket.Refill, time.Duration(bucket.Size-1)*bucket.Refill,
		min(bucket.Refill/2, maxEarly)).Scan(&wait)
	if err != nil {
		return 0, fmt.Errorf("take from bucket: %w", unavailable(err))
	}
	return wait, nil
}

// Return implements ports.Limits. What it puts past full lies in the past, where it means nothing.
func (l *Limits) Return(ctx context.Context, bucket ports.Bucket) error {
	_, err := l.db.pool.Exec(ctx, "update limits set full_at = full_at - $2::interval where key = $1", key(bucket), bucket.Refill)
	if err != nil {
		return fmt.Errorf("return to bucket: %w", unavailable(err))
	}
	return nil
}

// Sweep removes the buckets that are full: they are as if nobody had taken from them.
func (l *Limits) Sweep(ctx context.Context) error {
	_, err := l.db.pool.Exec(ctx, "delete from limits where full_at <= clock_timestamp()")
	if err != nil {
		return fmt.Errorf("sweep limits: %w", unavailable(err))
	}
	return nil
}

// key keeps logins and addresses out of the table.
func key(bucket ports.Bucket) []byte {
	sum := sha256.Sum256([]byte(bucket.Key))
	return sum[:]
}
