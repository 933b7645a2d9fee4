package guard_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web/guard"
	"rollcall/ports"
)

var one, other = netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")

func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := guard.NewPlaces(2)
		take := func(site netip.Prefix) (leave func()) {
			t.Helper()
			leave, err := places.Take(t.Context(), site)
			require.NoError(t, err)
			return leave
		}
		first, second := take(one), take(one)
		third := take(other)

		var served []int
		for i := range 3 {
			go func() {
				leave := take(one)
				served = append(served, i)
				time.Sleep(time.Second)
				leave()
			}()
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var late error
		go func() { _, late = places.Take(ctx, other) }()
		synctest.Wait()
		require.NoError(t, late, "other sites have places of their own")
		require.Empty(t, served)
		first()
		synctest.Wait()
		require.Equal(t, []int{0}, served)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []int{0, 1}, served)
		second()
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2}, served)
		time.Sleep(time.Second)
		third()
	})
}

// A request that gets no place in time is rejected, and a site without requests is forgotten.
func TestPlacesThatAreNotFreeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := guard.NewPlaces(1)
		leave, err := places.Take(t.Context(), one)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = places.Take(ctx, one)
		require.ErrorIs(t, err, ports.ErrBusy)
		require.Equal(t, 1, places.Sites())
		leave()
		require.Zero(t, places.Sites())
	})
}
