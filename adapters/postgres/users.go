package postgres

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// Users finds the accounts of users by the table directory.
type Users struct {
	db          *DB
	smallBlocks int // up to which directory is small; 0 for never
}

// NewUsers returns the store in db.
func NewUsers(db *DB) *Users { return &Users{db, smallBlocks} }

// A page reads a bounded number of rows, whatever its filter selects.
const (
	// pageRows is the number of rows of directory that a page reads in its order, and textRows that of rows that a text finds, each with
	// its row of users.
	pageRows, textRows = 120, 60

	// A page reads up to rareRows other rows, or rareTextRows with a text, to find a condition that few users meet. Then it has all of
	// them.
	rareRows, rareTextRows = 60, 40

	// A directory of up to smallBlocks blocks, which have no more than wholeRows rows, is small: a page may read it as a whole, so it always has
	// all users that it can have.
	smallBlocks, wholeRows = 64, 6400

	// pageLists is the number of new users that a page makes findable: a client that has registered a few finds them with its next request.
	pageLists = 2000
)

// Page implements ports.UserStore. It reads one index in the order of the page, and checks the other conditions on each row. So few users may be
// far apart. Hence it first looks for a condition that few users meet.
func (s *Users) Page(ctx context.Context, query ports.UserQuery, terms ports.SearchTerms) (*ports.FoundPage, error) {
	unlisted, isSmall, err := s.listNew(ctx)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", unavailable(err))
	}
	p := userPage{selecting: newSelecting(&query.Filter, terms), order: query.Order, isSmall: isSmall}
	p.after, err = readPlace(&query)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.read(ctx, &p)
	if err != nil {
		return nil, fmt.Errorf("find users: %w", unavailable(err))
	}
	users, err := s.show(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", unavailable(err))
	}
	return &ports.FoundPage{Users: users, Next: next, Unlisted: unlisted}, nil
}

// sizesSQL returns the number of unlisted users, and whether directory is small.
const sizesSQL = "select (" + countUnlistedSQL + "), pg_relation_size('directory') < $1 * current_setting('block_size')::bigint"

// listNew makes some new users findable. It returns the number of those that remain, and whether directory is small.
func (s *Users) listNew(ctx context.Context) (unlisted int, isSmall bool, err error) {
	for range 2 {
		err = s.db.pool.QueryRow(ctx, sizesSQL, s.smallBlocks).Scan(&unlisted, &isSmall)
		if err != nil || unlisted == 0 {
			break
		}
		err = s.list(ctx, pageLists, giveWay)
		if sqlState(err) == lockNotAvailable { // a change of many users takes longer
			return unlisted, isSmall, nil
		}
		if err != nil {
			break
		}
	}
	return unlisted, isSmall, err
}

// A userPage is a page to read.
type userPage struct {
	*selecting

	order   domain.UserOrder
	after   *userPlace // nil for the first page
	isSmall bool       // directory has few rows
}

// A userPlace is the place after a row: by the row's name or time in the order of a query, or by the stream's key in a stream of a text.
type userPlace struct {
	Order  domain.UserOrder `json:"o"`
	Stream int              `json:"s,omitempty"` // number of the stream of a text, from 1; 0 for the order of the query
	Key    string           `json:"k,omitempty"`
	At     time.Time        `json:"t,omitzero"`
	ID     int64            `json:"i"`
}

func (p *userPlace) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // which texts, times and numbers cannot cause
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readPlace returns the place at which a page starts, nil for the first page. It returns ErrPlace.
func readPlace(query *ports.UserQuery) (*userPlace, error) {
	if query.After == "" {
		return nil, nil //nolint:nilnil // the first page has no place
	}
	var p userPlace
	text, err := base64.RawURLEncoding.DecodeString(query.After)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Order != query.Order || p.Stream < 0 || p.Stream > 0 && query.Filter.Text == "" ||
		!utf8.ValidString(p.Key) || strings.Contains(p.Key, "\x00") {
		return nil, ports.ErrPlace
	}
	return &p, nil
}

// A listedRow is a row of directory that a page has read. A row without an id shows how far a stream was read.
type listedRow struct {
	stream     int
	id         int64
	key        *string // by which the stream is sorted; nil if that is a time
	name       *string
	registered *time.Time
	lastSignIn *time.Time
	isSelected bool
}

