package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// giveWay is the lock_timeout of imports that are not exclusive, and of registrations. It is below PostgreSQL's deadlock_timeout of one
// second: they have given way before the server looks for a victim.
const giveWay = "500ms"

// Imports stores imports.
type Imports struct {
	db  *DB
	now func() time.Time

	// exclusive and dryRuns each admit one exclusive import of this instance, so that those that wait hold no connections.
	exclusive, dryRuns chan struct{}

	// many admits the imports of many records that run concurrently.
	many chan struct{}

	keys sync.Map // of the running imports of this instance

	mu       sync.Mutex
	optimism optimism // of imports that are alone in their transaction
}

// NewImports returns the store in db. The location of now decides on which day an import is counted.
func NewImports(db *DB, now func() time.Time) *Imports {
	return &Imports{
		db: db, now: now,
		exclusive: make(chan struct{}, 1), dryRuns: make(chan struct{}, 1), many: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		optimism: newOptimism(),
	}
}

// An undoneError is the end of a transaction that left nothing in the database, and can run again.
type undoneError struct{ cause error }

func (e *undoneError) Error() string { return e.cause.Error() }
func (e *undoneError) Unwrap() error { return e.cause }

// undone returns an undoneError if the transaction can run again after an error of the database.
func undone(err error) error {
	if isContention(err) || isAway(err) {
		return &undoneError{err}
	}
	return unavailable(err)
}

// Do implements ports.ImportStore. An import that clashed with another transaction becomes exclusive: it waits until the other
// transaction has ended, and does not give way again.
func (s *Imports) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (id int64, err error) {
	return s.run(ctx, mode, 0, work)
}

// RunAgain runs an import by itself that RunShared has undone. The import keeps the id that it has taken, because a reader of the report
// would look for the import with a skipped one.
func (s *Imports) RunAgain(
	ctx context.Context, mode ports.ImportMode, undone *SharedImport, work func(context.Context, ports.ImportTx) error,
) (id int64, err error) {
	return s.run(ctx, mode, undone.taken, work)
}

// run runs an import whose id may be taken already; 0 for an import without one.
func (s *Imports) run(
	ctx context.Context, mode ports.ImportMode, taken int64, work func(context.Context, ports.ImportTx) error,
) (id int64, err error) {
	if !mode.Key.IsZero() {
		_, running := s.keys.LoadOrStore(mode.Key, nil)
		if running {
			return 0, ports.ErrKeyRunning
		}
		defer s.keys.Delete(mode.Key)
	}
	err = retry(ctx, maxAttempts, func(attempt int) (next, error) {
		id, err = s.try(ctx, mode, taken, work)
		taken = 0 // a server that takes over may give it to another import
		_, isUndone := errors.AsType[*undoneError](err)
		switch {
		case attempt > 1 && errors.Is(err, ports.ErrKeyRunning):
			// The server still runs the attempt before, because it has not noticed yet that its connection is lost.
			return later, &undoneError{fmt.Errorf("%w: %w", ports.ErrUnavailable, err)}
		case !isUndone:
			return stop, err
		case isContention(err):
			mode.Exclusive = true
			return again, err
		default:
			return later, err
		}
	})
	if _, isUndone := errors.AsType[*undoneError](err); isUndone {
		return 0, unavailable(err)
	}
	return id, err
}

// try runs the work once. It returns an undoneError if the import can run again.
func (s *Imports) try(
	ctx context.Context, mode ports.ImportMode, taken int64, work func(context.Context, ports.ImportTx) error,
) (int64, error) {
	leave, err := s.takeTurn(ctx, mode)
	if err != nil {
		return 0, err
	}
	defer leave()
	conn, err := s.db.imports.Acquire(ctx)
	if err != nil {
		return 0, undone(fmt.Errorf("connect: %w", err))
	}
	defer conn.Release() // which closes a connection that is still in a transaction

	tx := newImportTx(conn.Conn(), mode, ports.OriginOf(ctx), domain.DateOf(s.now()))
	tx.queueBegin()
	err = tx.claimKey(ctx)
	if err == nil {
		tx.queueSettings(taken)
		err = work(ctx, tx)
	}
	if err == nil {
		err = tx.commit(ctx)
		switch {
		case err == nil:
			return tx.id, nil
		case tx.mayBeCommitted():
			return s.resolveCommit(ctx, tx, err)
		}
	}
	err = errors.Join(err, tx.rollback(ctx))
	if tx.failed != nil {
		return 0, undone(err)
	}
	return 0, err
}

// takeTurn waits until an import of a mode may run, and returns a function that ends its turn.
func (s *Imports) takeTurn(ctx context.Context, mode ports.ImportMode) (leave func(), err error) {
	var turns chan struct{}
	switch {
	case mode.Exclusive && mode.DryRun:
		turns = s.dryRuns
	case mode.Exclusive:
		turns = s.exclusive
	case mode.Many:
		turns = s.many
	default:
		return func() {}, nil
	}
	select {
	case turns <- struct{}{}:
		return func() { <-turns }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for other imports: %w", ctx.Err())
	}
}

// resolveCommit finds out whether a commit took place whose answer did not arrive. Without it, an import that is stored would be
// reported as failed, or run again and reject its own users.
func (s *Imports) resolveCommit(ctx context.Context, tx *importTx, lost error) (int64, error) {
	if ctx.Err() != nil { // the commit may have preceded the cancellation
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), longestPause)
		defer cancel()
	}
	var committed bool
	err := retry(ctx, maxAttempts, func(int) (next, error) {
		var err error
		committed, err = s.isCommitted(ctx, tx)
		if err != nil {
			return later, err
		}
		return stop, nil
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: cannot find out whether the import was committed: %w: %w", ports.ErrUnavailable, lost, err)
	case !committed:
		return 0, &undoneError{lost}
	}
	return tx.id, nil
}

// isCommitted reports whether the row of an import exists. It returns an error while its transaction is in progress.
//
// The transaction's status alone is not enough, and the row must have the import's date, too. A server that was restored, or promoted
// without the transaction, gives the numbers of both the row and the transaction to others.
func (s *Imports) isCommitted(ctx context.Context, tx *importTx) (committed bool, err error) {
	var inProgress *bool
	err = s.db.pool.QueryRow(ctx, "select pg_xact_status($1::text::xid8) = 'in progress'", tx.xid).Scan(&inProgress)
	switch {
	case sqlState(err) == invalidParameterValue: // this server has not used the number yet
	case err != nil:
		return false, err
	case inProgress != nil && *inProgress:
		return false, errors.New("the transaction is still in progress")
	}
	err = s.db.pool.QueryRow(ctx, "select exists (select from codes where id = $1 and date = $2)", tx.id, tx.date).Scan(&committed)
	if err != nil || !committed {
		return false, err
	}
	return true, settle(ctx, s.db.pool)
}

// Reject implements ports.ImportStore.
func (s *Imports) Reject(ctx context.Context, rejected ports.RejectedImport) (id int64, err error) {
	sender, day := rejected.Sender, domain.DateOf(s.now())
	note := newImportNote(ports.OriginOf(ctx), sender, 0, rejected.Status, nil)
	args := append([]any{nil, nil, rejected.Status, rejected.Description, 0, 0, false, day, sender.TokenName, 0, sender.User, false, nil},
		noteArgs(note.origin, &note.entry)...)
	err = s.db.imports.QueryRow(ctx, insertImport, args...).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("insert into codes: %w", unavailable(err))
	}
	return id, nil
}
