package postgres

import (
	"context"
	"errors"
	"slices"

	"rollcall/domain"
	"rollcall/ports"
)

// A SharedImport is one of several small imports in a transaction.
type SharedImport struct {
	Sender domain.Sender
	Work   func(context.Context, ports.ImportTx) error

	ID  int64 // of the import's record; set by RunShared
	Err error // the error of Work, ErrUndone, or ErrUnavailable; set by RunShared
}

// ErrUndone is the end of a shared transaction that left nothing in the database. Each import can run again by itself.
var ErrUndone = errors.New("shared transaction was undone")

// RunShared runs imports one after another in one transaction. They share what a transaction costs by itself: the commit, and the round
// trips of its beginning and end. An import that fails before it has asked the database for anything does not affect the others.
func (s *Imports) RunShared(ctx context.Context, imports []*SharedImport) {
	conn, err := s.db.imports.Acquire(ctx)
	if err != nil {
		setErrors(imports, ErrUndone)
		return
	}
	defer conn.Release() // which closes a connection that is still in a transaction

	var tx, last *importTx                             // last is the last one whose work succeeded
	affected := make([]*SharedImport, 0, len(imports)) // by the end of the transaction
	for i, shared := range imports {
		tx = newImportTx(conn.Conn(), ports.ImportMode{Sender: shared.Sender}, domain.DateOf(s.now()))
		if last == nil {
			tx.queueBegin()
			tx.queueSettings()
		} else {
			tx.queueAfter(last)
		}
		queued := len(tx.queue.QueuedQueries)
		err = shared.Work(ctx, tx)
		if err != nil && tx.id == 0 && len(tx.queue.QueuedQueries) == queued {
			shared.Err, err = err, nil
			continue
		}
		if err != nil {
			affected = append(affected, imports[i:]...)
			break
		}
		shared.ID, last = tx.id, tx
		affected = append(affected, shared)
	}
	if len(affected) == 0 {
		return
	}
	if err == nil {
		err = last.commit(ctx)
		if err == nil {
			return
		}
		if last.mayBeCommitted() {
			_, err = s.resolveCommit(ctx, last, err)
			if _, isUndone := errors.AsType[*undoneError](err); !isUndone {
				setErrors(affected, err)
				return
			}
		}
	}
	_ = tx.rollback(ctx) // an error closes the connection
	setErrors(affected, ErrUndone)
}

// queueAfter queues one more import after the last one in the same transaction. If nothing of it is sent, the queue of the last one is
// as it was.
func (tx *importTx) queueAfter(last *importTx) {
	tx.queue.QueuedQueries = slices.Clip(last.queue.QueuedQueries)
	tx.queue.Queue(identifyImport).QueryRow(tx.scanIdentity)
}

func setErrors(imports []*SharedImport, err error) {
	for _, shared := range imports {
		shared.Err = err
	}
}
