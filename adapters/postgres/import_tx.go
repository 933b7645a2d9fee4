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

// importTx is the transaction of one import. Statements whose answers nobody waits for are queued, and sent along with
// the next that somebody waits for: an import of one object makes two round trips.
type importTx struct {
	conn   *pgx.Conn
	mode   ports.ImportMode
	queue  pgx.Batch
	failed error // what the database said when it failed the transaction

	id    int64     // of the row in codes
	date  time.Time // of that row
	xid   string    // of the transaction
	ids   []int64   // reserved for users, in ascending order
	taken *domain.Taken

	day       domain.Date // on which the statistics count the import
	reasons   map[domain.Reason]int
	originals bool // there are rejections with what they came with
	unkept    int  // rejections that are only counted

	rehearsed    [][2]string // kinds and keys that the last batch would take
	hasRehearsed bool        // there is a table of those of the batches before

	// cautious is how many batches are still to be looked up before the import is hopeful again, caution how many they
	// are after the next disappointment. It doubles each time, so that the batches copied in vain are few.
	cautious, caution int
}

// maxCaution bounds how long one disappointment is remembered.
const maxCaution = 64

// newImportTx makes the transaction, which begins with what is sent first.
func newImportTx(conn *pgx.Conn, mode ports.ImportMode, day domain.Date) *importTx {
	tx := &importTx{conn: conn, mode: mode, day: day, taken: domain.NewTaken(), cautious: 1, caution: 1}
	begin := "begin"
	if mode.DryRun {
		begin += " isolation level repeatable read" // nothing keeps others out of what one batch found free when the next is looked up
	}
	tx.queue.Queue(begin)
	return tx
}

// prepare queues what comes before the first batch.
//
// The settings make the planner look every key up in its index, whatever it thinks of a table that has just grown a
// thousandfold, and keep it from looking at each of ten thousand keys to plan.
func (tx *importTx) prepare() {
	timeout := giveWay
	if tx.mode.Exclusive && !tx.mode.DryRun {
		timeout = "0"
		tx.queue.Queue("select pg_advisory_xact_lock($1)", int64(lockExclusiveImports))
	}
	tx.queue.Queue(beginImport+`
		from set_config('lock_timeout', $1, true) a, set_config('enable_seqscan', 'off', true) b,
			set_config('plan_cache_mode', 'force_generic_plan', true) c`, timeout).
		QueryRow(tx.begun)
}

const beginImport = "select nextval('codes_id_seq'), clock_timestamp(), pg_current_xact_id()::text"

func (tx *importTx) begun(row pgx.Row) error { return row.Scan(&tx.id, &tx.date, &tx.xid) }

// follow returns one more import in the same transaction, and knows that it may come to nothing before it is sent.
func (tx *importTx) follow() *importTx {
	next := &importTx{conn: tx.conn, mode: tx.mode, day: tx.day, taken: domain.NewTaken(), cautious: 1, caution: 1, queue: tx.queue}
	next.queue.QueuedQueries = slices.Clip(next.queue.QueuedQueries)
	next.queue.Queue(beginImport).QueryRow(next.begun)
	return next
}

// send sends what is queued and waits for all answers.
func (tx *importTx) send(ctx context.Context) error {
	err := tx.conn.SendBatch(ctx, &tx.queue).Close()
	tx.queue = pgx.Batch{}
	return tx.check(err)
}

// check remembers that the database failed the transaction.
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

const takenInRehearsalSQL = takenSQL + ` union all
	select kind, key from rehearsed where kind = 'login' and key = any($1) union all
	select kind, key from rehearsed where kind = 'email' and key = any($2) union all
	select kind, key from rehearsed where kind = 'phone' and key = any($3)`