const listedColumns = "stream, user_id, key, name_key, registered, last_sign_in, selected"

func scanListed(row pgx.CollectableRow) (r listedRow, err error) {
	err = row.Scan(&r.stream, &r.id, &r.key, &r.name, &r.registered, &r.lastSignIn, &r.isSelected)
	return r, err
}

// placeIn returns the place after a row in an order.
func (r *listedRow) placeIn(order domain.UserOrder) *userPlace {
	place := &userPlace{Order: order, ID: r.id}
	switch {
	case order == domain.UsersByRegistered && r.registered != nil:
		place.At = r.registered.UTC()
	case order == domain.UsersByLastSignIn && r.lastSignIn != nil:
		place.At = r.lastSignIn.UTC()
	case r.name != nil:
		place.Key = *r.name
	}
	return place
}

// compare compares two places in the order of a query: latest times first, then names.
func (p *userPlace) compare(other *userPlace) int {
	byTime := other.At.Compare(p.At)
	switch {
	case byTime != 0:
		return byTime
	case p.At.IsZero():
		return cmp.Or(strings.Compare(p.Key, other.Key), cmp.Compare(p.ID, other.ID))
	}
	return cmp.Compare(other.ID, p.ID)
}

// byIndex makes the planner look up rows by their keys and read them in the order of an index. Without it, the planner may sort if it
// mistakes a condition for a rare one, or a table that has just grown for a small one.
const byIndex = `
	select set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
		set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`

// byOnePlan is byIndex for a query that PostgreSQL plans once for all arguments: planning the streams of a text takes several times as long as
// reading a page. Such a plan does not know which values are rare. So each query has an order that only the right index provides. A plan for more rows
// than a page reads may be parallel, and starting a worker takes longer than reading the page.
const byOnePlan = byIndex + ", set_config('max_parallel_workers_per_gather', '0', true), set_config('plan_cache_mode', 'force_generic_plan', true)"

// read returns the rows of a page, and the place of the next one.
func (s *Users) read(ctx context.Context, p *userPage) ([]listedRow, string, error) {
	isInStream := p.after != nil && p.after.Stream > 0
	if !isInStream && !p.isSmall {
		ids, isRare, err := s.rare(ctx, p)
		if err != nil {
			return nil, "", err
		}
		if isRare && len(ids) == 0 {
			return nil, "", nil
		}
		if isRare {
			p.args["ids"] = ids
			sql := fmt.Sprintf(rowSQL, 0, "d.name_key", "true", "directory d") + " where d.user_id = any(@ids) and " + p.condition()
			if p.search.Name != "" {
				sql += " and " + p.textSQL("exists (select from users u where u.id = d.user_id and ")
			}
			rows, err := s.rows(ctx, p, sql+" order by d.user_id")
			rows, next := p.sorted(rows)
			return rows, next, err
		}
	}
	limit, streams := pageRows/len(p.prefixes()), p.streams()
	if p.search.Name != "" {
		limit, streams = textRows, p.textStreams()
	}
	if len(streams) == 0 { // the place is in a stream that the text does not have
		return nil, "", ports.ErrPlace
	}
	p.args["rows"], p.args["limit"] = limit, limit
	where := ""
	if p.isSmall { // then rows that are not selected count for nothing
		where, limit = " where selected", wholeRows
		if p.search.Name == "" {
			limit = ports.UsersPerPage + 1 // which shows whether there is another page
		}
		p.args["rows"], p.args["limit"] = wholeRows, limit
	}
	rows, err := s.rows(ctx, p, "select "+listedColumns+" from ("+strings.Join(streams, " union all ")+") d"+where+" limit @limit")
	isAll := len(rows) < limit
	if p.search.Name != "" && isAll && !isInStream {
		rows, next := p.sorted(rows)
		return rows, next, err
	}
	found, next := p.inStreams(rows, isAll)
	return found, next, err
}

func (s *Users) rows(ctx context.Context, p *userPage, sql string) (rows []listedRow, err error) {
	var batch pgx.Batch // one transaction
	batch.Queue(byOnePlan)
	batch.Queue(sql, p.args).Query(func(all pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(all, scanListed)
		return err
	})
	err = s.db.pool.SendBatch(ctx, &batch).Close()
	return rows, err
}

