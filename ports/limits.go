package ports

import (
	"context"
	"time"
)

// Bucket is what attempts are taken from. It holds Size of them, and gets one back each Refill. A crash of the database may
// fill it.
type Bucket struct {
	Key    string        // whose it is; not kept as it is
	Size   int           // 1 or more
	Refill time.Duration // a microsecond or more
}

// Limits counts attempts, for all instances of the program together.
type Limits interface {
	// Take takes one attempt out of each of several different buckets, or none out of any. It returns 0 when every bucket
	// had one, else how long it is until each that had none has one. Of concurrent attempts no more succeed than a bucket
	// holds. It returns ErrUnavailable when the database cannot be reached.
	Take(ctx context.Context, buckets ...Bucket) (wait time.Duration, err error)

	// Return puts an attempt back into each of several different buckets, and no more than each holds. It returns
	// ErrUnavailable when the database cannot be reached.
	Return(ctx context.Context, buckets ...Bucket) error
}
