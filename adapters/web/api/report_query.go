package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/problem"
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

// The codes of parameters' violations, besides domain.CodeInvalid for a value that its field cannot have.
const (
	codeParameter domain.Code = "parameter" // an invalid value of a parameter without a field
	codeReversed  domain.Code = "reversed"  // the last day is before the first
	codeUnknown   domain.Code = "unknown"   // a value that is not in the list of a field

	codeUnknownParameter domain.Code = "unknown_parameter" // a parameter that the address does not have
)

// A ReportQuery holds the parameters in the address of a report.
type ReportQuery struct {
	Values     url.Values        // the parameters; dates as 2006-01-02, invalid values of the filter as they came
	Violations domain.Violations // of the filter

	// Ignored are the violations of parameters that a page ignores and names: they select nothing. Programs get an error.
	Ignored domain.Violations

	fields []string        // parameters of the filter
	known  map[string]bool // names of parameters

	Filter domain.ReportFilter
	Oldest bool // first
	After  int64
	Before int64
	Open   int64
	Object int
	Table  string
}

// ReadReportQuery reads the parameters of a request. Its days begin in a location.
func ReadReportQuery(c *fiber.Ctx, location *time.Location) *ReportQuery {
	q := &ReportQuery{Values: url.Values{}, fields: KeepFilter}
	q.Filter.From, q.Filter.Until = q.period(c, location, QueryFrom, QueryUntil)
	q.Filter.Status = q.status(c)
	q.Filter.Import = q.number(c, QueryImport, 64)
	q.Filter.Reason = q.reason(c)
	q.Filter.Login = q.login(c)
	q.Oldest = q.choice(c, QuerySort, SortOldest) != ""
	q.Before = q.number(c, QueryBefore, 64)
	q.After = q.number(c, QueryAfter, 64)
	if q.Before != 0 {
		q.After = 0
		q.Values.Del(QueryAfter)
	}
	q.Open = q.number(c, QueryOpen, 64)
	q.Object = int(q.number(c, QueryObject, 32))
	q.Table = q.choice(c, QueryTable, csvTables...)
	q.ignoreUnknown(c)
	return q
}

const (
	maxUnknown   = 5  // parameters that are named
	maxParameter = 50 // characters of a name
)

// ignoreUnknown adds a violation for parameters that were not read, such as misspelled ones.
func (q *ReportQuery) ignoreUnknown(c *fiber.Ctx) {
	named := 0
	for key := range c.Context().QueryArgs().All() {
		name := string(key)
		if q.known[name] || name == locale.Parameter || named == maxUnknown {
			continue
		}
		q.known[name] = true
		named++
		q.Ignored = append(q.Ignored, domain.Violation{Field: domain.Field(domain.Line(strings.ToValidUTF8(name, "\ufffd"), maxParameter)), Code: codeUnknownParameter})
	}
}

// period reads the first and the last day of a period, and returns its beginning and its end.
func (q *ReportQuery) period(c *fiber.Ctx, location *time.Location, firstName, lastName string) (from, until time.Time) {
	first, last := q.day(c, firstName), q.day(c, lastName)
	if first != nil {
		from = first.Start(location)
	}
	if last != nil {
		until = (*last + 1).Start(location)
	}
	if first != nil && last != nil && *first > *last {
		q.violate(lastName, codeReversed)
	}
	return from, until
}

// FilterErr returns an error with the violations of the filter, nil if there are none.
func (q *ReportQuery) FilterErr() error { return errorOf(q.Violations) }

// Err returns an error with all violations, nil if there are none.
func (q *ReportQuery) Err() error { return errorOf(slices.Concat(q.Violations, q.Ignored)) }

func errorOf(violations domain.Violations) error {
	if violations == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", problem.ErrFilter, &domain.RejectedError{Violations: violations})
}

// value returns the first value of a parameter, empty for none, and adds it to the values.
func (q *ReportQuery) value(c *fiber.Ctx, name string) string {
	if q.known == nil {
		q.known = map[string]bool{}
	}
	q.known[name] = true
	value := strings.TrimSpace(c.Query(name))
	isRepeated := len(c.Context().QueryArgs().PeekMulti(name)) > 1
	switch {
	case isRepeated && slices.Contains(q.fields, name):
		q.violate(name, domain.CodeRepeated)
	case isRepeated:
		q.Ignored = append(q.Ignored, domain.Violation{Field: domain.Field(name), Code: domain.CodeRepeated})
	}
	if value != "" {
		q.Values.Set(name, value)
	}
	return value
}

// ignore drops an invalid value of a parameter without a field.
func (q *ReportQuery) ignore(name string) {
	q.Values.Del(name)
	q.Ignored = append(q.Ignored, domain.Violation{Field: domain.Field(name), Code: codeParameter})
}

func (q *ReportQuery) violate(name string, code domain.Code) {
	q.Violations = append(q.Violations, domain.Violation{Field: domain.Field(name), Code: code})
}

// day reads a day in any notation in which files have dates. It returns nil for none.
func (q *ReportQuery) day(c *fiber.Ctx, name string) *domain.Date {
	value := q.value(c, name)
	if value == "" {
		return nil
	}
	day, known := domain.ParseDate(value)
	if !known {
		q.violate(name, domain.CodeInvalid)
		return nil
	}
	q.Values.Set(name, day.Time().Format(time.DateOnly))
	return &day
}

// number reads a positive number of up to the given bits, 0 for none.
func (q *ReportQuery) number(c *fiber.Ctx, name string, bits int) int64 {
	value := q.value(c, name)
	if value == "" {
		return 0
	}
	n, err := strconv.ParseInt(value, 10, bits)
	if err != nil || n <= 0 {
		q.ignore(name)
		return 0
	}
	return n
}

// choice reads one of some values, empty for none.
func (q *ReportQuery) choice(c *fiber.Ctx, name string, values ...string) string {
	value := q.value(c, name)
	if value != "" && !slices.Contains(values, value) {
		q.ignore(name)
		return ""
	}
	return value
}

func (q *ReportQuery) status(c *fiber.Ctx) int {
	value := q.value(c, QueryStatus)
	status, err := strconv.Atoi(value)
	if value != "" && (err != nil || status < 100 || status > 999) {
		q.violate(QueryStatus, domain.CodeInvalid)
	}
	return status
}

func (q *ReportQuery) reason(c *fiber.Ctx) domain.Reason {
	value := q.value(c, QueryReason)
	if value == "" {
		return domain.Reason{}
	}
	field, code, _ := strings.Cut(value, ":")
	reason := domain.Reason{Field: domain.Field(field), Code: domain.Code(code)}
	isField := reason.Field == domain.FieldRecord || slices.Contains(domain.Fields(), reason.Field)
	if !isField || !slices.Contains(domain.Codes(), reason.Code) {
		q.violate(QueryReason, domain.CodeInvalid)
		return domain.Reason{}
	}
	return reason
}

func (q *ReportQuery) login(c *fiber.Ctx) string {
	value := q.value(c, QueryLogin)
	if !utf8.ValidString(value) {
		q.violate(QueryLogin, domain.CodeInvalid)
		q.Values.Set(QueryLogin, strings.ToValidUTF8(value, "\ufffd"))
		return ""
	}
	return domain.LoginKey(value)
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