// rare looks for a condition that few users meet. It returns these users, and whether it found such a condition.
func (s *Users) rare(ctx context.Context, p *userPage) (ids []int64, isRare bool, err error) {
	conditions, limit := p.rareConditions(), rareRows
	if p.search.Name != "" {
		limit = rareTextRows
	} else { // the page reads the rows of the prefix anyway
		conditions = slices.DeleteFunc(conditions, func(condition string) bool { return slices.Contains(p.prefixes(), condition) })
	}
	if len(conditions) == 0 {
		return nil, false, nil
	}
	limit /= len(conditions)
	p.args["few"] = limit + 1
	var batch pgx.Batch // one transaction
	batch.Queue(byOnePlan)
	for _, condition := range conditions {
		parts := strings.Split(strings.Trim(condition, "()"), " or ") // each by its part of the index
		for i, part := range parts {
			column, _, _ := strings.Cut(part, " ")
			where, order := ofIndex(part, column)
			parts[i] = "(select d.user_id from directory d where " + where + " order by " + order + ")"
		}
		batch.Queue(strings.Join(parts, " union all ")+" limit @few", p.args).Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if len(found) <= limit && !isRare {
				ids, isRare = found, true
			}
			return err
		})
	}
	err = s.db.pool.SendBatch(ctx, &batch).Close()
	return ids, isRare, err
}

// rareConditions returns the conditions of the filter whose users an index finds.
func (p *userPage) rareConditions() []string {
	conditions := p.constraints()
	for i, condition := range conditions {
		if condition == statusSQL(domain.StatusTemporaryPasswordExpired) { // a password is not older than its user
			conditions[i] = "d.standing in (1, 2) and d.registered <= @expired"
		}
	}
	return slices.DeleteFunc(conditions, func(condition string) bool { return condition == statusSQL(domain.StatusTemporaryPassword) })
}

// sorted returns the selected rows after the place of the page, in its order.
func (p *userPage) sorted(rows []listedRow) (page []listedRow, next string) {
	for _, row := range rows {
		if row.isSelected && (p.after == nil || row.placeIn(p.order).compare(p.after) > 0) {
			page = append(page, row)
		}
	}
	slices.SortFunc(page, func(a, b listedRow) int { return a.placeIn(p.order).compare(b.placeIn(p.order)) })
	if len(page) > ports.UsersPerPage {
		page = page[:ports.UsersPerPage]
		next = page[len(page)-1].placeIn(p.order).String()
	}
	return page, next
}

// inStreams returns the selected rows in their order, up to the size of a page. The next page starts after the last row that this one has
// used.
func (p *userPage) inStreams(rows []listedRow, isAll bool) (page []listedRow, next string) {
	isSelected := func(r listedRow) bool { return r.isSelected }
	for i, row := range rows {
		if row.isSelected {
			page = append(page, row)
		}
		isLast := i == len(rows)-1
		if len(page) < ports.UsersPerPage && !isLast || isAll && !slices.ContainsFunc(rows[i+1:], isSelected) {
			continue
		}
		place := row.placeIn(p.order)
		if p.search.Name != "" {
			place = &userPlace{Order: p.order, Stream: row.stream, Key: *row.key, ID: row.id}
		}
		return page, place.String()
	}
	return page, ""
}

// rowSQL is the query of a stream. It gets the stream's number, its key, the condition by which a row is selected, and a table expression.
const rowSQL = "select %d as stream, d.user_id, %s as key, d.name_key, d.registered, d.last_sign_in, (%s) is true as selected from %s"

// streamSQL returns a query that reads rows of a table expression in the order of an index.
func streamSQL(number int, key, selected, from, where, order string) string {
	return "(" + fmt.Sprintf(rowSQL, number, key, selected, from) + " where " + where + " order by " + order + " limit @rows)"
}

// prefixes returns the conditions of the rows that an index has in every order: those of the group, of the import or with a standing of
// the filter. Together they are all rows that the filter may select.
func (p *userPage) prefixes() []string {
	switch {
	case p.group != "":
		return []string{"d.group_key = @group"}
	case p.filter.Import != 0:
		return []string{"d.import = @import::bigint"}
	case p.filter.Status == domain.StatusTemporaryPassword, p.filter.Status == domain.StatusTemporaryPasswordExpired:
		return []string{fmt.Sprint("d.standing = ", standsUnused), fmt.Sprint("d.standing = ", standsTemporary)}
	case p.filter.Status != "":
		return []string{statusSQL(p.filter.Status)}
	}
	return []string{"true"}
}

