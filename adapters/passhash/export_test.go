package passhash

import (
	"context"

	"rollcall/ports"
)

// Turns gives tests access to turns.
type Turns struct{ *turns }

// NewTurns returns turns with a number of slots, and queues with limits.
func NewTurns(slots, urgent, others int) Turns { return Turns{newTurns(slots, urgent, others)} }

func (t Turns) Acquire(ctx context.Context, turn ports.Turn) error { return t.acquire(ctx, turn) }
func (t Turns) Release()                                           { t.release() }
func (t Turns) Waiting() int                                       { return t.waiting() }

// Turns returns the turns of the hasher.
func (h *Hasher) Turns() Turns { return Turns{h.turns} }
