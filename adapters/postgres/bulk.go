package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// bulkBatch is the number of users whom a bulk change changes in a round trip.
const bulkBatch = 8192

// ChangeMany implements ports.DirectoryStore. It locks users in the order of their ids, so that two changes cannot block each other. It has
// a connection of imports, because it may take as long as one.
func (d *Directory) ChangeMany(ctx context.Context, mode ports.BulkMode, work func(context.Context, ports.BulkTx) error) error {
	return retry(ctx, maxChangeAttempts, func(int) (next, error) {
		err := d.changeMany(ctx, mode, work)
		switch sqlState(err) {
		case deadlockDetected, serializationFailure:
			return again, unavailable(err)
		}
		return stop, err
	})
}

func (d *Directory) changeMany(ctx context.Context, mode ports.BulkMode, work func(context.Context, ports.BulkTx) error) error {
	tx, err := d.db.imports.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // without effect after a commit

	bulk := &bulkTx{tx: tx, mode: mode, origin: ports.OriginOf(ctx)}
	defer bulk.wait() // before the rollback
	err = bulk.begin(ctx)
	if err != nil {
		return err
	}
	err = work(ctx, bulk)
	if err != nil {
		return err
	}
	err = tx.Commit(ctx)
	if err != nil {
		return fmt.Errorf("commit changes: %w", mark(err))
	}
	return nil
}

// A bulkTx is the transaction of a bulk change.
type bulkTx struct {
	tx     pgx.Tx
	mode   ports.BulkMode
	origin ports.Origin
	queue  pgx.Batch

	ids     []int64 // of all selected users, in ascending order
	next    int     // place in ids of the users who have not been read
	batch   []int64 // of the users whom Next has returned
	deletes bool

	ahead chan bulkRead // receives the batch that is being read; nil for none
}

// A bulkRead is a batch that was locked and read.
type bulkRead struct {
	ids   []int64
	users []ports.SelectedUser
	err   error
}

// begin claims the key and selects the users.
func (b *bulkTx) begin(ctx context.Context) error {
	claim := queueClaim(&b.queue, b.mode.Key)
	err := b.send(ctx, "claim key")
	if err == nil {
		err = claim.err()
	}
	if err != nil {
		return err
	}
	if b.mode.Selection.IDs == nil {
		b.queueFind(&b.queue, "", nil, &b.ids)
		err = b.send(ctx, "select users")
	} else {
		b.ids = slices.Compact(slices.Sorted(slices.Values(b.mode.Selection.IDs)))
	}
	// As in an import, the planner then looks up every key in its index.
	b.queue.Queue("select set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)")
	return err
}

// queueFind queues a query for the ids of users that the filter selects and a condition restricts, in ascending order. The condition has the
// ids of a batch as @batch.
func (b *bulkTx) queueFind(queue *pgx.Batch, restriction string, batch []int64, found *[]int64) {
	condition, args := selectionSQL(&b.mode.Selection, b.mode.Terms)
	args["batch"] = batch
	queue.Queue("select d.user_id from directory d where "+condition+restriction+" order by d.user_id", args).Query(func(rows pgx.Rows) (err error) {
		*found, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
}

// send sends the queued statements.
func (b *bulkTx) send(ctx context.Context, operation string) error {
	err := b.tx.SendBatch(ctx, &b.queue).Close()
	b.queue = pgx.Batch{}
	if err != nil {
		return fmt.Errorf("%s: %w", operation, mark(err))
	}
	return nil
}

// Selected implements ports.BulkTx.
func (b *bulkTx) Selected() int { return len(b.ids) }

// Next implements ports.BulkTx. While the caller decides how users change, PostgreSQL changes those before and reads those after them.
func (b *bulkTx) Next(ctx context.Context) ([]ports.SelectedUser, error) {
	if b.ahead == nil {
		b.readAhead(ctx)
	}
	read := b.wait()
	if read.err != nil || len(read.ids) == 0 {
		return nil, read.err
	}
	b.batch = read.ids
	b.readAhead(ctx)
	return read.users, nil
}

// readAhead starts to send the changes that the caller has decided, and to read the next batch.
func (b *bulkTx) readAhead(ctx context.Context) {
	ids, queue := b.ids[b.next:min(len(b.ids), b.next+bulkBatch)], b.queue
	if len(ids) == 0 && queue.Len() == 0 {
		return
	}
	b.next += len(ids)
	b.queue = pgx.Batch{}
	ahead := make(chan bulkRead, 1)
	b.ahead = ahead
	go func() {
		users, err := b.read(ctx, &queue, ids)
		ahead <- bulkRead{ids, users, err}
	}()
}

// wait returns the batch that is being read, an empty one for none.
func (b *bulkTx) wait() (read bulkRead) {
	if b.ahead != nil {
		read = <-b.ahead
		b.ahead = nil
	}
	return read
}

// read sends queued statements, and locks and reads users. After it locks users, it applies the filter again to those whom other transactions
// have changed since they were selected, so that the result equals some order of the changes.
func (b *bulkTx) read(ctx context.Context, queue *pgx.Batch, ids []int64) ([]ports.SelectedUser, error) {
	var users []*domain.User
	still := ids
	if len(ids) > 0 {
		queueLock(queue, b.tx, ids, &users)
		if b.mode.Selection.IDs == nil {
			b.queueFind(queue, " and d.user_id = any(@batch)", ids, &still)
		}
	}
	err := b.tx.SendBatch(ctx, queue).Close()
	if err != nil {
		return nil, fmt.Errorf("change and read users: %w", mark(err))
	}
	selected := make([]ports.SelectedUser, len(ids))
	for i, id := range ids {
		if len(users) > 0 && users[0].ID == id {
			selected[i].User, users = users[0], users[1:]
		}
		_, isSelected := slices.BinarySearch(still, id)
		selected[i].Left = !isSelected
	}
	return selected, nil
}

// Change implements ports.BulkTx.
func (b *bulkTx) Change(_ context.Context, changes []ports.AccountChange) error {
	b.deletes = b.deletes || slices.ContainsFunc(changes, func(c ports.AccountChange) bool { return c.Deleted })
	queueChanges(&b.queue, b.origin, b.batch, changes)
	return nil
}

// Finish implements ports.BulkTx. The answer of a deletion names people who are deleted already.
func (b *bulkTx) Finish(ctx context.Context, tally domain.Tally, answer *ports.Answer, entry domain.AuditEntry) error {
	if read := b.wait(); read.err != nil {
		return read.err
	}
	b.queue.Queue(recordSQL, noteArgs(b.origin, &entry)...)
	owner := answerOwner{key: b.mode.Key}
	if !b.deletes {
		owner.users = b.ids
	}
	err := queueAnswer(&b.queue, func() error { return b.send(ctx, "store answer") }, owner, tally, answer)
	if err != nil {
		return err
	}
	return b.send(ctx, "finish changes")
}