// streams returns the queries that read rows in the order of the page, one after another.
func (p *userPage) streams() []string {
	after := p.after
	switch {
	case after != nil:
	case p.order == domain.UsersByRegistered && !p.filter.Until.IsZero():
		after = &userPlace{At: p.filter.Until} // PostgreSQL would read the index from its end to another condition
	default:
		after = &userPlace{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	p.args["key"], p.args["at"], p.args["id"] = after.Key, after.At, after.ID
	selected := p.condition()
	const byName = "d.name_key, d.user_id"
	switch p.order {
	case domain.UsersByRegistered:
		where := "(d.registered, d.user_id) < (@at::timestamptz, @id::bigint)"
		if !p.filter.From.IsZero() {
			where += " and d.registered >= @from"
		}
		return []string{p.stream("null::text", selected, where, "d.registered desc, d.user_id desc")}
	case domain.UsersByLastSignIn:
		never := p.stream("d.name_key", selected+" and d.last_sign_in is null", "(d.name_key, d.user_id) > (@key, @id)", byName)
		if after.At.IsZero() {
			return []string{never}
		}
		return []string{p.stream("null::text", selected, "d.last_sign_in is not null and (d.last_sign_in, d.user_id) < (@at::timestamptz, @id::bigint)", "d.last_sign_in desc, d.user_id desc"), never}
	}
	return []string{p.stream("d.name_key", selected, "(d.name_key, d.user_id) > (@key, @id)", byName)}
}

// ofIndex returns a condition and an order that only the index on the condition's column provides. PostgreSQL ignores a column in an order if it equals
// a value, but not if it equals any of several.
func ofIndex(condition, order string) (where, ordered string) {
	column, value, isEqual := strings.Cut(condition, " = ")
	if !isEqual {
		return condition, order
	}
	direction := ", "
	if strings.HasSuffix(order, " desc") {
		direction = " desc, "
	}
	return column + " = any(array[" + value + "])", column + direction + order
}

// stream returns the query that reads rows in an order. It merges the rows of several prefixes.
func (p *userPage) stream(key, selected, where, order string) string {
	prefixes := p.prefixes()
	if len(prefixes) == 1 {
		prefix, ordered := ofIndex(prefixes[0], order)
		return streamSQL(0, key, selected, "directory d", prefix+" and "+where, ordered)
	}
	all := make([]string, 0, len(prefixes))
	for _, prefix := range prefixes {
		all = append(all, streamSQL(0, key, selected, "directory d", prefix+" and "+where, order))
	}
	return "(select " + listedColumns + " from (" + strings.Join(all, " union all ") + ") d order by " + order + " limit @rows)"
}

// textStreams returns the queries that read the rows that the text of the filter finds: by last name, by first name, by pairs of names, by
// login, by email, by phone. A user is selected in the first of them alone. The streams before the place of the page are left out.
func (p *userPage) textStreams() (all []string) {
	const ofUsers = "users u join directory d on d.user_id = u.id"
	first := 1
	if p.after != nil && p.after.Stream > 0 {
		first = p.after.Stream
		p.args["key"], p.args["id"] = p.after.Key, p.after.ID
	}
	number, selected := 0, p.condition()
	add := func(found string, sql func(selected string, isAfter bool) string) {
		number++
		if number >= first {
			all = append(all, sql(selected+" and "+found, number == first && p.after != nil && p.after.Stream > 0))
		}
		selected += " and (" + found + ") is not true"
	}
	byKey := func(from, key, parameter, after, order, more string) {
		found := begins(key, parameter)
		add(found, func(selected string, isAfter bool) string {
			where := found + more
			if isAfter {
				where += " and " + after
			}
			return streamSQL(number, key, selected, from, where, order)
		})
	}
	ofPrefix, order := "true", "d.name_key, d.user_id"
	if prefixes := p.prefixes(); len(prefixes) == 1 {
		ofPrefix, order = ofIndex(prefixes[0], order)
	}
	byKey("directory d", "d.name_key", "@name", "(d.name_key, d.user_id) > (@key, @id)", order, " and "+ofPrefix)
	byKey("directory d", "d.first_key", "@name", "(d.first_key, d.user_id) > (@key, @id)", "d.first_key, d.user_id", "")
	for i := range p.search.Pairs {
		for _, key := range []string{"first_key", "further_key"} {
			add(p.pairSQL("d."+key, i), func(selected string, isAfter bool) string { return pairStreamSQL(number, key, i, selected, isAfter) })
		}
	}
	for _, keys := range p.keys() {
		for i, beginning := range keys.beginnings {
			key := "u." + keys.column
			byKey(ofUsers, key, p.parameter(keys.column, i, beginning), key+" > @key", key, "")
		}
	}
	return all
}

// pairStreamSQL returns the stream of rows whose key has the beginnings of a pair of the text. It looks up each first word, which many users have
// in common, and then its rows. A word without rows has a row without a user.
func pairStreamSQL(number int, key string, pair int, selected string, isAfter bool) string {
	start, after := fmt.Sprintf("@first%d::text", pair), ""
	if isAfter {
		start, after = "@key::text", " and (d.%[4]s, d.user_id) > (@key, @id)"
	}
	return fmt.Sprintf(`(with recursive words (word) as (
			(select split_part(%[4]s, ' ', 1) from directory where %[4]s >= `+start+` and %[4]s < @first%[3]d::text || @end order by %[4]s limit 1)
			union all
			select (select split_part(%[4]s, ' ', 1) from directory
				where %[4]s >= word || '!' and %[4]s < @first%[3]d::text || @end order by %[4]s limit 1) from words where word is not null
		)
		select %[1]d as stream, coalesce(d.user_id, 0) as user_id, coalesce(d.%[4]s, word || '!') as key, d.name_key, d.registered, d.last_sign_in,
			(%[2]s) is true as selected
		from words left join lateral (
			select user_id, name_key, first_key, further_key, group_key, import, registered, last_sign_in, standing, temporary_since from directory d
			where d.%[4]s >= word || ' ' || @last%[3]d and d.%[4]s < word || ' ' || @last%[3]d || @end`+after+`
			order by d.%[4]s, d.user_id limit @rows
		) d on true
		where word is not null limit @rows)`, number, selected, pair, key)
}

// show returns the users of rows. A user who was deleted meanwhile is left out.
func (s *Users) show(ctx context.Context, rows []listedRow) (found []ports.FoundUser, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].id
	}
	users := map[int64]*domain.User{}
	var batch pgx.Batch // one transaction
	batch.Queue(withoutSeqScan)
	batch.Queue(selectUser+"where u.id = any($1)", ids).Query(func(all pgx.Rows) error {
		for all.Next() {
			user, err := scanUser(all)
			if err != nil {
				return err
			}
			users[user.ID] = user
		}
		return all.Err()
	})
	err = s.db.pool.SendBatch(ctx, &batch).Close()
	for _, row := range rows {
		if user := users[row.id]; user != nil {
			found = append(found, ports.FoundUser{User: user, LastSignIn: timeOf(row.lastSignIn)})
		}
	}
	return found, err
}

