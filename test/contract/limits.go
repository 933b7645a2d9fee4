package contract

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// A LimitsSubject is a store with full buckets. Pass lets time pass for them.
type LimitsSubject struct {
	Store ports.LimitStore
	Pass  func(time.Duration)
}

// Limits proves a ports.LimitStore.
func Limits(t *testing.T, subject func(*testing.T) LimitsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, LimitsSubject)
	}{
		{"HoldsItsSize", holdsSize},
		{"HoldsItsSizeForConcurrentCalls", holdsSizeConcurrently},
		{"RefillsOneAttemptAtATime", refillsOneAtATime},
		{"RefillsInRealTime", refillsInRealTime},
		{"RejectsWithoutTaking", rejectsWithoutTaking},
		{"ReturnsAttempts", returnsAttempts},
		{"ReturnsNoMoreThanItsSize", returnsNoMoreThanSize},
		{"SeparatesKeys", separatesKeys},
		{"TakesFromAllBucketsOrNone", takesFromAllOrNone},
		{"TakesFromSeveralBucketsConcurrently", takesFromSeveralConcurrently},
		{"ReturnsToSeveralBuckets", returnsToSeveral},
		{"StopsWithItsContext", limitsStopWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// refill is longer than a test, and longer than a day.
const refill = 30 * time.Hour

func five() ports.Bucket { return ports.Bucket{Key: "five", Size: 5, Refill: refill} }

func take(t *testing.T, s LimitsSubject, bucket ports.Bucket) time.Duration {
	t.Helper()
	wait, err := s.Store.Take(t.Context(), bucket)
	require.NoError(t, err)
	return wait
}

// drain takes every attempt of a bucket, and returns their number.
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
		require.Equal(t, bucket.Size, drain(t, s, bucket))
		wait := take(t, s, bucket)
		require.LessOrEqual(t, wait, refill)
		require.Greater(t, wait, refill-time.Minute)
	}
}

func holdsSizeConcurrently(t *testing.T, s LimitsSubject) {
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
				require.InDelta(t, refill, wait, float64(time.Minute))
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 5, taken.Load())
}

func refillsOneAtATime(t *testing.T, s LimitsSubject) {
	drain(t, s, five())
	s.Pass(refill - time.Minute)
	wait := take(t, s, five())
	require.LessOrEqual(t, wait, time.Minute)
	require.Positive(t, wait)
	for _, attempts := range []int{1, 1, 3, 5} {
		s.Pass(time.Duration(attempts) * refill)
		require.Equal(t, attempts, drain(t, s, five()))
	}
	s.Pass(100 * refill)
	require.Equal(t, 5, drain(t, s, five()))
}

func refillsInRealTime(t *testing.T, s LimitsSubject) {
	bucket := ports.Bucket{Key: "soon", Size: 1, Refill: 20 * time.Millisecond}
	require.Zero(t, take(t, s, bucket))
	require.Eventually(t, func() bool { return take(t, s, bucket) == 0 }, 10*time.Second, time.Millisecond)
}

func rejectsWithoutTaking(t *testing.T, s LimitsSubject) {
	drain(t, s, five())
	wait := take(t, s, five())
	for range 10 {
		next := take(t, s, five())
		require.LessOrEqual(t, next, wait)
		wait = next
	}
	s.Pass(refill)
	require.Zero(t, take(t, s, five()))
}

func returnsAttempts(t *testing.T, s LimitsSubject) {
	drain(t, s, five())
	for range 2 {
		require.NoError(t, s.Store.Return(t.Context(), five()))
	}
	require.Equal(t, 2, drain(t, s, five()))
}

func returnsNoMoreThanSize(t *testing.T, s LimitsSubject) {
	for range 2 {
		for range 10 {
			require.NoError(t, s.Store.Return(t.Context(), five()))
		}
		require.Equal(t, 5, drain(t, s, five()))
	}
	require.NoError(t, s.Store.Return(t.Context(), five()))
	s.Pass(4 * refill)
	require.NoError(t, s.Store.Return(t.Context(), five())) // it is full
	require.Equal(t, 5, drain(t, s, five()))
}

