package passhash

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"rollcall/ports"
)

// turns bounds the work that runs concurrently. Other work waits in two queues, of which the urgent one is served first.
type turns struct {
	mu     sync.Mutex
	free   int // slots; both queues are empty while there are any
	urgent queue
	others queue
}

func newTurns(slots, urgent, others int) *turns {
	return &turns{free: slots, urgent: queue{limit: urgent}, others: queue{limit: others}}
}

func (t *turns) queue(turn ports.Turn) *queue {
	if turn.Urgent {
		return &t.urgent
	}
	return &t.others
}

// acquire waits for a slot, which release frees. It returns ports.ErrBusy if the queue is full, or the context's error.
func (t *turns) acquire(ctx context.Context, turn ports.Turn) error {
	if ctx.Err() != nil { // even if a slot is free
		return ctx.Err()
	}
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	place, err := t.queue(turn).join(turn.Requester)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case err = <-place:
		if err == nil && ctx.Err() != nil { // both happened at the same time, and the client is gone
			t.release()
			err = ctx.Err()
		}
		return err
	case <-ctx.Done():
	}
	t.mu.Lock()
	waited := t.queue(turn).leave(turn.Requester, place)
	t.mu.Unlock()
	if !waited && <-place == nil {
		t.release()
	}
	return ctx.Err()
}

// release frees a slot, or passes it to the next waiter.
func (t *turns) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range []*queue{&t.urgent, &t.others} {
		if q.waiting > 0 {
			q.next() <- nil
			return
		}
	}
	t.free++
}

// waiting returns the number of waiters.
func (t *turns) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.urgent.waiting + t.others.waiting
}

// A place receives nil when its turn has come, or the reason why it has lost its place in the queue. Sending never blocks.
type place chan error

// A queue has a line for each requester, and serves the lines in turn. In a full queue the longest line loses a place to a shorter one. So
// other requesters get in, however many requests one of them sends.
type queue struct {
	limit   int
	waiting int
	lines   map[string][]place // without empty lines
	order   []string           // requesters, the next one to be served first
}

func (q *queue) join(requester string) (place, error) {
	if q.waiting >= q.limit {
		longest := ""
		for _, other := range q.order {
			if len(q.lines[other]) > len(q.lines[longest]) {
				longest = other
			}
		}
		line := q.lines[longest]
		if len(line) <= len(q.lines[requester])+1 {
			return nil, errFull
		}
		last := line[len(line)-1]
		q.leave(longest, last)
		last <- errFull
	}
	if q.lines == nil {
		q.lines = map[string][]place{}
	}
	if len(q.lines[requester]) == 0 {
		q.order = append(q.order, requester)
	}
	own := make(place, 1)
	q.lines[requester] = append(q.lines[requester], own)
	q.waiting++
	return own, nil
}

var errFull = fmt.Errorf("%w: too many passwords are waiting to be hashed", ports.ErrBusy)

// next removes and returns the next place to be served. Its line moves to the end.
func (q *queue) next() place {
	requester := q.order[0]
	first := q.lines[requester][0]
	q.leave(requester, first)
	if len(q.lines[requester]) > 0 {
		q.order = append(q.order[1:], requester)
	}
	return first
}

// leave removes a place, and reports whether it was still waiting.
func (q *queue) leave(requester string, own place) bool {
	at := slices.Index(q.lines[requester], own)
	if at < 0 {
		return false
	}
	q.waiting--
	q.lines[requester] = slices.Delete(q.lines[requester], at, at+1)
	if len(q.lines[requester]) == 0 {
		delete(q.lines, requester)
		q.order = slices.DeleteFunc(q.order, func(other string) bool { return other == requester })
	}
	return true
}
