package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"rollcall/domain"
	"rollcall/ports"
)

// togetherAtMost bounds how many imports are in one transaction: when one has to give way, all do.
const togetherAtMost = 32

// together runs small imports that come at once one after another in a few transactions. They share what a transaction costs
// by itself, which for one object is more than its rows: the commit, and the round trips of beginning and end. Whoever comes
// alone waits for nobody.
type together struct {
	imports *Imports

	mu      sync.Mutex
	waiting []*member
	running int // transactions
}

// member is one of several imports in a transaction.
type member struct {
	ctx  context.Context //nolint:containedctx // of a call that waits for its end
	mode ports.ImportMode
	work func(context.Context, ports.ImportTx) error
	tx   *importTx
	err  error
	done chan struct{}
}

// aloneError is the end of a transaction of several imports, each of which is to be run once more by itself.
type aloneError struct {
	cause     error
	exclusive bool
}

func (e *aloneError) Error() string { return e.cause.Error() }
func (e *aloneError) Unwrap() error { return e.cause }

// do runs an import along with others. It returns an aloneError when nothing of it is left in the database.
func (t *together) do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	m := &member{ctx: ctx, mode: mode, work: work, done: make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, m)
	if t.running < runtime.GOMAXPROCS(0) {
		t.running++
		go t.run()
	}
	t.mu.Unlock()
	<-m.done // whatever becomes of ctx: the work must not go on when nobody waits for it
	if m.err != nil {
		return 0, m.err
	}
	return m.tx.id, nil
}

// run runs whoever waits, until nobody does.
func (t *together) run() {
	for {
		t.mu.Lock()
		n := min(len(t.waiting), togetherAtMost)
		members := t.waiting[:n:n]
		t.waiting = t.waiting[n:]
		if n == 0 {
			t.running--
		}
		t.mu.Unlock()
		if n == 0 {
			return
		}
		t.imports.tryTogether(members)
		for _, m := range members {
			close(m.done)
		}
	}
}

// tryTogether runs the members' work in one transaction, and sets what became of each.
func (s *Imports) tryTogether(members []*member) {
	ctx, cancel := contextOfAll(members)
	defer cancel()
	conn, err := s.db.imports.Acquire(ctx)
	if err != nil {
		fail(members, &aloneError{cause: err})
		return
	}
	defer conn.Release() // which closes a connection that is still in a transaction

	tx := newImportTx(conn.Conn(), ports.ImportMode{}, domain.DateOf(s.now()))
	tx.prepare()
	first, in := tx, make([]*member, 0, len(members)) // those of whom something may be in the transaction
	for i, m := range members {
		if err != nil {
			in = append(in, members[i:]...)
			break
		}
		m.tx = first
		if len(in) > 0 {
			m.tx = tx.follow()
		}
		m.tx.mode = m.mode
		queued := len(m.tx.queue.QueuedQueries)
		m.err = m.run(ctx)
		switch {
		case m.err == nil:
			tx = m.tx
			in = append(in, m)
		case m.tx.id != 0, len(m.tx.queue.QueuedQueries) != queued:
			err = m.err
			in = append(in, m)
		}
	}
	if err == nil && len(in) > 0 {
		err = tx.commit(ctx)
		if err == nil {
			return
		}
		if conn.Conn().IsClosed() && tx.xid != "" {
			_, err = s.afterLostCommit(ctx, tx, err)
			if _, isUndone := errors.AsType[*undoneError](err); !isUndone {
				fail(in, err)
				return
			}
		}
	}
	err = errors.Join(err, tx.rollback(ctx))
	if err != nil {
		fail(in, &aloneError{cause: err, exclusive: len(members) == 1 && isContention(err)})
	}
}

// run runs the work. A panic is an error of its own import: nobody else would catch it here.
func (m *member) run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	err = m.ctx.Err()
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return m.work(ctx, m.tx)
}

// contextOfAll returns a context that ends when nobody waits any longer: a client that leaves must not undo the imports of
// others in the transaction.
func contextOfAll(members []*member) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(members[0].ctx))
	waiting := int64(len(members))
	stops := make([]func() bool, len(members))
	for i, m := range members {
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

func fail(members []*member, err error) {
	for _, m := range members {
		m.err = err
	}
}
