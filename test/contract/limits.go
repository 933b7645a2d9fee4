package contract

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// LimitsSubject is a store whose buckets are full, and what lets time pass for them.
type LimitsSubject struct {
	Store ports.Limits
	Pass  func(time.Duration)
}

// Limits proves a ports.Limits.
func Limits(t *testing.T, subject func(*testing.T) LimitsSubject) {
	for name, test := range map[string]func(*testing.T, LimitsSubject){
		"holds as many as its size":         holdsSize,
		"holds as many as its size at once": holdsSizeAtOnce,
		"refills one at a time":             refills,
		"refills by itself":                 refillsItself,
		"refuses without taking":            refusesWithoutTaking,
		"takes back":                        takesBack,
		"takes no more back than it holds":  takesNoMoreBack,
		"keeps buckets apart":               keepsBucketsApart,
		"ends when its context does":        limitsEndWithContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, subject(t)) })
	}
}

// refill is so long that none comes during a test, and more than an interval's day.
const refill = 30 * time.Hour

func five() ports.Bucket { return ports.Bucket{Key: "five", Size: 5, Refill: refill} }

func take(t *testing.T, s LimitsSubject, bucket ports.Bucket) time.Duration {
	t.Helper()
	wait, err := s.Store.Take(t.Context(), bucket)
	require.NoError(t, err)
	return wait
}

// drain takes what there is, and returns how much that was.
func drain(t *testing.T, s LimitsSubject, bucket ports.Bucket) int {
	t.Helper()
	taken := 0
	for take(t, s, bucket) == 0 {
		taken++
		require.LessOrEqual(t, taken, bucket.Size)
	}
	return taken
}

func holdsSize(t *testing.T, s LimitsSubject) {
	for _, bucket := range []ports.Bucket{five(), {Key: "one", Size: 1, Refill: refill}} {
		assert.Equal(t, bucket.Size, drain(t, s, bucket))
		wait := take(t, s, bucket)
		assert.LessOrEqual(t, wait, refill)
		assert.Greater(t, wait, refill-time.Minute)
	}
}

func holdsSizeAtOnce(t *testing.T, s LimitsSubject) {
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			wait, err := s.Store.Take(t.Context(), five())
			switch {
			case err != nil:
				t.Error(err)
			case wait == 0:
				taken.Add(1)
			default:
				assert.InDelta(t, refill, wait, float64(time.Minute))
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 5, taken.Load())
}

func refills(t *testing.T, s LimitsSubject) {
	drain(t, s, five())
	s.Pass(refill - time.Minute)
	wait := take(t, s, five())
	assert.LessOrEqual(t, wait, time.Minute)
	assert.Positive(t, wait)
	for _, attempts := range []int{1, 1, 3, 5} {
		s.Pass(time.Duration(attempts) * refill)
		assert.Equal(t, attempts, drain(t, s, five()))
	}
	s.Pass(100 * refill)
	assert.Equal(t, 5, drain(t, s, five()))
}

func refillsItself(t *testing.T, s LimitsSubject) {
	bucket := ports.Bucket{Key: "soon", Size: 1, Refill: 20 * time.Millisecond}
	require.Zero(t, take(t, s, bucket))
	require.Eventually(t, func() bool { return take(t, s, bucket) == 0 }, 10*time.Second, time.Millisecond)
}

func refusesWithoutTaking(t *testing.T, s LimitsSubject) {
	drain(t, s, five())
	wait := take(t, s, five())
	for range 10 {
		next := take(t, s, five())
		assert.LessOrEqual(t, next, wait)
		wait = next
	}
	s.Pass(refill)
	assert.Zero(t, take(t, s, five()))
}

func takesBack(t *testing.T, s LimitsSubject) {
	drain(t, s, five())
	for range 2 {
		require.NoError(t, s.Store.Return(t.Context(), five()))
	}
	assert.Equal(t, 2, drain(t, s, five()))
}

func takesNoMoreBack(t *testing.T, s LimitsSubject) {
	for range 2 {
		for range 10 {
			require.NoError(t, s.Store.Return(t.Context(), five()))
		}
		assert.Equal(t, 5, drain(t, s, five()))
	}
	require.NoError(t, s.Store.Return(t.Context(), five()))
	s.Pass(4 * refill)
	require.NoError(t, s.Store.Return(t.Context(), five())) // it is full already
	assert.Equal(t, 5, drain(t, s, five()))
}

func keepsBucketsApart(t *testing.T, s LimitsSubject) {
	for _, key := range []string{"", "a", "A", "a\x00", "b\xff", strings.Repeat("a", 100_000), strings.Repeat("a", 100_001)} {
		bucket := ports.Bucket{Key: key, Size: 2, Refill: refill}
		assert.Equal(t, 2, drain(t, s, bucket))
	}
}

func limitsEndWithContext(t *testing.T, s LimitsSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Store.Take(ctx, five())
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ports.ErrUnavailable)
	assert.Equal(t, 5, drain(t, s, five()))
	require.ErrorIs(t, s.Store.Return(ctx, five()), context.Canceled)
	assert.Zero(t, drain(t, s, five()))
}
