package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// Audit stores the audit. Stores that change data add their entries themselves, in the transaction of the change.
type Audit struct{ db *DB }

// NewAudit returns the store in db.
func NewAudit(db *DB) *Audit { return &Audit{db} }

// A note is a statement that adds an audit entry for each row of a table expression. Its parameters are noteArgs, from number first on.
type note struct {
	first int
	from  string // table expression with its condition; empty for one entry

	// Expressions that replace or complete a parameter; empty for none.
	user, importID string
	after          string // object to add to the parameter
}

func (n note) sql() string {
	parameters := []string{
		"$%d::text", "nullif($%d, '')", "$%d::text", "nullif($%d, '')", "nullif($%d, '')", "$%d::jsonb", "$%d::jsonb", "$%d::bigint",
		"nullif($%d::bigint, 0)", "nullif($%d::bigint, 0)",
	}
	for i := range parameters {
		parameters[i] = fmt.Sprintf(parameters[i], n.first+i)
	}
	const after, user, importID = 6, 8, 9
	if n.after != "" {
		parameters[after] += " || " + n.after
	}
	for i, expression := range map[int]string{user: n.user, importID: n.importID} {
		if expression != "" {
			parameters[i] = "coalesce(" + parameters[i] + ", " + expression + ")"
		}
	}
	sql := "insert into audit (actor, actor_name, action, address, request, before, after, left_out, user_id, import_id) select " +
		strings.Join(parameters, ", ")
	if n.from != "" {
		sql += " from " + n.from
	}
	return sql
}

// noteArgs returns the arguments of a note.
func noteArgs(origin ports.Origin, entry *domain.AuditEntry) []any {
	return []any{
		origin.Actor.Key(), origin.Actor.Name, string(entry.Action), origin.Address, origin.Request,
		jsonOf(entry.Before), jsonOf(entry.After), entry.LeftOut, entry.User, entry.Import,
	}
}

// jsonOf encodes what an entry says, nil for nothing. Entries have texts and numbers, which JSON can always encode.
func jsonOf(facts map[string]any) []byte {
	if facts == nil {
		return nil
	}
	text, err := json.Marshal(facts)
	if err != nil {
		panic(err)
	}
	return text
}

var recordSQL = note{first: 1}.sql()

// An importNote is the audit entry of an import, with its origin.
type importNote struct {
	origin ports.Origin
	entry  domain.AuditEntry
}

// newImportNote returns the note of an import. Its sender is the actor, if it has one. The tally is nil for an import whose records were not
// counted.
func newImportNote(origin ports.Origin, sender domain.Sender, id int64, status int, tally *domain.Tally) importNote {
	switch {
	case sender.Token != 0:
		origin.Actor = domain.Actor{Kind: domain.ActorToken, ID: sender.Token, Name: sender.TokenName}
	case sender.User != 0:
		origin.Actor = domain.UserActor(sender.User)
	}
	facts := map[string]any{"status": status}
	if tally != nil {
		facts["records"], facts["registered"], facts["rejected"] = tally.Records, tally.Registered, tally.Rejected
	}
	return importNote{origin, domain.AuditEntry{Action: domain.ImportAction(status), Import: id, After: facts}}
}

// noteImportsSQL adds the entries of all imports of a transaction. One statement costs a fraction of one for each.
const noteImportsSQL = `
	insert into audit (actor, actor_name, action, address, request, after, import_id)
	select actor, nullif(actor_name, ''), action, nullif(address, ''), nullif(request, ''), after::jsonb, import_id
	from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
		n (actor, actor_name, action, address, request, after, import_id)`

// queueNotes queues the notes of a transaction.
func (tx *importTx) queueNotes() {
	n := len(tx.notes)
	if n == 0 {
		return
	}
	actors, names, actions := make([]string, n), make([]string, n), make([]string, n)
	addresses, requests, facts, imports := make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i, note := range tx.notes {
		actors[i], names[i], actions[i] = note.origin.Actor.Key(), note.origin.Actor.Name, string(note.entry.Action)
		addresses[i], requests[i] = note.origin.Address, note.origin.Request
		facts[i], imports[i] = string(jsonOf(note.entry.After)), note.entry.Import
	}
	tx.queue.Queue(noteImportsSQL, actors, names, actions, addresses, requests, facts, imports)
}

// Record implements ports.Auditing.
func (a *Audit) Record(ctx context.Context, entry domain.AuditEntry) error {
	_, err := a.db.pool.Exec(ctx, recordSQL, noteArgs(ports.OriginOf(ctx), &entry)...)
	if err != nil {
		return fmt.Errorf("record audit entry: %w", unavailable(err))
	}
	return nil
}

