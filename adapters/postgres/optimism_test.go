package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
)

// lookupsUntilCopy returns how many batches without taken keys are looked up before one is copied without.
func lookupsUntilCopy(o *postgres.Optimism) int {
	lookups := 0
	for ; o.ShouldLookUp(); lookups++ {
		o.FoundNone()
	}
	return lookups
}

func TestOptimism(t *testing.T) {
	t.Run("after one lookup batches are copied without", func(t *testing.T) {
		o := postgres.NewOptimism()
		require.Equal(t, 1, lookupsUntilCopy(&o))
		o.FoundNone()
		require.False(t, o.ShouldLookUp())
	})
	t.Run("a taken key causes another lookup", func(t *testing.T) {
		o := postgres.NewOptimism()
		for range 10 {
			o.FoundTaken()
		}
		require.Equal(t, 1, lookupsUntilCopy(&o))
	})
	t.Run("each clash doubles the lookups, up to a bound", func(t *testing.T) {
		o := postgres.NewOptimism()
		require.Equal(t, 1, lookupsUntilCopy(&o))
		for _, want := range []int{2, 4, 8, 16, 32, 64, 64, 64} {
			o.Clashed()
			require.Equal(t, want, lookupsUntilCopy(&o))
		}
		o.FoundTaken()
		require.Equal(t, 64, lookupsUntilCopy(&o))
	})
}
