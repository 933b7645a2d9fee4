package ports

import (
	"context"
	"time"
)

// A Bucket bounds how often something is attempted. It holds Size attempts, and regains one per Refill. A crash of the database
// may fill it.
type Bucket struct {
	Key    string        // identifies the bucket; stores keep only its hash
	Size   int           // 1 or more
	Refill time.Duration // a microsecond or more
}

// LimitStore counts attempts, jointly for all instances of the program. Every method returns ErrUnavailable if the database is
// unreachable.
type LimitStore interface {
	// Take takes one attempt from each of several different buckets, or none from any. It returns 0 if every bucket had one, else
	// the time until each empty bucket has one. Concurrent calls never take more than a bucket holds.
	Take(ctx context.Context, buckets ...Bucket) (wait time.Duration, err error)

	// Return returns one attempt to each of several different buckets, up to its size.
	Return(ctx context.Context, buckets ...Bucket) error
}
