package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

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

// undoSQL puts back what was taken from some of the buckets when another had none.
const undoSQL = `
	update limits set full_at = full_at - refill from unnest($1::bytea[], $2::interval[]) taken (key, refill)
	where limits.key = taken.key and not refused and exists (select from limits where key = any($1) and refused)`

const returnSQL = "update limits set full_at = full_at - $2::interval where key = $1"

// maxEarly is how long an attempt waits for a row at most, within reason.
const maxEarly = time.Second

// Take implements ports.LimitStore. It makes one round trip, which is one transaction.
func (l *Limits) Take(ctx context.Context, buckets ...ports.Bucket) (wait time.Duration, err error) {
	var batch pgx.Batch
	var keys [][]byte
	var refills []time.Duration
	for key, bucket := range inOrder(buckets) {
		keys, refills = append(keys, key), append(refills, bucket.Refill)
		batch.Queue(takeSQL, key, bucket.Refill, time.Duration(bucket.Size-1)*bucket.Refill, min(bucket.Refill/2, maxEarly)).
			QueryRow(func(row pgx.Row) error {
				var untilOne time.Duration
				err := row.Scan(&untilOne)
				wait = max(wait, untilOne)
				return err
			})
	}
	if len(keys) > 1 {
		batch.Queue(undoSQL, keys, refills)
	}
	err = l.db.pool.SendBatch(ctx, &batch).Close()
	if err != nil {
		return 0, fmt.Errorf("take from buckets: %w", unavailable(err))
	}
	return wait, nil
}

// Return implements ports.LimitStore. What it puts past full lies in the past, where it means nothing.
func (l *Limits) Return(ctx context.Context, buckets ...ports.Bucket) error {
	var batch pgx.Batch
	for key, bucket := range inOrder(buckets) {
		batch.Queue(returnSQL, key, bucket.Refill)
	}
	err := l.db.pool.SendBatch(ctx, &batch).Close()
	if err != nil {
		return fmt.Errorf("return to buckets: %w", unavailable(err))
	}
	return nil
}

// inOrder yields buckets with their keys, in the order of the keys: transactions that lock rows in one order do not
// deadlock.
func inOrder(buckets []ports.Bucket) iter.Seq2[[]byte, ports.Bucket] {
	byKey := make(map[string]ports.Bucket, len(buckets))
	for _, bucket := range buckets {
		byKey[string(key(bucket))] = bucket
	}
	return func(yield func([]byte, ports.Bucket) bool) {
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			if !yield([]byte(key), byKey[key]) {
				return
			}
		}
	}
}

// Sweep removes the buckets that are full: they are as if nobody had taken from them. It passes over those that are being
// taken from, so that it waits for nobody with a row that others wait for.
func (l *Limits) Sweep(ctx context.Context) error {
	_, err := l.db.pool.Exec(ctx, `delete from limits where key in (
		select key from limits where full_at <= clock_timestamp() for update skip locked)`)
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
