package passhash

import (
	"context"

	"rollcall/ports"
)

// Turns lets tests wait for places of their own.
type Turns struct{ *turns }

// NewTurns makes as many places, and queues of such lengths.
func NewTurns(places, urgent, others int) Turns { return Turns{newTurns(places, urgent, others)} }

func (t Turns) Take(ctx context.Context, turn ports.Turn) error { return t.take(ctx, turn) }
func (t Turns) Give()                                           { t.give() }
func (t Turns) Waiting() int                                    { return t.waiting() }

// Turns are the hasher's.
func (h *Hasher) Turns() Turns { return Turns{h.turns} }
