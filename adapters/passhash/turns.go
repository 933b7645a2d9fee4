package passhash

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"rollcall/ports"
)

// turns lets few work at a time. The others wait in two queues, of which the urgent one is served first.
type turns struct {
	mu     sync.Mutex
	free   int // places to work; while there are any, nobody waits
	urgent queue
	others queue
}

func newTurns(places, urgent, others int) *turns {
	return &turns{free: places, urgent: queue{most: urgent}, others: queue{most: others}}
}

func (t *turns) queue(turn ports.Turn) *queue {
	if turn.Urgent {
		return &t.urgent
	}
	return &t.others
}

// take waits for a place, which give frees. It returns ports.ErrBusy when the queue is full, or the context's error.
func (t *turns) take(ctx context.Context, turn ports.Turn) error {
	if ctx.Err() != nil { // a free place must not be taken by chance
		return ctx.Err()
	}
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	place, err := t.queue(turn).join(turn.Who)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case err = <-place:
		if err == nil && ctx.Err() != nil { // both at the same time: the work would be for nobody
			t.give()
			err = ctx.Err()
		}
		return err
	case <-ctx.Done():
	}
	t.mu.Lock()
	waited := t.queue(turn).leave(turn.Who, place)
	t.mu.Unlock()
	if !waited && <-place == nil {
		t.give()
	}
	return ctx.Err()
}

// give frees a place, and passes it on to the next.
func (t *turns) give() {
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

// waiting is how many wait.
func (t *turns) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.urgent.waiting + t.others.waiting
}

// A place receives nil when it is free, or the reason why its owner waits no longer. Sending never blocks.
type place chan error

// queue has a line for each address or user, and serves the lines in turn. In a full queue the longest line gives way to a
// shorter one: however many requests come from one address, those from others get in.
type queue struct {
	most, waiting int
	lines         map[string][]place // none is empty
	order         []string           // whose line is served, the next one first
}

func (q *queue) join(who string) (place, error) {
	if q.waiting >= q.most {
		longest := ""
		for _, other := range q.order {
			if len(q.lines[other]) > len(q.lines[longest]) {
				longest = other
			}
		}
		line := q.lines[longest]
		if len(line) <= len(q.lines[who])+1 {
			return nil, errFull
		}
		last := line[len(line)-1]
		q.leave(longest, last)
		last <- errFull
	}
	if q.lines == nil {
		q.lines = map[string][]place{}
	}
	if len(q.lines[who]) == 0 {
		q.order = append(q.order, who)
	}
	own := make(place, 1)
	q.lines[who] = append(q.lines[who], own)
	q.waiting++
	return own, nil
}

var errFull = fmt.Errorf("%w: too many passwords wait to be hashed", ports.ErrBusy)

// next takes out the place that is served next. Its line goes to the end.
func (q *queue) next() place {
	who := q.order[0]
	first := q.lines[who][0]
	q.leave(who, first)
	if len(q.lines[who]) > 0 {
		q.order = append(q.order[1:], who)
	}
	return first
}

// leave takes out a place, and reports whether it was still waited for.
func (q *queue) leave(who string, own place) bool {
	at := slices.Index(q.lines[who], own)
	if at < 0 {
		return false
	}
	q.waiting--
	q.lines[who] = slices.Delete(q.lines[who], at, at+1)
	if len(q.lines[who]) == 0 {
		delete(q.lines, who)
		q.order = slices.DeleteFunc(q.order, func(other string) bool { return other == who })
	}
	return true
}
