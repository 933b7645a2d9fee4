package postgres

import (
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
)

// idIndex is an index whose last column is an import's id: the rows of one key come in the order of ids. Key and id are
// compared as one, and are the order together. So the server reads this index, and of it what is between two places,
// whatever it thinks of the values.
type idIndex struct {
	table, id       string
	columns, values string // of the key, each with a comma behind
}

var (
	ofAll    = idIndex{"codes c", "c.id", "", ""}
	ofStatus = idIndex{"codes c", "c.id", "c.code, ", "@status, "}
	ofLogin  = idIndex{"bad_users b", "b.code_id", "b.login_key, ", "@login, "}
	ofReason = idIndex{"code_reasons r", "r.code_id", "r.field, r.code, ", "@field, @reason_code, "}
)

// between is the condition that a row has the key, and an id between the highest of some and the lowest of others.
func (x *idIndex) between(low, high []string) string {
	return fmt.Sprintf("(%[1]s%[2]s) > (%[3]sgreatest(%[4]s)) and (%[1]s%[2]s) < (%[3]sleast(%[5]s))",
		x.columns, x.id, x.values, strings.Join(low, ", "), strings.Join(high, ", "))
}

func (x *idIndex) by(order string) string {
	return strings.ReplaceAll(x.columns, ",", " "+order+",") + x.id + " " + order
}

// importRange is the next imports that a filter finds from a place on, by id.
type importRange struct {
	filter     *domain.ReportFilter
	descending bool
	place      int64 // 0 for the beginning
	inclusive  bool  // the place is one of them
	limit      int
}

// queue queues the statement that finds them.
//
// One import can have refused a login a million times, and a login, a reason and a status can each be frequent and never
// meet. So what is kept with refused objects is found by a recursion: each step of it looks for the next import in the
// indexes of all of them.
func (i *importRange) queue(batch *pgx.Batch, found *[]domain.Import) {
	where := conditions{args: pgx.NamedArgs{
		"limit": i.limit, "place": i.from(), "max_id": int64(math.MaxInt64), "login": i.filter.Login,
	}}
	where.of(i.filter)
	where.ofReason(i.filter)
	var sql string
	switch {
	case i.filter.Login != "":
		sql = i.recursion(&ofLogin, &where)
	case i.filter.Reason != (domain.Reason{}):
		sql = i.recursion(&ofReason, &where)
	case i.filter.Status != 0:
		sql = i.scan(&ofStatus)
	default:
		sql = i.scan(&ofAll)
	}
	batch.Queue(sql, where.args).Query(func(rows pgx.Rows) (err error) {
		*found, err = pgx.CollectRows(rows, scanImport)
		return err
	})
}

// from is the id behind which the range begins.
func (i *importRange) from() int64 {
	switch {
	case i.place == 0 && i.descending:
		return math.MaxInt64
	case i.inclusive && i.descending:
		return max(i.place, i.place+1) // there is none behind the highest
	case i.inclusive:
		return min(i.place, i.place-1)
	default:
		return i.place
	}
}

func (i *importRange) order() string {
	if i.descending {
		return "desc"
	}
	return "asc"
}

// behind is the condition that a row of an index has the key, and an id that the filter allows and that is behind others.
// As ids come in the order of dates, a period is a range of them.
func (i *importRange) behind(x *idIndex, ids ...string) string {
	low, high := []string{"0"}, []string{"@max_id::bigint"}
	if i.filter.Import != 0 {
		low, high = append(low, "@import::bigint - 1"), append(high, "@import::bigint + 1")
	}
	if !i.filter.From.IsZero() {
		low = append(low, "coalesce((select id from codes where date >= @from order by date, id limit 1), @max_id) - 1")
	}
	if !i.filter.Until.IsZero() {
		high = append(high, "coalesce((select id from codes where date < @until order by date desc, id desc limit 1), 0) + 1")
	}
	if i.descending {
		return x.between(low, append(high, ids...))
	}
	return x.between(append(low, ids...), high)
}

// scan is the statement that finds imports by an index of codes.
func (i *importRange) scan(x *idIndex) string {
	where := i.behind(x, "@place::bigint")
	if !i.filter.From.IsZero() {
		where += " and (c.date >= @from) is true" // so put, it makes the server think of no other index
	}
	if !i.filter.Until.IsZero() {
		where += " and (c.date < @until) is true"
	}
	return fmt.Sprintf("select %s from codes c where %s order by %s limit @limit", importColumns, where, x.by(i.order()))
}

// recursion is the statement that finds imports by an index of what is kept with refused objects.
func (i *importRange) recursion(x *idIndex, where *conditions) string {
	behind := []string{"found.id"}
	if i.filter.Status != 0 {
		behind = append(behind, i.leap(&ofStatus))
	}
	if x != &ofReason && i.filter.Reason != (domain.Reason{}) {
		behind = append(behind, i.leap(&ofReason))
	}
	return fmt.Sprintf(`
		with recursive found (id) as (
			%[1]s union all
			select %[2]s from found where found.id is not null)
		select %[3]s from (
			select %[3]s from found cross join lateral (select %[3]s from codes c where c.id = found.id offset 0) c
			where %[4]s limit @limit) c
		order by c.id %[5]s`,
		i.next(x, "@place::bigint"), i.next(x, behind...), importColumns, where, i.order())
}

// next is the statement that finds the next id of an index.
func (i *importRange) next(x *idIndex, behind ...string) string {
	return fmt.Sprintf("(select %s from %s where %s order by %s limit 1)", x.id, x.table, i.behind(x, behind...), x.by(i.order()))
}

// leap is the place in front of the next id that another index has.
func (i *importRange) leap(x *idIndex) string {
	if i.descending {
		return fmt.Sprintf("coalesce(%s, 0) + 1", i.next(x, "found.id"))
	}
	return fmt.Sprintf("coalesce(%s, @max_id) - 1", i.next(x, "found.id"))
}
