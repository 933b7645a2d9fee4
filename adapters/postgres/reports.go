package postgres

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// Reports reads what imports did.
type Reports struct{ db *DB }

// NewReports makes the store.
func NewReports(db *DB) *Reports { return &Reports{db} }

// conditions are what a statement asks of its rows, with the arguments by their names.
type conditions struct {
	all  []string
	args pgx.NamedArgs
}

func (c *conditions) add(condition, name string, arg any) {
	c.all = append(c.all, condition)
	c.args[name] = arg
}

func (c *conditions) String() string {
	if len(c.all) == 0 {
		return "true"
	}
	return strings.Join(c.all, " and ")
}

// of makes the conditions that a filter sets on codes (alias c), but for those on refused objects.
func (c *conditions) of(filter *domain.ReportFilter) {
	if filter.Import != 0 {
		c.add("c.id = @import", "import", filter.Import)
	}
	if !filter.From.IsZero() {
		c.add("c.date >= @from", "from", filter.From)
	}
	if !filter.Until.IsZero() {
		c.add("c.date < @until", "until", filter.Until)
	}
	if filter.Status != 0 {
		c.add("c.code = @status", "status", filter.Status)
	}
}

// ofRefused makes the conditions that a filter sets on bad_users (alias b).
func (c *conditions) ofRefused(filter *domain.ReportFilter) {
	if filter.Login != "" {
		c.add("b.login_key = @login", "login", filter.Login)
	}
	if filter.Reason != (domain.Reason{}) {
		reason := domain.Violation{Field: filter.Reason.Field, Code: filter.Reason.Code}
		c.add("b.violations @> @reason", "reason", string(appendViolations(nil, domain.Violations{reason})))
	}
}

// ofReason makes the condition that an import (alias c) has refused an object for a filter's reason, and with its login.
func (c *conditions) ofReason(filter *domain.ReportFilter) {
	if filter.Reason == (domain.Reason{}) {
		return
	}
	// what has an offset is asked for one import after the other
	c.add("exists (select from code_reasons r where r.code_id = c.id and r.field = @field and r.code = @reason_code offset 0)",
		"field", filter.Reason.Field)
	c.args["reason_code"] = filter.Reason.Code
	if filter.Login != "" {
		refused := conditions{args: c.args}
		refused.ofRefused(filter)
		c.all = append(c.all, fmt.Sprintf("exists (select from bad_users b where b.code_id = c.id and %s offset 0)", &refused))
	}
}

const importColumns = "c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept"

func scanImport(row pgx.CollectableRow) (i domain.Import, err error) {
	i.Imports = 1
	var token *string
	err = row.Scan(&i.ID, &i.Status, &i.Method, &i.Date, &i.Description, &i.Registered, &i.Rejected, &token, &i.Unkept)
	if token != nil {
		i.Token = *token
	}
	i.Date = i.Date.UTC()
	return i, err
}

// Imports implements ports.Reports.
func (r *Reports) Imports(ctx context.Context, query ports.ImportQuery) (*ports.ImportPage, error) {
	// What is asked for is in front of a place, or behind it, and one more tells whether there is more.
	wanted := importRange{filter: &query.Filter, descending: !query.Oldest, place: query.After, limit: query.Limit + 1}
	if query.Before != 0 {
		wanted.descending, wanted.place = !wanted.descending, query.Before
	}
	var found, others []domain.Import
	batch := pageBatch()
	wanted.queue(batch, &found)
	if wanted.place != 0 { // does it have another side?
		other := importRange{filter: &query.Filter, descending: !wanted.descending, place: wanted.place, inclusive: true, limit: 1}
		other.queue(batch, &others)
	}
	err := r.db.pool.SendBatch(ctx, batch).Close()
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", unavailable(err))
	}
	more := len(found) > query.Limit
	found = found[:min(len(found), query.Limit)]
	page := ports.ImportPage{Imports: found, IsFirst: len(others) == 0, IsLast: !more}
	if query.Before != 0 {
		slices.Reverse(found)
		page.IsFirst, page.IsLast = !more, len(others) == 0
	}
	return &page, nil
}

// pageBatch is for the statements of a page, which read from indexes even where the planner takes a table for small.
func pageBatch() *pgx.Batch {
	batch := &pgx.Batch{}
	batch.Queue(withoutSeqScan)
	return batch
}

// withoutSeqScan makes the rest of a transaction use indexes, even where the planner takes a table for small.
const withoutSeqScan = "select set_config('enable_seqscan', 'off', true)"