const (
	// Entries have no logins. Those of accounts that exist are added for the reader.
	auditColumns = `e.id, e.at, e.actor,
		coalesce(e.actor_name, (select login from users where id = case when e.actor like 'user:%' then substr(e.actor, 6)::bigint end), ''),
		e.action, coalesce(e.user_id, 0), coalesce((select login from users where id = e.user_id), ''), coalesce(e.import_id, 0),
		coalesce(e.address, ''), coalesce(e.request, ''), e.before, e.after, e.left_out`

	// auditPeriodSQL finds the lowest id from @from on, and the highest id before @until: ids have the order of times.
	auditPeriodSQL = `
		select case when @from::timestamptz is null then 1
				else coalesce((select id from audit where at >= @from order by at, id limit 1), @highest::bigint) end,
			case when @until::timestamptz is null then @highest::bigint
				else coalesce((select id from audit where at < @until order by at desc, id desc limit 1), 0) end`

	auditTimesSQL = "(@from::timestamptz is null or e.at >= @from) and (@until::timestamptz is null or e.at < @until)"
)

// pageSQL returns the query for a page of entries. An index has the entries of each action in the order of their ids, for all users
// and actors, for one of them, or for both. Its key is a single text, because a comparison of rows stops only where the first column
// changes. Comparing key and id as a row makes the planner read the index, however frequent it believes the key to be.
func pageSQL(filter *domain.AuditFilter) string {
	if filter.User == 0 && filter.Actor == (domain.Actor{}) && filter.Actions == nil {
		return "select " + auditColumns + ` from audit e
			where e.id between @lowest::bigint and @highest::bigint and ` + auditTimesSQL + " order by e.id desc limit @limit"
	}
	key, value, condition := "e.action", "a.action", auditTimesSQL
	if filter.Actor != (domain.Actor{}) {
		key, value = "e.actor || ' ' || "+key, "@actor::text || ' ' || "+value
	}
	if filter.User != 0 {
		key, value = "e.user_id::text || ' ' || "+key, "@user::bigint::text || ' ' || "+value
		condition += " and e.user_id is not null" // as the index is for
	}
	//nolint:unqueryvet // its columns are those of the inner query
	return fmt.Sprintf(`select e.* from unnest(@actions::text[]) a (action) cross join lateral (
			select %[1]s from audit e where (%[2]s, e.id) between (%[3]s, @lowest::bigint) and (%[3]s, @highest::bigint) and %[4]s
			order by %[2]s desc, e.id desc limit @limit
		) e order by e.id desc limit @limit`, auditColumns, key, value, condition)
}

func auditArgs(filter *domain.AuditFilter) pgx.NamedArgs {
	actions := filter.Actions
	if actions == nil {
		actions = domain.Actions()
	}
	names := make([]string, len(actions))
	for i, action := range actions {
		names[i] = string(action)
	}
	var actor *string
	if filter.Actor != (domain.Actor{}) {
		actor = new(filter.Actor.Key())
	}
	return pgx.NamedArgs{
		"user": filter.User, "actor": actor, "actions": names, "from": nullTime(filter.From), "until": nullTime(filter.Until),
		"highest": int64(math.MaxInt64),
	}
}

// Entries implements ports.AuditReading.
func (a *Audit) Entries(ctx context.Context, query ports.AuditQuery) (*ports.AuditPage, error) {
	args := auditArgs(&query.Filter)
	var lowest, highest int64
	var batch pgx.Batch // one transaction
	batch.Queue(withoutSeqScan)
	batch.Queue(auditPeriodSQL, args).QueryRow(func(row pgx.Row) error { return row.Scan(&lowest, &highest) })
	err := a.db.pool.SendBatch(ctx, &batch).Close()
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", unavailable(err))
	}
	if query.After != 0 {
		highest = min(highest, query.After-1)
	}
	const oneMore = 1 // which shows whether there is another page
	args["lowest"], args["highest"], args["limit"] = lowest, highest, query.Limit+oneMore
	page := ports.AuditPage{}
	batch = pgx.Batch{}
	batch.Queue(withoutSeqScan)
	batch.Queue(pageSQL(&query.Filter), args).Query(func(rows pgx.Rows) (err error) {
		page.Entries, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (entry domain.AuditEntry, err error) {
			err = scanEntry(row, &entry)
			return entry, err
		})
		return err
	})
	err = a.db.pool.SendBatch(ctx, &batch).Close()
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", unavailable(err))
	}
	page.IsLast = len(page.Entries) <= query.Limit
	page.Entries = page.Entries[:min(len(page.Entries), query.Limit)]
	return &page, nil
}

