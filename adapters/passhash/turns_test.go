package passhash_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/ports"
)

// crowd waits for places one after another. A name tells the turn: of "a1" the address is "a", and "A1" is urgent.
type crowd struct {
	passhash.Turns

	served  []string // in that order
	refused []string
}

func (c *crowd) come(t *testing.T, names string) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		go func() {
			address := name[:1]
			err := c.Take(t.Context(), ports.Turn{Urgent: address < "a", Requester: strings.ToLower(address)})
			if err != nil {
				require.ErrorIs(t, err, ports.ErrBusy)
				c.refused = append(c.refused, name)
				return
			}
			c.served = append(c.served, name)
		}()
		synctest.Wait() // one is in line before the next comes
	}
}

// serve frees a place as often as one is waited for.
func (c *crowd) serve(t *testing.T) {
	t.Helper()
	for c.Waiting() > 0 {
		c.Give()
		synctest.Wait()
	}
}

func TestTurns(t *testing.T) {
	for name, test := range map[string]struct {
		come, served, refused string
	}{
		"in the order in which they came":               {"a1 a2 a3", "a1 a2 a3", ""},
		"addresses take turns":                          {"a1 a2 a3 b1 b2 c1", "a1 b1 c1 a2 b2 a3", ""},
		"urgent first":                                  {"a1 b1 A1 a2 B1 A2", "A1 B1 A2 a1 b1 a2", ""},
		"no more than may wait":                         {"a1 b1 c1 d1 e1 f1 g1", "a1 b1 c1 d1 e1 f1", "g1"},
		"one that has a long line gives way":            {"a1 a2 a3 a4 a5 a6 b1 c1", "a1 b1 c1 a2 a3 a4", "a6 a5"},
		"the longest gives way":                         {"a1 b1 b2 b3 a2 c1 d1", "a1 b1 c1 d1 a2 b2", "b3"},
		"but not to a line as long":                     {"a1 a2 a3 b1 b2 b3 a4 b4", "a1 b1 a2 b2 a3 b3", "a4 b4"},
		"nor to one that would be":                      {"a1 a2 b1 b2 c1 c2 d1 d2", "a1 b1 c1 d1 b2 c2", "a2 d2"},
		"the urgent have a queue of their own":          {"a1 a2 a3 a4 a5 a6 A1 A2 A3 A4", "A1 A2 A3 a1 a2 a3 a4 a5 a6", "A4"},
		"who gave way waits no longer, and others do":   {"a1 a2 a3 a4 a5 a6 b1 b2 b3", "a1 b1 a2 b2 a3 b3", "a6 a5 a4"},
		"an address that is served goes behind the new": {"a1 a2 b1", "a1 b1 a2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &crowd{Turns: passhash.NewTurns(1, 3, 6)}
				require.NoError(t, c.Take(t.Context(), ports.Turn{}))
				c.come(t, test.come)
				c.serve(t)
				require.Equal(t, strings.Fields(test.served), c.served)
				require.Equal(t, strings.Fields(test.refused), append([]string{}, c.refused...))
				c.Give()
				require.NoError(t, c.Take(t.Context(), ports.Turn{}), "all places are free again")
			})
		})
	}
}

// Places that are free are taken immediately, and no more than there are.
func TestTurnsOfManyPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Turns: passhash.NewTurns(3, 3, 3)}
		c.come(t, "a1 b1 A1 a2 a3 B1")
		require.Equal(t, []string{"a1", "b1", "A1"}, c.served)
		require.Equal(t, 3, c.Waiting())
		c.serve(t)
		require.Equal(t, []string{"a1", "b1", "A1", "B1", "a2", "a3"}, c.served)
	})
}

// Whoever stops waiting leaves the line to the others.
func TestTurnsEndWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Turns: passhash.NewTurns(1, 3, 3)}
		require.NoError(t, c.Take(t.Context(), ports.Turn{}))
		for _, address := range []string{"a", "b", "a"} {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				require.ErrorIs(t, c.Take(ctx, ports.Turn{Requester: address}), context.DeadlineExceeded)
			}()
		}
		synctest.Wait()
		require.Equal(t, 3, c.Waiting())
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, c.Waiting())
		c.come(t, "b1 a1")
		c.serve(t)
		require.Equal(t, []string{"b1", "a1"}, c.served)
	})
}

// A place that becomes free in the moment in which its owner stops waiting is not lost.
func TestTurnsThatEndWithTheWait(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			turns := passhash.NewTurns(1, 3, 3)
			require.NoError(t, turns.Take(t.Context(), ports.Turn{}))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if turns.Take(ctx, ports.Turn{}) == nil {
					turns.Give()
				}
			}()
			synctest.Wait()
			go cancel()
			go turns.Give()
			synctest.Wait()
			require.NoError(t, turns.Take(t.Context(), ports.Turn{}))
			require.Zero(t, turns.Waiting())
		})
	}
}
