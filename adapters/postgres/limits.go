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

// Limits stores buckets of attempts. A bucket is one point in time: when it will be full. Each attempt moves that point one refill into
// the future. The bucket is empty while the point is further away than all refills but one.
type Limits struct{ db *DB }

// NewLimits returns the store in db.
func NewLimits(db *DB) *Limits { return &Limits{db} }

// takeSQL takes an attempt with the refill $2, unless the bucket will be full later than $3 from now, which is all refills but one. It
// returns the time until there is an attempt.
//
//   - The clock is the database's, which all instances share. It is read once: excluded.full_at is that time plus one refill.
//   - The row records whether the attempt was refused, because "returning" does not see the row's old values.
//   - An attempt that waited for the row has an older time than those it waited for. So it may come early by $4.
const takeSQL = `
	with clock as materialized (select clock_timestamp() as now)
	insert into limits as l (key, full_at) select $1, now + $2 from clock
	on conflict (key) do update set
		refused = l.full_at > excluded.full_at - $2 + $3 + $4,
		full_at = case when l.full_at > excluded.full_at - $2 + $3 + $4 then l.full_at
			else greatest(l.full_at + $2, excluded.full_at) end
	returning case when refused then full_at - $3 - (select now from clock) else interval '0' end`

// undoSQL returns the attempts that were taken from some of the buckets if another one was empty.
const undoSQL = `
	update limits set full_at = full_at - refill from unnest($1::bytea[], $2::interval[]) taken (key, refill)
	where limits.key = taken.key and not refused and exists (select from limits where key = any($1) and refused)`

const returnSQL = "update limits set full_at = full_at - $2::interval where key = $1"

// maxEarly bounds how much too early an attempt may come. Attempts rarely wait longer for a row.
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
				var untilNext time.Duration
				err := row.Scan(&untilNext)
				wait = max(wait, untilNext)
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

// Return implements ports.LimitStore. A bucket that it overfills is full at a time in the past, which is the same as full.
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

// inOrder yields buckets in the order of their stored keys. Transactions that lock rows in the same order do not deadlock.
func inOrder(buckets []ports.Bucket) iter.Seq2[[]byte, ports.Bucket] {
	byKey := make(map[string]ports.Bucket, len(buckets))
	for _, bucket := range buckets {
		byKey[string(bucketKey(bucket))] = bucket
	}
	return func(yield func([]byte, ports.Bucket) bool) {
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			if !yield([]byte(key), byKey[key]) {
				return
			}
		}
	}
}

// Sweep removes full buckets, which are the same as missing ones. It skips buckets that are in use, so that it never holds rows that
// others need while it waits.
func (l *Limits) Sweep(ctx context.Context) error {
	_, err := l.db.pool.Exec(ctx, `delete from limits where key in (
		select key from limits where full_at <= clock_timestamp() for update skip locked)`)
	if err != nil {
		return fmt.Errorf("sweep limits: %w", unavailable(err))
	}
	return nil
}

// bucketKey returns the hash that a bucket is stored under, so that the table contains no logins and addresses.
func bucketKey(bucket ports.Bucket) []byte {
	sum := sha256.Sum256([]byte(bucket.Key))
	return sum[:]
}
