package api

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// The parameters of the directory's address, besides QueryStatus, QueryImport, QuerySort and QueryAfter.
const (
	QueryText           = "q"
	QueryGroup          = "group"
	QueryRegisteredFrom = "registered_from" // first day
	QueryRegisteredTo   = "registered_to"   // last day
	QuerySignedInBefore = "signed_in_before"
	QueryCount          = "count" // any value counts the users on a page
)

// The parameters that one address of the directory copies from another: the filter; filter and order.
var (
	KeepUserFilter = []string{
		QueryText, QueryStatus, QueryGroup, QueryImport, QueryRegisteredFrom, QueryRegisteredTo, QuerySignedInBefore,
	}
	KeepUserOrder = append(slices.Clone(KeepUserFilter), QuerySort)
)

// A DirectoryQuery holds the parameters in the address of the directory.
type DirectoryQuery struct {
	ReportQuery

	Users  ports.UserQuery
	Counts bool // a page says how many users were found
}

// ReadDirectoryQuery reads the parameters of a request. Its days begin in a location. The address may also have other parameters, which the
// caller reads.
func ReadDirectoryQuery(c *fiber.Ctx, location *time.Location, others ...string) *DirectoryQuery {
	q := &DirectoryQuery{ReportQuery: ReportQuery{Values: url.Values{}, fields: KeepUserOrder}}
	filter := &q.Users.Filter
	filter.Text = q.words(c, QueryText)
	filter.Status = listed(c, q, QueryStatus, domain.Statuses())
	filter.Group = q.group(c)
	filter.Import = q.importID(c)
	filter.From, filter.Until = q.period(c, location, QueryRegisteredFrom, QueryRegisteredTo)
	if day := q.day(c, QuerySignedInBefore); day != nil {
		filter.SignedInBefore = day.Start(location)
	}
	q.Users.Order = cmp.Or(listed(c, q, QuerySort, domain.UserOrders()), domain.UserOrders()[0])
	q.Users.After = q.value(c, QueryAfter)
	q.Counts = q.value(c, QueryCount) != ""
	for _, name := range others {
		q.known[name] = true
	}
	q.ignoreUnknown(c)
	return q
}

// DirectoryAddress returns the address of the users whom a filter finds. Its days begin in a location.
func DirectoryAddress(filter *domain.UserFilter, location *time.Location) string {
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(location).Format(time.DateOnly)
	}
	imported, last := "", filter.Until
	if filter.Import != 0 {
		imported = strconv.FormatInt(filter.Import, 10)
	}
	if !last.IsZero() {
		last = last.Add(-time.Nanosecond)
	}
	return (&ReportQuery{}).Address(urls.Directory, nil,
		QueryText, filter.Text, QueryStatus, string(filter.Status), QueryGroup, filter.Group, QueryImport, imported,
		QueryRegisteredFrom, day(filter.From), QueryRegisteredTo, day(last), QuerySignedInBefore, day(filter.SignedInBefore))
}

// words reads a text, with a space for each run of white space.
func (q *DirectoryQuery) words(c *fiber.Ctx, name string) string {
	text := strings.Join(strings.Fields(q.value(c, name)), " ")
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		q.violate(name, domain.CodeInvalid)
		q.Values.Set(name, strings.ToValidUTF8(text, "\ufffd"))
		return ""
	}
	if text != "" {
		q.Values.Set(name, text)
	}
	return text
}

// listed reads a value of a list, empty for none.
func listed[T ~string](c *fiber.Ctx, q *DirectoryQuery, name string, all []T) T {
	value := T(q.value(c, name))
	if value != "" && !slices.Contains(all, value) {
		q.violate(name, codeUnknown)
		return ""
	}
	return value
}

func (q *DirectoryQuery) group(c *fiber.Ctx) string {
	value := q.value(c, QueryGroup)
	if value == "" {
		return ""
	}
	group, violations := domain.NewGroup(value)
	if violations != nil {
		q.Violations = append(q.Violations, violations...)
		q.Values.Set(QueryGroup, strings.ToValidUTF8(value, "\ufffd"))
	}
	return group.String()
}

func (q *DirectoryQuery) importID(c *fiber.Ctx) int64 {
	value := q.value(c, QueryImport)
	if value == "" {
		return 0
	}
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil || id <= 0 {
		q.violate(QueryImport, domain.CodeInvalid)
		return 0
	}
	return id
}
