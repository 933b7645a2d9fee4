// Package groupcommit runs small imports that arrive concurrently in shared transactions. A transaction and its round trips cost more than the
// rows of one record: with 32 clients, sharing them saves more than half of the server's processor time.
package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"rollcall/adapters/postgres"
	"rollcall/ports"
)

// maxGroup bounds the imports in one transaction: if one of them has to give way, all have to run again.
const maxGroup = 32

// Imports is a ports.ImportStore that groups small imports. An import that arrives alone waits for no other.
type Imports struct {
	*postgres.Imports

	mu      sync.Mutex
	waiting []*member
	running int // transactions
}

type member struct {
	postgres.SharedImport

	ctx  context.Context //nolint:containedctx // of the caller, who waits until done is closed
	done chan struct{}
}

// New returns a store that runs its imports in store.
func New(store *postgres.Imports) *Imports { return &Imports{Imports: store} }

// Do implements ports.ImportStore. An import whose shared transaction is undone runs again by itself.
func (g *Imports) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	isSmall := !mode.Exclusive && !mode.Many && !mode.DryRun && mode.Key.IsZero() && mode.Records != nil
	if !isSmall {
		return g.Imports.Do(ctx, mode, work)
	}
	m := &member{ctx: ctx, done: make(chan struct{})}
	m.Sender, m.Origin, m.Records, m.Work = mode.Sender, ports.OriginOf(ctx), mode.Records, m.guard(work)
	if g.enter(m) {
		g.runGroups(m)
	}
	<-m.done // even if ctx ends: the work must not run after Do has returned
	switch {
	case errors.Is(m.Err, postgres.ErrUndone):
		return g.RunAgain(ctx, mode, &m.SharedImport, work)
	case m.Err != nil:
		return 0, m.Err
	}
	return m.ID, nil
}

// guard returns work that does not begin after its caller has left, and whose panic is its own error: no other import of the group must
// end with it.
func (m *member) guard(work func(context.Context, ports.ImportTx) error) func(context.Context, ports.ImportTx) error {
	return func(ctx context.Context, tx ports.ImportTx) (err error) {
		defer func() {
			if panicked := panicError(recover()); panicked != nil {
				err = panicked
			}
		}()
		err = m.ctx.Err()
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		return work(ctx, tx)
	}
}

// enter adds an import to those that wait, and reports whether its caller must run groups.
func (g *Imports) enter(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, m)
	if g.running == runtime.GOMAXPROCS(0) {
		return false
	}
	g.running++
	return true
}

// runGroups runs group after group. It returns when own is done, and leaves the others to a goroutine: an import that arrives alone needs
// no goroutine but its caller's. If own is nil, it returns when no import waits.
func (g *Imports) runGroups(own *member) {
	for group := g.nextGroup(); len(group) > 0; group = g.nextGroup() {
		g.runGroup(group)
		if slices.Contains(group, own) && g.hasWaiting() {
			go g.runGroups(nil)
			return
		}
	}
}

// runGroup runs a group, and releases its callers whatever happens.
func (g *Imports) runGroup(group []*member) {
	ctx, cancel := contextOf(group)
	shared := make([]*postgres.SharedImport, len(group))
	for i, m := range group {
		shared[i] = &m.SharedImport
	}
	defer func() {
		if err := panicError(recover()); err != nil {
			for _, m := range group {
				m.Err = err
			}
		}
		cancel()
		for _, m := range group {
			close(m.done)
		}
	}()
	g.RunShared(ctx, shared)
}

// panicError returns the error of a recovered panic; nil for none.
func panicError(recovered any) error {
	if recovered == nil {
		return nil
	}
	return fmt.Errorf("panic: %v\n%s", recovered, debug.Stack())
}

func (g *Imports) nextGroup() []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), maxGroup)
	group := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	if n == 0 {
		g.running--
	}
	return group
}

func (g *Imports) hasWaiting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) > 0
}

// contextOf returns a context that ends when the last caller has left. A client that leaves must not undo the imports of others.
func contextOf(group []*member) (context.Context, context.CancelFunc) {
	if len(group) == 1 {
		return group[0].ctx, func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(group[0].ctx))
	waiting := int64(len(group))
	stops := make([]func() bool, len(group))
	for i, m := range group {
		stops[i] = context.AfterFunc(m.ctx, func() {
			if atomic.AddInt64(&waiting, -1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