// Count implements ports.UserStore.
func (s *Users) Count(ctx context.Context, selection ports.UserSelection, terms ports.SearchTerms, limit int) (count int, err error) {
	condition, args := selectionSQL(&selection, terms)
	args["limit"] = limit
	err = s.db.pool.QueryRow(ctx, "select count(*) from (select from directory d where "+condition+" limit @limit) d", args).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("count users: %w", unavailable(err))
	}
	return count, nil
}

// Read implements ports.UserStore.
func (s *Users) Read(
	ctx context.Context, selection ports.UserSelection, order domain.UserOrder, terms ports.SearchTerms,
	work func(iter.Seq2[ports.FoundUser, error]) error,
) error {
	tx, err := s.db.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // there is nothing to undo
	condition, args := selectionSQL(&selection, terms)
	sql := strings.Replace(selectUsers, "from users u", ", d.last_sign_in from directory d join users u on u.id = d.user_id", 1) +
		" where " + condition + " order by " + orderSQL(order)
	var lastSignIn *time.Time
	scanner := newUserScanner(&lastSignIn)
	return work(readAll(ctx, tx, "users", sql, args, func(row pgx.CollectableRow) (found ports.FoundUser, err error) {
		found.User, err = scanner.scanMany(row, tx.Conn().TypeMap())
		found.LastSignIn = timeOf(lastSignIn)
		return found, err
	}))
}
