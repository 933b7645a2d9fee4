package web_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web"
	"rollcall/ports"
)

func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := web.NewPlaces(2)
		take := func(address string) (leave func()) {
			t.Helper()
			leave, err := places.Take(t.Context(), address)
			require.NoError(t, err)
			return leave
		}
		first, second := take("192.0.2.1"), take("192.0.2.1")
		other := take("192.0.2.2")

		var served []int
		for i := range 3 {
			go func() {
				leave := take("192.0.2.1")
				served = append(served, i)
				time.Sleep(time.Second)
				leave()
			}()
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			_, err := places.Take(ctx, "192.0.2.2")
			require.NoError(t, err)
		}()
		synctest.Wait()
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
		other()
	})
}

// Whoever waits in vain is told so, and nothing is remembered of addresses that nobody comes from.
func TestPlacesThatAreNotFreeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := web.NewPlaces(1)
		leave, err := places.Take(t.Context(), "192.0.2.1")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = places.Take(ctx, "192.0.2.1")
		require.ErrorIs(t, err, ports.ErrBusy)
		require.Equal(t, 1, places.Addresses())
		leave()
		require.Zero(t, places.Addresses())
	})
}
