package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// An importTx is the transaction of one import. It queues statements whose results the import does not wait for, and sends them with
// the next statement whose result it needs: an import of one record takes one or two round trips.
type importTx struct {
	conn   *pgx.Conn
	mode   ports.ImportMode
	origin ports.Origin
	queue  pgx.Batch
	failed error // with which the database aborted the transaction

	id   int64     // of the row in codes; 0 until the database has supplied it
	date time.Time // of that row
	xid  string    // of the transaction
	ids  []int64   // reserved for users, in ascending order

	usersAfter int64 // an id before those of the import's users
	hasUsers   bool

	taken *domain.Taken

	day          domain.Date // on which the statistics count the import
	reasons      map[domain.Reason]int
	hasOriginals bool // some rejections have originals
	unkept       int  // rejections that are counted and not stored

	notes []importNote // to store with the commit, also those of earlier imports in the same transaction

	isAlone bool            // the transaction is one round trip
	proof   *domain.Account // an inserted account: if it is stored, the import is; nil for none

	isShared bool // other imports have the same transaction, and one look-up has found what is taken for all of them
	hasAsked bool // which keys are taken

	optimism optimism
	dryRun   dryRun

	checksOnce       bool // the import checks the references of copied rows itself
	copiedRejections int
	dangling         bool // a check of references failed
}

// newImportTx returns a transaction. Queue begin first.
func newImportTx(conn *pgx.Conn, mode ports.ImportMode, origin ports.Origin, day domain.Date) *importTx {
	return &importTx{conn: conn, mode: mode, origin: origin, day: day, taken: domain.NewTaken(), optimism: newOptimism()}
}

// queueBegin queues the beginning of the transaction. What one batch of a dry run finds free must still be free for it at the next
// batch; as it blocks no other transaction, it needs one snapshot for that.
func (tx *importTx) queueBegin() {
	begin := "begin"
	if tx.mode.DryRun {
		begin += " isolation level repeatable read"
	}
	tx.queue.Queue(begin)
}

// importSettings are the settings of a transaction, as items of a FROM clause. The lock_timeout is a parameter. The planner looks up every
// key in its index, even in a table that has just grown a thousandfold, and does not look at each of ten thousand keys when it plans.
const importSettings = `set_config('lock_timeout', $%d, true) a, set_config('enable_seqscan', 'off', true) b,
	set_config('plan_cache_mode', 'force_generic_plan', true) c`

// queueSettings queues the settings of the transaction and the import's id, which may be taken already; 0 for a new one.
func (tx *importTx) queueSettings(taken int64) {
	lockTimeout := giveWay
	if tx.mode.Exclusive && !tx.mode.DryRun {
		lockTimeout = "0"
		tx.queue.Queue("select pg_advisory_xact_lock($1)", int64(lockExclusiveImports))
	}
	tx.queue.Queue(identifyImport+" from "+fmt.Sprintf(importSettings, 2), taken, lockTimeout).QueryRow(tx.scanIdentity)
	if tx.mode.Exclusive {
		tx.queue.Queue(mayCheckOnceSQL(tx.conn)).QueryRow(func(row pgx.Row) error { return row.Scan(&tx.checksOnce) })
	}
}

const identifyImport = "select coalesce(nullif($1::bigint, 0), nextval('codes_id_seq')), clock_timestamp(), pg_current_xact_id()::text, coalesce(pg_sequence_last_value('users_id_seq'), 0)"

func (tx *importTx) scanIdentity(row pgx.Row) error {
	return row.Scan(&tx.id, &tx.date, &tx.xid, &tx.usersAfter)
}

// knownID returns the import's id as a parameter of importID; nil if the database supplies it.
func (tx *importTx) knownID() *int64 {
	if tx.id == 0 {
		return nil
	}
	return &tx.id
}

// send sends the queued statements and waits for all results.
func (tx *importTx) send(ctx context.Context) error {
	err := tx.conn.SendBatch(ctx, &tx.queue).Close()
	tx.queue = pgx.Batch{}
	if tx.check(err) == nil && tx.dangling {
		return errDangling
	}
	return err
}

// check records an error that aborted the transaction.
func (tx *importTx) check(err error) error {
	if err != nil {
		tx.failed = err
	}
	return err
}

const takenSQL = `
	select 'login', login_key from users where login_key = any($1) union all
	select 'email', email_key from users where email_key = any($2) union all
	select 'phone', phone from users where phone = any($3)`

// copies reports whether the import copies its rows. Any other import inserts them, with arrays for columns.
func (tx *importTx) copies() bool { return tx.mode.Exclusive && !tx.mode.DryRun }

