package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// A bulk change changes firstBulkBatch users in its first round trip, so that PostgreSQL has work soon, and up to bulkBatch in the others.
const (
	firstBulkBatch = 512
	bulkBatch      = 8192
)

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

	bulk := &bulkTx{tx: tx, reader: tx.Conn(), mode: mode, origin: ports.OriginOf(ctx)}
	if stat := d.db.imports.Stat(); 2*stat.AcquiredConns() < stat.MaxConns() {
		conn, err := d.db.imports.Acquire(ctx)
		if err != nil {
			return fmt.Errorf("acquire connection to read: %w", unavailable(err))
		}
		defer conn.Release()
		bulk.reader = conn.Conn()
	}
	err = bulk.do(ctx, work)
	if err != nil {
		return err
	}
	err = tx.Commit(ctx)
	if err != nil {
		return fmt.Errorf("commit changes: %w", mark(err))
	}
	return nil
}

// A bulkTx is the transaction of a bulk change. While the caller decides how the users of a batch change, PostgreSQL changes those before,
// and another connection reads those after them. That connection sees what others have committed before the users were locked; later no one
// changes them. The transaction acquires it before it locks users, and reads them itself if few connections are free.
type bulkTx struct {
	tx     pgx.Tx
	reader *pgx.Conn  // that of tx, or another one
	sends  sync.Mutex // is held while statements run in tx
	mode   ports.BulkMode
	origin ports.Origin
	queue  pgx.Batch

	ids     []int64 // of all selected users, in ascending order
	still   []int64 // of those whom the filter selects after they are locked
	next    int     // place in ids of the users who have not been read
	batch   []int64 // of the users whom Next has returned
	deletes bool

	reading func() ([]ports.SelectedUser, error) // returns the batch that is being read; nil for none
	sending func() (any, error)                  // waits for the statements that are being sent; nil for none
}

// background runs f in a goroutine, and returns a function that waits for the result.
func background[T any](f func() (T, error)) func() (T, error) {
	wait := sync.OnceValues(f)
	go func() { _, _ = wait() }()
	return wait
}

// do begins the change and runs work. Nothing runs in the transaction afterwards.
func (b *bulkTx) do(ctx context.Context, work func(context.Context, ports.BulkTx) error) error {
	defer b.wait()
	err := b.begin(ctx)
	if err != nil {
		return err
	}
	return work(ctx, b)
}

// begin claims the key, and selects and locks the users. After it locks them, it applies the filter again: others may have changed users
// since they were selected, and the result must equal some order of the changes.
func (b *bulkTx) begin(ctx context.Context) error {
	claim := queueClaim(&b.queue, b.mode.Key)
	err := b.send(ctx, "claim key")
	if err == nil {
		err = claim.err()
	}
	if err != nil {
		return err
	}
	isFilter := b.mode.Selection.IDs == nil
	if isFilter {
		b.queueFind(&b.ids)
		err = b.send(ctx, "select users")
		if err != nil {
			return err
		}
	} else {
		b.ids = slices.Compact(slices.Sorted(slices.Values(b.mode.Selection.IDs)))
		b.still = b.ids
	}
	b.queue.Queue(byKey)
	b.queue.Queue(lockUsers, b.ids)
	if isFilter {
		b.queueFind(&b.still)
	}
	return b.send(ctx, "lock users")
}

// byKey makes the planner look up every key in its index, as in an import.
const byKey = "select set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)"

// queueFind queues a query for the ids of the users whom the filter selects, in ascending order.
func (b *bulkTx) queueFind(found *[]int64) {
	condition, args := selectionSQL(&b.mode.Selection, b.mode.Terms)
	b.queue.Queue("select d.user_id from directory d where "+condition+" order by d.user_id", args).Query(func(rows pgx.Rows) (err error) {
		*found, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
}

// send sends the queued statements.
func (b *bulkTx) send(ctx context.Context, operation string) error {
	err := b.sent()
	if err != nil {
		return err
	}
	err = b.run(ctx, b.tx.Conn(), &b.queue)
	b.queue = pgx.Batch{}
	if err != nil {
		return fmt.Errorf("%s: %w", operation, mark(err))
	}
	return nil
}

// run runs statements in a connection.
func (b *bulkTx) run(ctx context.Context, conn *pgx.Conn, queue *pgx.Batch) error {
	if conn == b.tx.Conn() {
		b.sends.Lock()
		defer b.sends.Unlock()
	}
	return conn.SendBatch(ctx, queue).Close() //nolint:wrapcheck // callers wrap it
}

// Selected implements ports.BulkTx.
func (b *bulkTx) Selected() int { return len(b.ids) }

// Next implements ports.BulkTx.
func (b *bulkTx) Next(ctx context.Context) ([]ports.SelectedUser, error) {
	if b.reading == nil {
		b.readAhead(ctx)
	}
	users, err := b.reading()
	if err != nil {
		return nil, cmp.Or(b.sent(), fmt.Errorf("read users: %w", unavailable(err))) // an earlier error makes a read in the transaction fail
	}
	b.batch = b.ids[b.next-len(users) : b.next]
	b.readAhead(ctx)
	return users, nil
}

// readAhead starts to read the next batch.
func (b *bulkTx) readAhead(ctx context.Context) {
	ids := b.ids[b.next:min(len(b.ids), b.next+min(max(b.next, firstBulkBatch), bulkBatch))]
	b.next += len(ids)
	b.reading = background(func() ([]ports.SelectedUser, error) { return b.read(ctx, ids) })
}

// read reads users who are locked.
func (b *bulkTx) read(ctx context.Context, ids []int64) ([]ports.SelectedUser, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var users []*domain.User
	var queue pgx.Batch
	queue.Queue(byKey)
	queueRead(&queue, b.reader, ids, &users)
	err := b.run(ctx, b.reader, &queue)
	selected := make([]ports.SelectedUser, len(ids))
	for i, id := range ids {
		if len(users) > 0 && users[0].ID == id {
			selected[i].User, users = users[0], users[1:]
		}
		_, isSelected := slices.BinarySearch(b.still, id)
		selected[i].Left = !isSelected
	}
	return selected, err
}

// Change implements ports.BulkTx.
func (b *bulkTx) Change(ctx context.Context, changes []ports.AccountChange) error {
	b.deletes = b.deletes || slices.ContainsFunc(changes, func(c ports.AccountChange) bool { return c.Deleted })
	queueChanges(&b.queue, b.origin, b.batch, changes)
	err := b.sent()
	if err != nil {
		return err
	}
	queue := b.queue
	b.queue = pgx.Batch{}
	b.sending = background(func() (any, error) { return nil, b.run(ctx, b.tx.Conn(), &queue) })
	return nil
}

// wait waits for what runs concurrently.
func (b *bulkTx) wait() {
	_ = b.sent()
	if b.reading != nil {
		_, _ = b.reading()
	}
}

// sent waits for the statements that are being sent.
func (b *bulkTx) sent() error {
	if b.sending == nil {
		return nil
	}
	_, err := b.sending()
	if err != nil {
		return fmt.Errorf("change users: %w", mark(err))
	}
	return nil
}

// Finish implements ports.BulkTx. The answer of a deletion names people who are deleted already.
func (b *bulkTx) Finish(ctx context.Context, tally domain.Tally, answer *ports.Answer, entry domain.AuditEntry) error {
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