// Taken implements ports.ImportTx. For COPY it also reserves the ids that the batch can need.
//
// Most files have no one in them who is registered already, and then looking up is a fifth of the import's time. So an
// exclusive import is hopeful: once a batch was looked up in vain, it copies the next without asking, and asks only if
// the unique indexes object. See cautious.
func (tx *importTx) Taken(ctx context.Context, objects []domain.Object) (*domain.Taken, error) {
	err := tx.recordRehearsed(ctx)
	if err != nil {
		return nil, err
	}
	copies := tx.mode.Exclusive && !tx.mode.DryRun
	lookup := !copies || tx.cautious > 0
	var logins, emails, phones []string
	valid := 0
	for i := range objects {
		if objects[i].Violations == nil {
			valid++
			if !lookup {
				continue
			}
		}
		reg := &objects[i].Registration
		if key := reg.Login.Key(); key != "" {
			logins = append(logins, key)
		}
		if key := reg.Email.Key(); key != "" {
			emails = append(emails, key)
		}
		if digits := reg.Phone.String(); digits != "" {
			phones = append(phones, digits)
		}
	}
	if copies {
		tx.reserve(valid)
	}
	tx.taken.Clear()
	found := false
	if len(logins)+len(emails)+len(phones) > 0 {
		sql := takenSQL
		if tx.hasRehearsed {
			sql = takenInRehearsalSQL
		}
		tx.queue.Queue(sql, logins, emails, phones).Query(func(rows pgx.Rows) error {
			var err error
			found, err = addTaken(rows, tx.taken)
			return err
		})
	}
	if copies {
		tx.queue.Queue("savepoint batch")
	}
	err = tx.send(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	switch {
	case found:
		tx.cautious = tx.caution
	case lookup && tx.cautious > 0:
		tx.cautious--
	}
	return tx.taken, nil
}

// addTaken adds the rows of takenSQL to the set, and tells whether there are any.
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

// reserve queues what makes ids for as many users.
func (tx *importTx) reserve(users int) {
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

// Add implements ports.ImportTx. An exclusive import copies, and returns to its savepoint if somebody was faster. Any
// other is short: what it adds is sent with its commit, and if that fails the import is run again.
func (tx *importTx) Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	kept := keptOnly(rejections)
	if tx.mode.DryRun {
		err := tx.rehearse(ctx, accounts, kept)
		tx.count(rejections)
		return err
	}
	if !tx.mode.Exclusive {
		tx.queueInserts(accounts, kept)
		tx.count(rejections)
		return nil
	}
	err := tx.copyBatch(ctx, accounts, kept)
	if err != nil && sqlState(err) == uniqueViolation {
		// As they are, not prepared: a transaction that has failed takes nothing else.
		_, err = tx.conn.PgConn().Exec(ctx, "rollback to savepoint batch; release savepoint batch").ReadAll()
		if tx.check(err) != nil {
			return fmt.Errorf("undo batch: %w", err)
		}
		tx.failed = nil
		tx.caution = min(2*tx.caution, maxCaution)
		tx.cautious = tx.caution
		return ports.ErrTaken
	}
	if err != nil {
		return err
	}
	tx.ids = tx.ids[len(accounts):]
	tx.queue.Queue("release savepoint batch")
	tx.count(rejections)
	return nil
}

// keptOnly returns the rejections that are stored. Most imports have no others.
func keptOnly(rejections []domain.Rejection) []domain.Rejection {
	isUnkept := func(r domain.Rejection) bool { return r.CountedOnly }
	if !slices.ContainsFunc(rejections, isUnkept) {
		return rejections
	}
	return slices.DeleteFunc(slices.Clone(rejections), isUnkept)
}

// rehearse stores what is rejected, and remembers what accounts would take: the next batch must know it, and nobody else
// sees it.
func (tx *importTx) rehearse(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	tx.rehearsed = make([][2]string, 0, 3*len(accounts))
	for i := range accounts {
		reg := &accounts[i].Registration
		for _, key := range [...][2]string{{"login", reg.Login.Key()}, {"email", reg.Email.Key()}, {"phone", reg.Phone.String()}} {
			if key[1] != "" {
				tx.rehearsed = append(tx.rehearsed, key)
			}
		}
	}
	return tx.copyRejections(ctx, rejections)
}

// recordRehearsed stores what the batch before would take. An import of one batch never does, and then writes nothing.
func (tx *importTx) recordRehearsed(ctx context.Context) error {
	if len(tx.rehearsed) == 0 {
		return nil
	}
	tx.queue.Queue(`create temporary table if not exists rehearsed (kind text, key text collate "C", primary key (kind, key)) on commit drop`)
	err := tx.send(ctx) // before a statement is prepared that asks it
	if err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	keys := tx.rehearsed
	tx.rehearsed, tx.hasRehearsed = nil, true
	return tx.copy(ctx, "rehearsed (kind, key)", len(keys),
		func(b copyRow, i int) copyRow { return b.fields(2).text(keys[i][0]).text(keys[i][1]) })
}

// count counts the reasons for which objects were refused.
func (tx *importTx) count(rejections []domain.Rejection) {
	if tx.reasons == nil && len(rejections) > 0 {
		tx.reasons = map[domain.Reason]int{}
	}
	for i := range rejections {
		tx.originals = tx.originals || rejections[i].Original != nil
		if rejections[i].CountedOnly {
			tx.unkept++
		}
		for reason := range rejections[i].Violations.Reasons() {
			tx.reasons[reason]++
		}
	}
}

func (tx *importTx) copyBatch(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	err := tx.copy(ctx, "users (id, login, login_key, password_hash, email, email_key, phone)", len(accounts),
		func(b copyRow, i int) copyRow { return b.user(tx.ids[i], &accounts[i]) })
	if err != nil {
		return err
	}
	err = tx.copy(ctx, "profiles (fname, lname, patr, birthday, user_id)", len(accounts),
		func(b copyRow, i int) copyRow { return b.profile(tx.ids[i], &accounts[i].Registration) })
	if err != nil {
		return err
	}
	return tx.copyRejections(ctx, rejections)
}

func (tx *importTx) copyRejections(ctx context.Context, rejections []domain.Rejection) error {
	return tx.copy(ctx, "bad_users (code_id, object_id, login, login_key, description, violations, original)", len(rejections),
		func(b copyRow, i int) copyRow { return b.badUser(tx.id, &rejections[i]) })
}

// copy copies rows into a table. They are made while the server takes in those before them.
func (tx *importTx) copy(ctx context.Context, table string, rows int, appendRow func(copyRow, int) copyRow) error {
	if rows == 0 {
		return nil
	}
	_, err := tx.conn.PgConn().CopyFrom(ctx, newCopyReader(rows, appendRow), "copy "+table+" from stdin binary")
	if err != nil {
		return fmt.Errorf("copy into %s: %w", table, tx.check(err))
	}
	return nil
}

// Finish implements ports.ImportTx.
func (tx *importTx) Finish(ctx context.Context, tally domain.Tally, answer *ports.Answer) error {
	if tx.id == 0 {
		err := tx.send(ctx)
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	tx.queue.Queue(insertCode, tx.id, tx.date, tally.Status(), tally.Description(), tally.Registered, tally.Rejected,
		tx.originals, tx.day, tx.mode.Sender.TokenName, tx.unkept, tx.mode.Sender.User)
	if len(tx.reasons) > 0 {
		fields, codes, objects := columnsOf(tx.reasons)
		tx.queue.Queue(insertReasons, tx.id, fields, codes, objects)
	}
	if answer != nil {
		return tx.keep(ctx, tally, answer)
	}
	return nil
}

func (tx *importTx) commit(ctx context.Context) error {
	tx.queue.Queue("commit")
	err := tx.send(ctx)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// rollback ends a transaction that came to nothing, so that its connection can be used again.
func (tx *importTx) rollback(ctx context.Context) error {
	const idle = 'I'
	if tx.conn.IsClosed() || tx.conn.PgConn().TxStatus() == idle { // it is lost, or has not begun
		return nil
	}
	_, err := tx.conn.Exec(context.WithoutCancel(ctx), "rollback")
	return err
}
