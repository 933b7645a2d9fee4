package postgres_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
)

var errAttempt = errors.New("attempt failed")

func TestRetry(t *testing.T) {
	t.Run("returns the result of the attempt that stops", func(t *testing.T) {
		for _, want := range []error{nil, errAttempt} {
			attempts := 0
			err := postgres.Retry(t.Context(), 5, func(attempt int) (postgres.Next, error) {
				attempts++
				require.Equal(t, attempts, attempt)
				if attempt < 3 {
					return postgres.Again, errors.New("earlier attempt failed")
				}
				return postgres.Stop, want
			})
			require.ErrorIs(t, err, want)
			require.Equal(t, 3, attempts)
		}
	})
	t.Run("returns the error of the last attempt", func(t *testing.T) {
		attempts := 0
		err := postgres.Retry(t.Context(), 5, func(int) (postgres.Next, error) {
			attempts++
			return postgres.Again, errAttempt
		})
		require.Equal(t, errAttempt, err)
		require.Equal(t, 5, attempts)
	})
	t.Run("pauses for growing times", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var pauses []time.Duration
			last := time.Now()
			_ = postgres.Retry(t.Context(), 8, func(int) (postgres.Next, error) {
				pauses = append(pauses, time.Since(last))
				last = time.Now()
				return postgres.Later, errAttempt
			})
			base := 50 * time.Millisecond
			for _, pause := range pauses[1:] {
				require.GreaterOrEqual(t, pause, base/2)
				require.Less(t, pause, base*3/2)
				base = min(2*base, 2*time.Second)
			}
		})
	})
	t.Run("ends when its context ends during a pause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			err := postgres.Retry(ctx, 8, func(int) (postgres.Next, error) { return postgres.Later, errAttempt })
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, errAttempt)
		})
	})
}
