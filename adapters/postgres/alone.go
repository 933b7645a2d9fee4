package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// A small import that no other shares its transaction with takes one round trip, because it does not look up its keys: it relies on the
// unique indexes, as large imports do. After a violation it runs again with a look-up, and so do the next ones (optimism.go).

// mayRunAlone reports whether an import takes one round trip. It needs a valid record, whose account the unique indexes admit only once.
func (s *Imports) mayRunAlone(shared *SharedImport) bool {
	isValid := func(r domain.Record) bool { return r.Violations == nil }
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.optimism.shouldLookUp() && slices.ContainsFunc(shared.Records, isValid)
}

// learn records whether a look-up found taken keys.
func (s *Imports) learn(found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found {
		s.optimism.foundTaken()
	} else {
		s.optimism.foundNone()
	}
}

func (s *Imports) clashed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.optimism.clashed()
}

// runAlone runs an import in one round trip. It takes a connection only after the work.
func (s *Imports) runAlone(ctx context.Context, shared *SharedImport) {
	tx := newImportTx(nil, ports.ImportMode{Sender: shared.Sender}, shared.Origin, domain.DateOf(s.now()))
	tx.isAlone = true
	shared.Err = shared.Work(ctx, tx)
	switch {
	case shared.Err != nil:
	case tx.proof == nil:
		shared.Err = ErrUndone
	default:
		shared.taken, shared.Err = s.storeAlone(ctx, tx)
		shared.ID = tx.id
	}
}

// storeAlone sends an import. If the connection is lost, the database may have stored the import, or may still store it. So storeAlone
// sends it again: the unique indexes admit it once. After a violation storeAlone returns the id that the import has taken.
func (s *Imports) storeAlone(ctx context.Context, tx *importTx) (taken int64, err error) {
	mayBeStored := false
	err = retry(ctx, maxAttempts, func(int) (next, error) {
		isLost, err := s.sendAlone(ctx, tx)
		mayBeStored = mayBeStored || isLost
		if sqlState(err) == uniqueViolation {
			if !mayBeStored {
				s.clashed()
				taken = tx.id
				return stop, ErrUndone
			}
			_, tx.id, err = s.db.findStored(ctx, tx.proof)
		}
		switch {
		case err == nil:
			return stop, nil
		case !mayBeStored, errors.Is(err, ports.ErrTaken):
			return stop, ErrUndone
		}
		return later, fmt.Errorf("find out whether the import is stored: %w", unavailable(err))
	})
	return taken, err
}

// sendAlone sends the statements of an import, which are one transaction, and reports whether the connection was lost.
func (s *Imports) sendAlone(ctx context.Context, tx *importTx) (isLost bool, err error) {
	conn, err := s.db.imports.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	var batch pgx.Batch
	for _, query := range tx.queue.QueuedQueries { // copies, because pgx sends a query only once
		batch.Queue(query.SQL, query.Arguments...).Fn = query.Fn
	}
	err = conn.SendBatch(ctx, &batch).Close()
	return conn.Conn().IsClosed(), err
}

var insertAlone = insertImport + ", " + fmt.Sprintf(importSettings, 24)

// queueRecord queues the row in codes and its note before all other rows, which refer to it.
func (tx *importTx) queueRecord(code []any, note importNote) {
	query := pgx.QueuedQuery{SQL: insertAlone, Arguments: slices.Concat(code, noteArgs(note.origin, &note.entry), []any{giveWay})}
	query.QueryRow(func(row pgx.Row) error { return row.Scan(&tx.id) })
	tx.queue.QueuedQueries = slices.Insert(tx.queue.QueuedQueries, 0, &query)
}