// Taken implements ports.ImportTx. For COPY it also reserves the ids that the batch can need, and sets a savepoint.
func (tx *importTx) Taken(ctx context.Context, records []domain.Record) (*domain.Taken, error) {
	tx.hasAsked = true
	if tx.isShared || tx.isAlone {
		return tx.taken, nil
	}
	err := tx.storeDryRun(ctx)
	if err != nil {
		return nil, err
	}
	lookUp := !tx.copies() || tx.optimism.shouldLookUp()
	var wanted keys
	valid := 0
	for i := range records {
		if records[i].Violations == nil {
			valid++
			if !lookUp {
				continue
			}
		}
		wanted.add(&records[i].Registration)
	}
	if tx.copies() {
		tx.reserveIDs(valid)
	}
	tx.taken.Clear()
	found := false
	tx.queueLookup(&wanted, &found)
	if tx.copies() {
		tx.queue.Queue("savepoint batch")
	}
	err = tx.send(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	switch {
	case found:
		tx.optimism.foundTaken()
	case lookUp:
		tx.optimism.foundNone()
	}
	return tx.taken, nil
}

// keys are logins, emails and phones to look up.
type keys struct{ logins, emails, phones []string }

func (k *keys) add(reg *domain.Registration) {
	k.logins = appendKey(k.logins, reg.Login.Key())
	k.emails = appendKey(k.emails, reg.Email.Key())
	k.phones = appendKey(k.phones, reg.Phone.String())
}

func appendKey(keys []string, key string) []string {
	if key == "" {
		return keys
	}
	return append(keys, key)
}

// queueLookup queues a look-up of keys. Its result adds the taken ones to the set, and says whether there are any.
func (tx *importTx) queueLookup(wanted *keys, found *bool) {
	if len(wanted.logins)+len(wanted.emails)+len(wanted.phones) == 0 {
		return
	}
	tx.queue.Queue(tx.takenSQL(), wanted.logins, wanted.emails, wanted.phones).Query(func(rows pgx.Rows) (err error) {
		*found, err = addTaken(rows, tx.taken)
		return err
	})
}

// addTaken adds the rows of takenSQL to a set, and reports whether there are any.
func addTaken(rows pgx.Rows, taken *domain.Taken) (found bool, err error) {
	var kind, key string
	_, err = pgx.ForEachRow(rows, []any{&kind, &key}, func() error {
		found = true
		switch kind {
		case "login":
			taken.AddLogin(key)
		case "email":
			taken.AddEmail(key)
		case "phone":
			taken.AddPhone(key)
		}
		return nil
	})
	return found, err
}

// reserveIDs queues the reservation of ids for a number of users.
func (tx *importTx) reserveIDs(users int) {
	missing := users - len(tx.ids)
	if missing <= 0 {
		return
	}
	tx.queue.Queue("select nextval('users_id_seq') from generate_series(1, $1)", missing).
		Query(func(rows pgx.Rows) error {
			var id int64
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
				tx.ids = append(tx.ids, id)
				return nil
			})
			return err
		})
}

// Add implements ports.ImportTx. An import that copies returns to its savepoint on a clash. Any other import is short: its rows are
// sent with the commit, and if that fails the whole import runs again.
func (tx *importTx) Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	stored := withoutCountedOnly(rejections)
	switch {
	case tx.mode.DryRun:
		tx.dryRun.add(accounts)
		err := tx.copyRejections(ctx, stored)
		if err != nil {
			return err
		}
	case tx.mode.Exclusive:
		err := tx.copyBatch(ctx, accounts, stored)
		if err != nil {
			return err
		}
	default:
		tx.queueInserts(accounts, stored)
	}
	tx.hasUsers = tx.hasUsers || len(accounts) > 0 && !tx.mode.DryRun
	tx.count(rejections)
	return nil
}

// withoutCountedOnly returns the rejections that are stored. Most imports have no others.
func withoutCountedOnly(rejections []domain.Rejection) []domain.Rejection {
	isCountedOnly := func(r domain.Rejection) bool { return r.CountedOnly }
	if !slices.ContainsFunc(rejections, isCountedOnly) {
		return rejections
	}
	return slices.DeleteFunc(slices.Clone(rejections), isCountedOnly)
}

// count counts rejections by reason.
func (tx *importTx) count(rejections []domain.Rejection) {
	if tx.reasons == nil && len(rejections) > 0 {
		tx.reasons = map[domain.Reason]int{}
	}
	for i := range rejections {
		tx.hasOriginals = tx.hasOriginals || rejections[i].Original != nil
		if rejections[i].CountedOnly {
			tx.unkept++
		}
		for reason := range rejections[i].Violations.Reasons() {
			tx.reasons[reason]++
		}
	}
}

