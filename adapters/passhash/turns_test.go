package passhash_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/ports"
)

// crowd queues requests one after another. A name encodes a turn: "a1" is of the address "a", and "A1" is urgent.
type crowd struct {
	passhash.Turns

	served   []string // in order
	rejected []string
}

func (c *crowd) queue(t *testing.T, names string) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		go func() {
			address := name[:1]
			err := c.Acquire(t.Context(), ports.Turn{Urgent: address < "a", Requester: strings.ToLower(address)})
			if err != nil {
				if !errors.Is(err, ports.ErrBusy) {
					t.Error(err)
				}
				c.rejected = append(c.rejected, name)
				return
			}
			c.served = append(c.served, name)
		}()
		synctest.Wait() // each request is queued before the next
	}
}

// serve frees slots until no request waits.
func (c *crowd) serve(t *testing.T) {
	t.Helper()
	for c.Waiting() > 0 {
		c.Release()
		synctest.Wait()
	}
}

func TestTurns(t *testing.T) {
	for _, test := range []struct {
		name                     string
		queued, served, rejected string
	}{
		{"ServesOneRequesterInOrder", "a1 a2 a3", "a1 a2 a3", ""},
		{"AlternatesBetweenRequesters", "a1 a2 a3 b1 b2 c1", "a1 b1 c1 a2 b2 a3", ""},
		{"ServesUrgentRequestsFirst", "a1 b1 A1 a2 B1 A2", "A1 B1 A2 a1 b1 a2", ""},
		{"RejectsRequestsBeyondTheLimit", "a1 b1 c1 d1 e1 f1 g1", "a1 b1 c1 d1 e1 f1", "g1"},
		{"TakesPlacesFromALongLine", "a1 a2 a3 a4 a5 a6 b1 c1", "a1 b1 c1 a2 a3 a4", "a6 a5"},
		{"TakesPlacesFromTheLongestLine", "a1 b1 b2 b3 a2 c1 d1", "a1 b1 c1 d1 a2 b2", "b3"},
		{"TakesNoPlaceForALineOfTheSameLength", "a1 a2 a3 b1 b2 b3 a4 b4", "a1 b1 a2 b2 a3 b3", "a4 b4"},
		{"TakesNoPlaceForALineThatWouldBeAsLong", "a1 a2 b1 b2 c1 c2 d1 d2", "a1 b1 c1 d1 b2 c2", "a2 d2"},
		{"SeparatesUrgentRequests", "a1 a2 a3 a4 a5 a6 A1 A2 A3 A4", "A1 A2 A3 a1 a2 a3 a4 a5 a6", "A4"},
		{"TakesNoMorePlacesThanNeeded", "a1 a2 a3 a4 a5 a6 b1 b2 b3", "a1 b1 a2 b2 a3 b3", "a6 a5 a4"},
		{"MovesAServedRequesterToTheEnd", "a1 a2 b1", "a1 b1 a2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &crowd{Turns: passhash.NewTurns(1, 3, 6)}
				require.NoError(t, c.Acquire(t.Context(), ports.Turn{}))
				c.queue(t, test.queued)
				c.serve(t)
				require.Equal(t, strings.Fields(test.served), c.served)
				require.Equal(t, strings.Fields(test.rejected), append([]string{}, c.rejected...))
				c.Release()
				require.NoError(t, c.Acquire(t.Context(), ports.Turn{}), "all slots are free again")
			})
		})
	}
}

// Free slots are taken immediately.
func TestTurnsOfSeveralSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Turns: passhash.NewTurns(3, 3, 3)}
		c.queue(t, "a1 b1 A1 a2 a3 B1")
		require.Equal(t, []string{"a1", "b1", "A1"}, c.served)
		require.Equal(t, 3, c.Waiting())
		c.serve(t)
		require.Equal(t, []string{"a1", "b1", "A1", "B1", "a2", "a3"}, c.served)
	})
}

// A request that stops waiting leaves its line.
func TestTurnsStopWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Turns: passhash.NewTurns(1, 3, 3)}
		require.NoError(t, c.Acquire(t.Context(), ports.Turn{}))
		for _, address := range []string{"a", "b", "a"} {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := c.Acquire(ctx, ports.Turn{Requester: address})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error("the wait did not end with its context:", err)
				}
			}()
		}
		synctest.Wait()
		require.Equal(t, 3, c.Waiting())
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, c.Waiting())
		c.queue(t, "b1 a1")
		c.serve(t)
		require.Equal(t, []string{"b1", "a1"}, c.served)
	})
}

// A slot that becomes free while its request stops waiting is not lost.
func TestTurnThatComesAsTheWaitStops(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			turns := passhash.NewTurns(1, 3, 3)
			require.NoError(t, turns.Acquire(t.Context(), ports.Turn{}))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if turns.Acquire(ctx, ports.Turn{}) == nil {
					turns.Release()
				}
			}()
			synctest.Wait()
			go cancel()
			go turns.Release()
			synctest.Wait()
			require.NoError(t, turns.Acquire(t.Context(), ports.Turn{}))
			require.Zero(t, turns.Waiting())
		})
	}
}
