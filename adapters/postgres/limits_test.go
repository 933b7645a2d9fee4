package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

// pass simulates the passage of time by moving all buckets into the past.
func pass(t *testing.T, url string, d time.Duration) {
	t.Helper()
	pgtest.Query[struct{}](t, url, `update limits set full_at = full_at - $1::interval`, d)
}

func TestLimits(t *testing.T) {
	contract.Limits(t, func(t *testing.T) contract.LimitsSubject {
		t.Helper()
		url := pgtest.New(t)
		return contract.LimitsSubject{
			Store: postgres.NewLimits(open(t, url)),
			Pass:  func(d time.Duration) { pass(t, url, d) },
		}
	})
}

func TestLimitsAreSwept(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewLimits(open(t, url))
	for n := range 2 {
		_, err := store.Take(t.Context(), ports.Bucket{Key: fmt.Sprint("anna", n), Size: 3, Refill: time.Duration(n+1) * time.Hour})
		require.NoError(t, err)
	}
	kept := func() []int {
		require.NoError(t, store.Sweep(t.Context()))
		lengths := []int{}
		for _, row := range pgtest.Query[struct{ Key []byte }](t, url, `select key from limits`) {
			require.NotContains(t, string(row.Key), "anna")
			lengths = append(lengths, len(row.Key))
		}
		return lengths
	}
	require.Equal(t, []int{32, 32}, kept())
	pass(t, url, 90*time.Minute)
	require.Equal(t, []int{32}, kept())
	pass(t, url, time.Hour)
	require.Empty(t, kept())
}

// Sweep does not wait for buckets in use. Otherwise it could deadlock with attempts that lock several buckets.
func TestSweepSkipsBucketsInUse(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	store := postgres.NewLimits(db)
	_, err := store.Take(t.Context(), ports.Bucket{Key: "a", Size: 1, Refill: time.Hour}, ports.Bucket{Key: "b", Size: 1, Refill: time.Hour})
	require.NoError(t, err)
	pass(t, url, 2*time.Hour)
	taking, err := db.Pool().Begin(t.Context())
	require.NoError(t, err)
	defer taking.Rollback(t.Context())
	_, err = taking.Exec(t.Context(), "update limits set refused = refused where key = (select key from limits order by key limit 1)")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, store.Sweep(ctx))
	require.Len(t, pgtest.Query[struct{ Key []byte }](t, url, `select key from limits`), 1)
}