// Rejections implements ports.Reports.
func (r *Reports) Rejections(ctx context.Context, query ports.RejectionQuery) (*ports.RejectionPage, error) {
	where := conditions{args: pgx.NamedArgs{"after": query.After, "limit": query.Limit + 1, "import": query.Filter.Import}}
	where.ofRefused(&query.Filter)
	var page ports.RejectionPage
	batch := pageBatch()
	batch.Queue("select "+importColumns+" from codes c where c.id = @import", where.args).Query(func(rows pgx.Rows) (err error) {
		page.Import, err = pgx.CollectExactlyOneRow(rows, scanImport)
		return err
	})
	batch.Queue("select coalesce((select login from users u join codes c on c.user_id = u.id where c.id = @import), '')", where.args).
		QueryRow(func(row pgx.Row) error { return row.Scan(&page.Import.User) })
	batch.Queue(fmt.Sprintf(`
		select code_id, object_id, coalesce(login, ''), description, violations from bad_users b
		where code_id = @import and object_id > @after and %s order by object_id limit @limit`, &where), where.args).
		Query(func(rows pgx.Rows) (err error) {
			page.Rejections, err = pgx.CollectRows(rows, scanRejection)
			return err
		})
	err := r.db.pool.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read rejections: %w", unavailable(err))
	}
	page.IsLast = len(page.Rejections) <= query.Limit
	page.Rejections = page.Rejections[:min(len(page.Rejections), query.Limit)]
	return &page, nil
}

func scanRejection(row pgx.CollectableRow) (r domain.Rejection, err error) {
	var violations []byte
	err = row.Scan(&r.Import, &r.Object, &r.Login, &r.Description, &violations)
	if err == nil {
		r.Violations, err = readViolations(violations)
	}
	return r, err
}

// readViolations reads what appendViolations has written.
func readViolations(text []byte) (violations domain.Violations, err error) {
	err = json.Unmarshal(text, &violations) // whose keys are the fields' names, in lower case
	if err != nil {
		return nil, fmt.Errorf("read violations: %w", err)
	}
	return violations, nil
}

// Read implements ports.Reports.
func (r *Reports) Read(ctx context.Context, query ports.ReportQuery, work func(ports.Report) error) error {
	tx, err := r.db.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // there is nothing to be undone
	// all of it is wanted, and not the first rows soon
	_, err = tx.Exec(ctx, "set local cursor_tuple_fraction = 1")
	if err != nil {
		return fmt.Errorf("prepare to read: %w", unavailable(err))
	}
	return work(ports.Report{Imports: exportImports(ctx, tx, &query.Filter), Rejections: exportRejections(ctx, tx, &query)})
}

func exportImports(ctx context.Context, tx pgx.Tx, filter *domain.ReportFilter) iter.Seq2[domain.Import, error] {
	where := conditions{args: pgx.NamedArgs{}}
	where.of(filter)
	refused := conditions{args: where.args}
	refused.ofRefused(filter)
	switch {
	case filter.Login != "":
		where.all = append(where.all, fmt.Sprintf("exists (select from bad_users b where b.code_id = c.id and %s)", &refused))
	case filter.Reason != (domain.Reason{}):
		where.add("exists (select from code_reasons r where r.code_id = c.id and r.field = @field and r.code = @reason_code)",
			"field", filter.Reason.Field)
		where.args["reason_code"] = filter.Reason.Code
		delete(where.args, "reason")
	}
	sql := fmt.Sprintf("select %s from codes c where %s order by c.id", importColumns, &where)
	descriptions := alike{}
	return fetchAll(ctx, tx, "imports", sql, where.args, func(row pgx.CollectableRow) (domain.Import, error) {
		values := row.RawValues()
		number := func(column int) int { return int(binary.BigEndian.Uint64(values[column])) }
		return domain.Import{
			Count: domain.Count{Imports: 1, Registered: number(5), Rejected: number(6)},
			ID:    int64(number(0)), Status: int(binary.BigEndian.Uint32(values[1])), Method: descriptions.text(values[2]),
			Date: time.UnixMicro(postgresEpoch.Time().UnixMicro() + int64(number(3))).UTC(), Description: descriptions.text(values[4]),
			Token: descriptions.text(values[7]), Unkept: number(8),
		}, nil
	})
}

// alike are texts that many rows have, so that they are not made anew for each.
type alike map[string]string

