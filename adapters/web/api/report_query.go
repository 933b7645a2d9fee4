package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
)

// The parameters of a report's address.
const (
	QueryFrom   = "from"   // first day
	QueryUntil  = "until"  // last day
	QueryStatus = "status" // HTTP status
	QueryReason = "reason" // field:code
	QueryLogin  = "login"  // of a rejected record
	QueryImport = "import" // id; for files only
	QuerySort   = "sort"   // SortOldest, or the latest first
	QueryAfter  = "after"  // id of the last import of the previous page
	QueryBefore = "before" // or of the first import of the next page
	QueryOpen   = "open"   // id of the import whose rejected records are shown
	QueryObject = "object" // number of the last rejected record of the previous page
	QueryTable  = "table"  // of a CSV file
)

// SortOldest shows the oldest import first.
const SortOldest = "oldest"

// The parameters that one address copies from another: the filter; filter and order; filter, order and page.
var (
	KeepFilter = []string{QueryFrom, QueryUntil, QueryStatus, QueryReason, QueryLogin}
	KeepOrder  = append(slices.Clone(KeepFilter), QuerySort)
	KeepPage   = append(slices.Clone(KeepOrder), QueryAfter, QueryBefore)
)

// A ReportQuery holds the parameters in the address of a report. Invalid ones are ignored.
type ReportQuery struct {
	Values url.Values // the valid parameters

	Filter domain.ReportFilter
	Oldest bool // first
	After  int64
	Before int64
	Open   int64
	Object int
}

// ReadReportQuery reads the parameters of a request. Its days begin in a location.
func ReadReportQuery(c *fiber.Ctx, location *time.Location) *ReportQuery {
	q := &ReportQuery{Values: url.Values{}}
	if first, given := q.day(c, QueryFrom); given {
		q.Filter.From = first.Start(location)
	}
	if last, given := q.day(c, QueryUntil); given {
		q.Filter.Until = (last + 1).Start(location)
	}
	q.Filter.Status = int(q.number(c, QueryStatus, 16))
	q.Filter.Import = q.number(c, QueryImport, 64)
	q.Filter.Reason = q.reason(c)
	if login := strings.TrimSpace(strings.ToValidUTF8(c.Query(QueryLogin), "")); login != "" {
		q.Values.Set(QueryLogin, login)
		q.Filter.Login = domain.LoginKey(q.Values.Get(QueryLogin))
	}
	if c.Query(QuerySort) == SortOldest {
		q.Values.Set(QuerySort, SortOldest)
		q.Oldest = true
	}
	q.Before = q.number(c, QueryBefore, 64)
	if q.Before == 0 {
		q.After = q.number(c, QueryAfter, 64)
	}
	q.Open = q.number(c, QueryOpen, 64)
	if q.Open != 0 {
		q.Object = int(q.number(c, QueryObject, 32))
	}
	return q
}

func (q *ReportQuery) day(c *fiber.Ctx, name string) (day domain.Date, given bool) {
	t, err := time.Parse(time.DateOnly, c.Query(name))
	if err != nil || t.IsZero() {
		return 0, false
	}
	q.Values.Set(name, t.Format(time.DateOnly))
	return domain.DateOf(t), true
}

// number reads a positive number of up to the given bits, and returns 0 for any other value.
func (q *ReportQuery) number(c *fiber.Ctx, name string, bits int) int64 {
	n, err := strconv.ParseInt(c.Query(name), 10, bits)
	if err != nil || n <= 0 {
		return 0
	}
	q.Values.Set(name, strconv.FormatInt(n, 10))
	return n
}

func (q *ReportQuery) reason(c *fiber.Ctx) domain.Reason {
	field, code, _ := strings.Cut(c.Query(QueryReason), ":")
	reason := domain.Reason{Field: domain.Field(field), Code: domain.Code(code)}
	isField := reason.Field == domain.FieldRecord || slices.Contains(domain.Fields(), reason.Field)
	if !isField || !slices.Contains(domain.Codes(), reason.Code) {
		return domain.Reason{}
	}
	q.Values.Set(QueryReason, ReasonValue(reason))
	return reason
}

// Address returns the address of a path with the kept parameters of this query. Pairs of a name and a value replace parameters.
func (q *ReportQuery) Address(path string, keep []string, pairs ...string) string {
	values := url.Values{}
	for _, name := range keep {
		values[name] = q.Values[name]
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Del(pairs[i])
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	encoded := values.Encode()
	if encoded == "" {
		return path
	}
	return path + "?" + encoded
}

// ReasonValue returns a reason as an address has it.
func ReasonValue(reason domain.Reason) string {
	return string(reason.Field) + ":" + string(reason.Code)
}
