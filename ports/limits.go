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
	// Take takes one attempt out of a bucket. It returns 0 when there was one, else how long it is until there is one,
	// and takes nothing. Of attempts at once no more succeed than the bucket holds. It returns ErrUnavailable when the
	// database cannot be reached.
	Take(ctx context.Context, bucket Bucket) (wait time.Duration, err error)

	// Return puts an attempt back that was taken, and no more than the bucket holds. It returns ErrUnavailable when the
	// database cannot be reached.
	Return(ctx context.Context, bucket Bucket) error
}