func (a alike) text(b []byte) string {
	text, found := a[string(b)]
	if !found {
		text = string(b)
		keep(a, text, text)
	}
	return text
}

func exportRejections(ctx context.Context, tx pgx.Tx, query *ports.ReportQuery) iter.Seq2[domain.Rejection, error] {
	filter := &query.Filter
	where := conditions{args: pgx.NamedArgs{}}
	where.of(filter)
	from := "bad_users b"
	switch {
	case filter.Import != 0: // one look at codes, and the index tells the order
		where.all = []string{"b.code_id = @import", fmt.Sprintf("exists (select from codes c where %s)", &where)}
	case len(where.all) > 0:
		from += " join codes c on c.id = b.code_id"
	}
	where.ofRefused(filter)
	// writing jsonb as text would be half of the work
	violations, original := "null", "null"
	if query.Violations {
		violations = "b.violations::text"
	}
	if query.Originals {
		original = "b.original::text"
	}
	sql := fmt.Sprintf("select b.code_id, b.object_id, b.login, b.description, %s, %s from %s where %s order by b.code_id, b.object_id",
		violations, original, from, &where)
	read := rejectionReader{descriptions: alike{}, violations: map[string]domain.Violations{}}
	return fetchAll(ctx, tx, "rejections", sql, where.args, read.row)
}

// rejectionReader reads rows without an allocation for what many of them have alike.
type rejectionReader struct {
	descriptions alike
	violations   map[string]domain.Violations
}

// maxAlike bounds what is kept of rows to compare the next with.
const maxAlike = 1024

func (r *rejectionReader) row(row pgx.CollectableRow) (domain.Rejection, error) {
	values := row.RawValues()
	rejection := domain.Rejection{
		Import: int64(binary.BigEndian.Uint64(values[0])), Object: int(binary.BigEndian.Uint64(values[1])),
		Login: string(values[2]), Original: values[5],
	}
	rejection.Description = r.descriptions.text(values[3])
	if values[4] == nil {
		return rejection, nil
	}
	violations, found := r.violations[string(values[4])]
	if !found {
		var err error
		violations, err = readViolations(values[4])
		if err != nil {
			return rejection, err
		}
		keep(r.violations, string(values[4]), violations)
	}
	rejection.Violations = violations
	return rejection, nil
}

func keep[V any](known map[string]V, key string, value V) {
	if len(known) == maxAlike {
		clear(known)
	}
	known[key] = value
}

// fetchAll yields the rows of a statement by way of a cursor, as they come. Of rows that nobody wants any more the rest is
// read all the same: the connection is for what comes next.
func fetchAll[T any](ctx context.Context, tx pgx.Tx, cursor, sql string, args pgx.NamedArgs, scan pgx.RowToFunc[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		fail := func(err error) {
			var none T
			yield(none, fmt.Errorf("read %s: %w", cursor, unavailable(err)))
		}
		_, err := tx.Exec(ctx, "declare "+cursor+" no scroll cursor for "+sql, args)
		if err != nil {
			fail(err)
			return
		}
		rows, err := tx.Query(ctx, "fetch all from "+cursor)
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			value, err := scan(rows)
			if err != nil {
				fail(err)
				return
			}
			if !yield(value, nil) {
				return
			}
		}
		err = rows.Err()
		if err != nil {
			fail(err)
		}
	}
}

// eraseRows is how many originals are erased in a transaction.
const eraseRows = 5000

// EraseOriginals forgets what the objects came with that were refused before a time.
func (r *Reports) EraseOriginals(ctx context.Context, before time.Time) error {
	for {
		var id int64
		err := r.db.pool.QueryRow(ctx, "select id from codes where originals and date < $1 order by id limit 1", before).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = r.eraseOriginals(ctx, id)
		}
		if err != nil {
			return fmt.Errorf("erase originals: %w", unavailable(err))
		}
	}
}

func (r *Reports) eraseOriginals(ctx context.Context, id int64) error {
	for last := new(int64); last != nil; {
		err := r.db.pool.QueryRow(ctx, `
			with part as (
				select id, object_id from bad_users
				where code_id = $1 and object_id > $2 and original is not null order by object_id limit $3),
			erased as (update bad_users set original = null from part where bad_users.id = part.id)
			select max(object_id) from part`, id, *last, eraseRows).Scan(&last)
		if err != nil {
			return err
		}
	}
	_, err := r.db.pool.Exec(ctx, "update codes set originals = false where id = $1", id)
	return err
}