// scanEntry reads the columns auditColumns, after others.
func scanEntry(row pgx.CollectableRow, entry *domain.AuditEntry, others ...any) error {
	var actor string
	err := row.Scan(append(others, &entry.ID, &entry.Time, &actor, &entry.Actor.Name, &entry.Action, &entry.User, &entry.Login, &entry.Import,
		&entry.Address, &entry.Request, &entry.Before, &entry.After, &entry.LeftOut)...)
	if err != nil {
		return err
	}
	name := entry.Actor.Name
	entry.Actor, err = domain.ParseActor(actor)
	entry.Actor.Name, entry.Time = name, entry.Time.UTC()
	return err
}

// followPart is the number of entries that Follow reads in a query.
const followPart = 1000

const (
	followWhereSQL = `(@user = 0 or e.user_id = @user) and (@actor::text is null or e.actor = @actor) and e.action = any(@actions)
		and (@from::timestamptz is null or e.at >= @from) and (@until::timestamptz is null or e.at < @until)`

	oldestSQL = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

	existingSQL = "select e.xid::text::bigint, " + auditColumns + " from audit e where e.id > @last and " + followWhereSQL + " order by e.id limit @limit"

	// newSQL finds the entries of transactions from a number on. A database that was restored from a dump also has entries of transactions
	// that are yet to come.
	newSQL = "select e.xid::text::bigint, " + auditColumns + ` from audit e
		where e.xid >= @floor::text::xid8 and e.xid < pg_snapshot_xmax(pg_current_snapshot()) and ` + followWhereSQL + " order by e.id"
)

// Follow implements ports.AuditStore. The entries of transactions that began before the oldest running one are all visible. Follow reads
// the entries of all other transactions again each time, and passes over those that it has yielded.
func (a *Audit) Follow(ctx context.Context, filter domain.AuditFilter) iter.Seq2[*domain.AuditEntry, error] {
	return func(yield func(*domain.AuditEntry, error) bool) {
		f := following{db: a.db, args: auditArgs(&filter), yielded: map[int64]bool{}}
		err := a.db.pool.QueryRow(ctx, oldestSQL).Scan(&f.floor)
		for err == nil {
			var entries []followed
			entries, err = f.next(ctx)
			for i := range entries {
				if !yield(&entries[i].AuditEntry, nil) {
					return
				}
			}
			if err == nil && f.isPast && !yield(nil, nil) {
				return
			}
		}
		yield(nil, fmt.Errorf("follow audit: %w", unavailable(err)))
	}
}

// following is the state of Follow.
type following struct {
	db      *DB
	args    pgx.NamedArgs
	last    int64          // id of the last entry that existed at the beginning
	isPast  bool           // all of those are yielded
	floor   int64          // number of the first transaction whose entries may not have been visible
	yielded map[int64]bool // ids of entries of transactions from floor on
}

// followed is an entry with the number of its transaction.
type followed struct {
	domain.AuditEntry

	xid int64
}

// next returns the next entries.
func (f *following) next(ctx context.Context) ([]followed, error) {
	if f.isPast {
		return f.nextNew(ctx)
	}
	entries, _, err := f.read(ctx, existingSQL)
	for _, entry := range entries {
		f.last = entry.ID
		if entry.xid >= f.floor {
			f.yielded[entry.ID] = true
		}
	}
	f.isPast = err == nil && len(entries) < followPart
	return entries, err
}

// nextNew returns the entries of transactions from floor on that were not yielded before.
func (f *following) nextNew(ctx context.Context) (entries []followed, err error) {
	all, oldest, err := f.read(ctx, newSQL)
	if err != nil {
		return nil, err
	}
	seen := make(map[int64]bool, len(all))
	for _, entry := range all {
		seen[entry.ID] = true
		if !f.yielded[entry.ID] {
			entries = append(entries, entry)
		}
	}
	f.floor, f.yielded = oldest, seen
	return entries, nil
}

// read returns the entries of a query, and the number of the oldest running transaction.
func (f *following) read(ctx context.Context, sql string) (entries []followed, oldest int64, err error) {
	f.args["last"], f.args["limit"], f.args["floor"] = f.last, followPart, strconv.FormatInt(f.floor, 10)
	var batch pgx.Batch
	batch.Queue("begin read only isolation level repeatable read") // both queries see the same transactions
	batch.Queue(oldestSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&oldest) })
	batch.Queue(sql, f.args).Query(func(rows pgx.Rows) (err error) {
		entries, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (entry followed, err error) {
			err = scanEntry(row, &entry.AuditEntry, &entry.xid)
			return entry, err
		})
		return err
	})
	batch.Queue("commit")
	err = f.db.pool.SendBatch(ctx, &batch).Close()
	return entries, oldest, err
}

// Sweep deletes the entries from before a time.
func (a *Audit) Sweep(ctx context.Context, before time.Time) error {
	_, err := a.db.pool.Exec(ctx, "delete from audit where at < $1", before)
	if err != nil {
		return fmt.Errorf("sweep audit: %w", unavailable(err))
	}
	return nil
}