// copyBatch copies a batch, or undoes it and returns ports.ErrTaken.
func (tx *importTx) copyBatch(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	err := tx.copy(ctx, copyUsers, len(accounts), func(b copyRow, i int) copyRow { return b.user(tx.ids[i], tx.id, &accounts[i]) })
	if err == nil {
		err = tx.copyReferring(ctx, copyProfiles, len(accounts), func(b copyRow, i int) copyRow { return b.profile(tx.ids[i], &accounts[i]) })
	}
	if err == nil {
		err = tx.copyRejections(ctx, rejections)
	}
	switch {
	case sqlState(err) == uniqueViolation:
		return tx.undoBatch(ctx)
	case err != nil:
		return err
	}
	if tx.checksOnce {
		tx.queueProfileCheck(tx.ids[:len(accounts)])
	}
	tx.ids = tx.ids[len(accounts):]
	tx.queue.Queue("release savepoint batch")
	return nil
}

func (tx *importTx) undoBatch(ctx context.Context) error {
	// An aborted transaction does not accept prepared statements.
	_, err := tx.conn.PgConn().Exec(ctx, "rollback to savepoint batch; release savepoint batch").ReadAll()
	if tx.check(err) != nil {
		return fmt.Errorf("undo batch: %w", err)
	}
	tx.failed = nil
	tx.optimism.clashed()
	return ports.ErrTaken
}

func (tx *importTx) copyRejections(ctx context.Context, rejections []domain.Rejection) error {
	err := tx.copyReferring(ctx, copyBadUsers, len(rejections), func(b copyRow, i int) copyRow { return b.badUser(tx.id, &rejections[i]) })
	if err == nil {
		tx.copiedRejections += len(rejections)
	}
	return err
}

// copyReferring copies rows that refer to other rows.
func (tx *importTx) copyReferring(ctx context.Context, table string, rows int, appendRow func(copyRow, int) copyRow) error {
	if tx.checksOnce {
		return tx.copyBy(ctx, withoutTriggers(copyInto(table)), rows, appendRow)
	}
	return tx.copy(ctx, table, rows, appendRow)
}

// copy copies rows into a table.
func (tx *importTx) copy(ctx context.Context, table string, rows int, appendRow func(copyRow, int) copyRow) error {
	return tx.copyBy(ctx, copyInto(table), rows, appendRow)
}

func copyInto(table string) string { return "copy " + table + " from stdin binary" }

// copyBy copies rows by a statement with a COPY. It encodes rows while the server takes in those before them.
func (tx *importTx) copyBy(ctx context.Context, sql string, rows int, appendRow func(copyRow, int) copyRow) error {
	if rows == 0 {
		return nil
	}
	_, err := tx.conn.PgConn().CopyFrom(ctx, newCopyReader(rows, appendRow), sql)
	if err != nil {
		return fmt.Errorf("%s: %w", sql, tx.check(err))
	}
	return nil
}

// Finish implements ports.ImportTx.
func (tx *importTx) Finish(ctx context.Context, tally domain.Tally, answer *ports.Answer) error {
	if tx.id == 0 && !tx.isAlone {
		err := tx.send(ctx)
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	code := []any{
		nil, nil, tally.Status(), tally.Description(), tally.Registered, tally.Rejected, tx.hasOriginals, tx.day,
		tx.mode.Sender.TokenName, tx.unkept, tx.mode.Sender.User, tx.hasUsers, nil,
	}
	note := newImportNote(tx.origin, tx.mode.Sender, tx.id, tally.Status(), &tally)
	if tx.isAlone {
		tx.queueRecord(code, note)
	} else {
		code[0], code[1], code[12] = tx.id, tx.date, tx.usersAfter
		tx.queue.Queue(insertCode, code...)
		tx.notes = append(tx.notes, note)
	}
	if len(tx.reasons) > 0 {
		fields, codes, records := reasonColumns(tx.reasons)
		tx.queue.Queue(insertReasons, tx.knownID(), fields, codes, records)
	}
	if tx.checksOnce {
		tx.queueRejectionCheck()
		err := tx.send(ctx) // before the commit is queued
		if err != nil {
			return fmt.Errorf("check references: %w", err)
		}
	}
	if answer != nil {
		return tx.storeAnswer(ctx, tally, answer)
	}
	return nil
}

func (tx *importTx) commit(ctx context.Context) error {
	tx.queueNotes()
	tx.queue.Queue("commit")
	err := tx.send(ctx)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// mayBeCommitted reports whether the connection was lost when the database may have committed the transaction.
func (tx *importTx) mayBeCommitted() bool { return tx.conn.IsClosed() && tx.xid != "" }

// rollback ends a failed transaction, so that its connection can be used again. A lost connection needs none, nor does a transaction
// that has not begun.
func (tx *importTx) rollback(ctx context.Context) error {
	const idle = 'I'
	if tx.conn.IsClosed() || tx.conn.PgConn().TxStatus() == idle {
		return nil
	}
	_, err := tx.conn.Exec(context.WithoutCancel(ctx), "rollback")
	return err
}