func separatesKeys(t *testing.T, s LimitsSubject) {
	for _, key := range []string{"", "a", "A", "a\x00", "b\xff", strings.Repeat("a", 100_000), strings.Repeat("a", 100_001)} {
		bucket := ports.Bucket{Key: key, Size: 2, Refill: refill}
		require.Equal(t, 2, drain(t, s, bucket), "%.40q", key)
	}
}

func named(name string, size int) ports.Bucket {
	return ports.Bucket{Key: name, Size: size, Refill: refill}
}

func takesFromAllOrNone(t *testing.T, s LimitsSubject) {
	ctx := t.Context()
	small, large, slow := named("small", 2), named("large", 5), ports.Bucket{Key: "slow", Size: 3, Refill: 2 * refill}
	for _, buckets := range [][]ports.Bucket{{small, large, slow}, {slow, large, small}} { // in any order
		wait, err := s.Store.Take(ctx, buckets...)
		require.NoError(t, err)
		require.Zero(t, wait)
	}
	for _, buckets := range [][]ports.Bucket{{small, large, slow}, {large, small}, {slow, small}} {
		for range 3 {
			wait, err := s.Store.Take(ctx, buckets...)
			require.NoError(t, err)
			require.InDelta(t, refill, wait, float64(time.Minute), "until the empty bucket has an attempt")
		}
	}
	require.Equal(t, 3, drain(t, s, large), "rejected calls took nothing from the other buckets")
	require.Equal(t, 1, drain(t, s, slow))
	wait, err := s.Store.Take(ctx, small, large, slow, named("another", 1))
	require.NoError(t, err)
	require.InDelta(t, 2*refill, wait, float64(time.Minute), "until the last empty bucket has an attempt")
	require.Equal(t, 1, drain(t, s, named("another", 1)), "nor from a new bucket")
	s.Pass(2 * refill)
	wait, err = s.Store.Take(ctx, small, large, slow)
	require.NoError(t, err)
	require.Zero(t, wait)
	require.Equal(t, []int{1, 1, 0}, []int{drain(t, s, small), drain(t, s, large), drain(t, s, slow)})
}

func takesFromSeveralConcurrently(t *testing.T, s LimitsSubject) {
	buckets := []ports.Bucket{named("a", 7), named("b", 9), named("c", 8), named("d", 30)}
	var taken atomic.Int64
	var all sync.WaitGroup
	for i := range 40 {
		mine := slices.Clone(buckets)
		if i%2 == 0 {
			slices.Reverse(mine)
		}
		all.Go(func() {
			wait, err := s.Store.Take(t.Context(), mine...)
			if err != nil {
				t.Error(err)
			} else if wait == 0 {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 7, taken.Load())
	for i, left := range []int{0, 2, 1, 23} {
		require.Equal(t, left, drain(t, s, buckets[i]), buckets[i].Key)
	}
	for range 2 {
		for i := range 20 { // concurrent calls of Take and Return do not deadlock
			mine := slices.Clone(buckets)
			if i%2 == 0 {
				slices.Reverse(mine)
			}
			all.Go(func() { require.NoError(t, s.Store.Return(t.Context(), mine...)) })
			all.Go(func() {
				_, err := s.Store.Take(t.Context(), mine...)
				require.NoError(t, err)
			})
		}
		all.Wait()
	}
}

func returnsToSeveral(t *testing.T, s LimitsSubject) {
	full, some := named("full", 5), named("some", 5)
	drain(t, s, some)
	require.NoError(t, s.Store.Return(t.Context(), some, full))
	require.Equal(t, 1, drain(t, s, some))
	require.Equal(t, 5, drain(t, s, full))
}

func limitsStopWithContext(t *testing.T, s LimitsSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Store.Take(ctx, five())
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ports.ErrUnavailable)
	require.Equal(t, 5, drain(t, s, five()))
	_, err = s.Store.Take(ctx, five(), named("another", 5))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.Store.Return(ctx, five()), context.Canceled)
	require.Zero(t, drain(t, s, five()))
}
