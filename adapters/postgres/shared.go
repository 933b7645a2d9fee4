package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// A SharedImport is one of several small imports in a transaction.
type SharedImport struct {
	Sender  domain.Sender
	Origin  ports.Origin
	Records []domain.Record // all that the import has
	Work    func(context.Context, ports.ImportTx) error

	ID  int64 // of the import's record; set by RunShared
	Err error // the error of Work, ErrUndone, or ErrUnavailable; set by RunShared

	taken int64 // id that an undone import has taken; 0 for none
}

// ErrUndone is the end of a shared transaction that left nothing in the database. Each import can run again by itself.
var ErrUndone = errors.New("shared transaction was undone")

// RunShared runs imports one after another in one transaction of two round trips: one looks up the keys of all records, and one stores the
// rows of all imports and commits. An import that fails before it has asked which keys are taken does not affect the others. A single import
// can need only one round trip.
func (s *Imports) RunShared(ctx context.Context, imports []*SharedImport) {
	if len(imports) == 1 && s.mayRunAlone(imports[0]) {
		s.runAlone(ctx, imports[0])
		return
	}
	conn, err := s.db.imports.Acquire(ctx)
	if err != nil {
		setErrors(imports, ErrUndone)
		return
	}
	defer conn.Release() // which closes a connection that is still in a transaction

	txs, err := s.beginShared(ctx, conn.Conn(), imports)
	last := txs[0]                                     // the last one whose work succeeded
	affected := make([]*SharedImport, 0, len(imports)) // by the end of the transaction
	for i, shared := range imports {
		if err != nil {
			affected = imports
			break
		}
		tx := txs[i]
		tx.queue.QueuedQueries, tx.notes = slices.Clip(last.queue.QueuedQueries), slices.Clip(last.notes)
		err = shared.Work(ctx, tx)
		if err != nil && !tx.hasAsked {
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
	if err == nil && len(affected) > 0 {
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
	_ = last.rollback(ctx) // an error closes the connection
	setErrors(affected, ErrUndone)
}

// beginShared begins the transaction of several imports. Their parts of it share the set of taken keys: what one import adds is taken for
// the next.
func (s *Imports) beginShared(ctx context.Context, conn *pgx.Conn, imports []*SharedImport) ([]*importTx, error) {
	txs := make([]*importTx, len(imports))
	var wanted keys
	for i, shared := range imports {
		tx := newImportTx(conn, ports.ImportMode{Sender: shared.Sender}, shared.Origin, domain.DateOf(s.now()))
		tx.isShared, txs[i] = true, tx
		for n := range shared.Records {
			wanted.add(&shared.Records[n].Registration)
		}
	}
	first := txs[0]
	first.queueBegin()
	first.queueSettings(0)
	for _, tx := range txs[1:] {
		tx.taken = first.taken
		first.queue.Queue(identifyImport, 0).QueryRow(tx.scanIdentity)
	}
	found := false
	first.queueLookup(&wanted, &found)
	err := first.send(ctx)
	if err == nil {
		s.learn(found)
	}
	return txs, err
}

func setErrors(imports []*SharedImport, err error) {
	for _, shared := range imports {
		shared.Err = err
	}
}
