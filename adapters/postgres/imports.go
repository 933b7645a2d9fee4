package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// maxAttempts bounds how often an import is run when the database undoes it. With the pauses between them it
	// bridges the seconds of a restart.
	maxAttempts = 8
	firstPause  = 50 * time.Millisecond
	longestWait = 2 * time.Second

	// giveWay is the lock_timeout of imports that are not exclusive. It is below PostgreSQL's deadlock_timeout of one
	// second: before the server would look for a victim, they have given way.
	giveWay = "500ms"
)

// Imports keeps what imports did.
type Imports struct {
	db  *DB
	now func() time.Time

	// exclusive and rehearsing have room for one exclusive import of this instance each, of those that write and of those
	// that rehearse, so that those that wait hold no connections.
	exclusive, rehearsing chan struct{}

	// many has room for the imports of many records that run at a time.
	many chan struct{}

	keys sync.Map // of the imports of this instance that are under way

	together together
}

// NewImports makes the store. The location of now decides what day it is.
func NewImports(db *DB, now func() time.Time) *Imports {
	s := &Imports{
		db: db, now: now, exclusive: make(chan struct{}, 1), rehearsing: make(chan struct{}, 1), many: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	s.together.imports = s
	return s
}

// undoneError is the end of a transaction of which nothing is left in the database, and which may be run again.
type undoneError struct{ cause error }

func (e *undoneError) Error() string { return e.cause.Error() }
func (e *undoneError) Unwrap() error { return e.cause }

// Do implements ports.ImportStore. An import that met another one is exclusive when it comes again: it has then waited until
// the other has ended, and nobody who gives way can undo it once more.
func (s *Imports) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	if !mode.Key.IsZero() {
		_, running := s.keys.LoadOrStore(mode.Key, nil)
		if running {
			return 0, ports.ErrKeyRunning
		}
		defer s.keys.Delete(mode.Key)
	}
	if !mode.Exclusive && !mode.Many && !mode.DryRun && mode.Key.IsZero() {
		id, err := s.together.do(ctx, mode, work)
		alone, ok := errors.AsType[*aloneError](err)
		if !ok {
			return id, err
		}
		mode.Exclusive = alone.exclusive
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		id, err := s.try(ctx, mode, work)
		if attempt > 1 && errors.Is(err, ports.ErrKeyRunning) { // the server has not noticed yet that the connection is lost
			err = &undoneError{fmt.Errorf("%w: %w", ports.ErrUnavailable, err)}
		}
		undone, ok := errors.AsType[*undoneError](err)
		if !ok {
			return id, err
		}
		if attempt == maxAttempts {
			return 0, unavailable(undone.cause)
		}
		if isContention(err) {
			mode.Exclusive = true
			continue
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("run import again: %w", ctx.Err())
		case <-time.After(pause/2 + rand.N(pause)):
			pause = min(2*pause, longestWait)
		}
	}
}

// try runs the work once. An undoneError tells that it may be run again.
func (s *Imports) try(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	var place chan struct{}
	switch {
	case mode.Exclusive && mode.DryRun:
		place = s.rehearsing
	case mode.Exclusive:
		place = s.exclusive
	case mode.Many:
		place = s.many
	}
	if place != nil {
		select {
		case place <- struct{}{}:
			defer func() { <-place }()
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for other imports: %w", ctx.Err())
		}
	}
	conn, err := s.db.imports.Acquire(ctx)
	if err != nil {
		return 0, undone(fmt.Errorf("connect: %w", err))
	}
	defer conn.Release() // which closes a connection that is still in a transaction

	tx := newImportTx(conn.Conn(), mode, domain.DateOf(s.now()))
	err = tx.claim(ctx)
	if err == nil {
		tx.prepare()
		err = work(ctx, tx)
	}
	if err == nil {
		err = tx.commit(ctx)
		if err == nil {
			return tx.id, nil
		}
		if conn.Conn().IsClosed() && tx.xid != "" {
			return s.afterLostCommit(ctx, tx, err)
		}
	}
	err = errors.Join(err, tx.rollback(ctx))
	if tx.failed != nil {
		return 0, undone(err)
	}
	return 0, err
}

// undone tells whether an error of the database left nothing behind that would keep the work from being run again.
func undone(err error) error {
	if isContention(err) || isAway(err) {
		return &undoneError{err}
	}
	return unavailable(err)
}

// afterLostCommit finds out what became of a commit whose answer did not come. Without this an import would be told to
// have failed that is there, or run again and find its own people taken.
func (s *Imports) afterLostCommit(ctx context.Context, tx *importTx, lost error) (int64, error) {
	pause := firstPause
	if ctx.Err() != nil { // perhaps it was done before it could be cancelled
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), longestWait)
		defer cancel()
	}
	for range maxAttempts {
		there, err := s.find(ctx, tx)
		switch {
		case err == nil && there:
			return tx.id, nil
		case err == nil:
			return 0, &undoneError{lost}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %w", lost, ctx.Err())
		case <-time.After(pause):
			pause = min(2*pause, longestWait)
		}
	}
	return 0, fmt.Errorf("%w: it is not known whether it took place: %w", ports.ErrUnavailable, lost)
}

// find tells whether the row of an import is there. It returns an error where that is not decided yet.
//
// The row is what counts, found by its date as well: a server that was restored, or promoted, without the transaction gives its
// numbers, that of the row and that of the transaction, to others.
func (s *Imports) find(ctx context.Context, tx *importTx) (there bool, err error) {
	var running *bool
	err = s.db.pool.QueryRow(ctx, "select pg_xact_status($1::text::xid8) = 'in progress'", tx.xid).Scan(&running)
	switch {
	case sqlState(err) == invalidParameterValue: // the number was not given out there yet
	case err != nil:
		return false, err
	case running != nil && *running:
		return false, errors.New("the transaction is still in progress")
	}
	err = s.db.pool.QueryRow(ctx, "select exists (select from codes where id = $1 and date = $2)", tx.id, tx.date).Scan(&there)
	if err != nil || !there {
		return false, err
	}
	return true, settle(ctx, s.db.pool)
}

// Reject implements ports.ImportStore.
func (s *Imports) Reject(ctx context.Context, rejected ports.RejectedImport) (id int64, err error) {
	err = s.db.imports.QueryRow(ctx, insertCode+" returning id",
		nil, nil, rejected.Status, rejected.Description, 0, 0, false, domain.DateOf(s.now()), rejected.Sender.TokenName, 0, rejected.Sender.User).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("insert into codes: %w", unavailable(err))
	}
	return id, nil
}
