package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
)

// The names of what a report's address can ask for.
const (
	queryFrom   = "from"   // the first day
	queryUntil  = "until"  // the last day
	queryStatus = "status" // HTTP status
	queryReason = "reason" // field:code
	queryLogin  = "login"  // of a refused object
	queryImport = "import" // id; of files only
	querySort   = "sort"   // sortOldest, or the latest first
	queryAfter  = "after"  // id of the last import of the page before
	queryBefore = "before" // or of the first one of the page behind
	queryOpen   = "open"   // id of the import whose refused objects are shown
	queryObject = "object" // number of the last refused object of the page before
	queryTable  = "table"  // of a CSV file
)

const sortOldest = "oldest"

// What addresses of a report keep of the one they stand on: its filter, the order too, and the page with it.
var (
	keepFilter = []string{queryFrom, queryUntil, queryStatus, queryReason, queryLogin}
	keepOrder  = append(slices.Clone(keepFilter), querySort)
	keepPage   = append(slices.Clone(keepOrder), queryAfter, queryBefore)
)

// reportQuery is what a report's address asks for. What is not as it should be there is as if it were not there.
type reportQuery struct {
	values url.Values // what is as it should be

	filter domain.ReportFilter
	oldest bool
	after  int64
	before int64
	open   int64
	object int
}

func readReportQuery(c *fiber.Ctx) *reportQuery {
	q := &reportQuery{values: url.Values{}}
	q.filter.From, _ = q.day(c, queryFrom)
	if last, given := q.day(c, queryUntil); given {
		q.filter.Until = last.AddDate(0, 0, 1)
	}
	q.filter.Status = int(q.number(c, queryStatus, 16))
	q.filter.Import = q.number(c, queryImport, 64)
	q.filter.Reason = q.reason(c)
	if login := strings.TrimSpace(strings.ToValidUTF8(c.Query(queryLogin), "")); login != "" {
		q.values.Set(queryLogin, login)
		q.filter.Login = domain.LoginKey(q.values.Get(queryLogin))
	}
	if c.Query(querySort) == sortOldest {
		q.values.Set(querySort, sortOldest)
		q.oldest = true
	}
	q.before = q.number(c, queryBefore, 64)
	if q.before == 0 {
		q.after = q.number(c, queryAfter, 64)
	}
	q.open = q.number(c, queryOpen, 64)
	if q.open != 0 {
		q.object = int(q.number(c, queryObject, 32))
	}
	return q
}

// day reads the beginning of a day, which is one of the server's.
func (q *reportQuery) day(c *fiber.Ctx, name string) (day time.Time, given bool) {
	day, err := time.ParseInLocation(time.DateOnly, c.Query(name), time.Local)
	if err != nil || day.IsZero() {
		return time.Time{}, false
	}
	q.values.Set(name, day.Format(time.DateOnly))
	return day, true
}

// number reads a number above 0, of so many bits.
func (q *reportQuery) number(c *fiber.Ctx, name string, bits int) int64 {
	n, err := strconv.ParseInt(c.Query(name), 10, bits)
	if err != nil || n <= 0 {
		return 0
	}
	q.values.Set(name, strconv.FormatInt(n, 10))
	return n
}

func (q *reportQuery) reason(c *fiber.Ctx) domain.Reason {
	field, code, _ := strings.Cut(c.Query(queryReason), ":")
	reason := domain.Reason{Field: domain.Field(field), Code: domain.Code(code)}
	isField := reason.Field == domain.FieldObject || slices.Contains(domain.Fields(), reason.Field)
	if !isField || !slices.Contains(domain.Codes(), reason.Code) {
		return domain.Reason{}
	}
	q.values.Set(queryReason, reasonValue(reason))
	return reason
}

// address is that of a path with some of this query, and with what the pairs of a name and a value set.
func (q *reportQuery) address(path string, keep []string, pairs ...string) string {
	values := url.Values{}
	for _, name := range keep {
		values[name] = q.values[name]
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

// reasonValue is what a reason is in an address.
func reasonValue(reason domain.Reason) string {
	return string(reason.Field) + ":" + string(reason.Code)
}
