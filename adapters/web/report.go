package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// The names of what a report's address can ask for. What is not as it should be there is as if it were not there.
const (
	queryFrom   = "from"   // the first day
	queryUntil  = "until"  // the last day
	queryStatus = "status" // HTTP status
	queryReason = "reason" // field:code
	queryLogin  = "login"
	queryImport = "import"
	querySort   = "sort" // sortOldest, or the latest first
	queryAfter  = "after"
	queryBefore = "before"
	queryOpen   = "open"   // the import whose refused objects are shown
	queryObject = "object" // from behind this one on
)

const sortOldest = "oldest"

// reportFilter reads a filter out of an address. Days are those of the server.
func reportFilter(c *fiber.Ctx) domain.ReportFilter {
	var filter domain.ReportFilter
	if day, err := time.ParseInLocation(time.DateOnly, c.Query(queryFrom), time.Local); err == nil {
		filter.From = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, c.Query(queryUntil), time.Local); err == nil {
		filter.Until = day.AddDate(0, 0, 1)
	}
	filter.Status = max(0, int(queryNumber(c, queryStatus, 10)))
	filter.Import = queryNumber(c, queryImport, 64)
	field, code, found := strings.Cut(c.Query(queryReason), ":")
	if found && code != "" {
		filter.Reason = domain.Reason{Field: domain.Field(strings.Clone(field)), Code: domain.Code(strings.Clone(code))}
	}
	if login := strings.TrimSpace(c.Query(queryLogin)); login != "" {
		filter.Login = domain.LoginKey(strings.Clone(login))
	}
	return filter
}

// queryNumber is 0 when there is no number above it.
func queryNumber(c *fiber.Ctx, name string, bits int) int64 {
	n, err := strconv.ParseInt(c.Query(name), 10, bits)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// mediaTypes are those of exported files, by what their formats end in.
var mediaTypes = map[string]string{
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"txt":  "text/plain; charset=utf-8",
	"csv":  "text/csv; charset=utf-8",
	"json": "application/json",
}

// export answers GET /useradd/export/:format.
func (p *pages) export(c *fiber.Ctx) error {
	user, err := p.signedIn(c)
	if err != nil || user == nil {
		return err
	}
	format := c.Params("format")
	switch format {
	case "excel":
		return c.Redirect(strings.Replace(c.OriginalURL(), "excel", "xlsx", 1), http.StatusPermanentRedirect)
	case "csv":
		format = "csv-" + c.Query("table", "codes")
	}
	file, err := p.reporting.Export(c.UserContext(), format, reportFilter(c))
	if err != nil {
		return err
	}
	kind := file.Name[strings.LastIndexByte(file.Name, '.')+1:]
	c.Set(fiber.HeaderContentType, mediaTypes[kind])
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+file.Name+`"`)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendStream(file, int(file.Size))
}

const (
	importsPerPage    = 25
	rejectionsPerPage = 50
	reasonsInChart    = 8
)

// viewReport is what imports did, as the profile shows it.
type viewReport struct {
	Any        bool // there was an import
	ServerURL  string
	Periods    []viewPeriod
	Days       []viewDay
	Reasons    []viewReason
	MostOften  int // how many objects the first of Reasons has
	Filter     viewFilter
	Imports    []viewImport
	First      string // addresses; empty where there is nothing
	Previous   string
	Next       string
	Clear      string
	SortURL    string
	Oldest     bool
	Exports    []viewExport
	IsFiltered bool
}

// viewPeriod is what imports did in a time.
type viewPeriod struct {
	Name                              string
	Requests, Created, Refused, Share string
}

// viewDay is a day of the chart.
type viewDay struct {
	Day              string // ISO
	Name             string
	Created, Refused int
}

// viewReason is why objects were refused.
type viewReason struct {
	Name    string
	Objects int
	URL     string // the imports with it
}

// viewFilter is what the form of the filter has.
type viewFilter struct {
	From, Until, Login, Sort string
	Statuses, Reasons        []viewOption
}

// viewOption is one of those to choose from.
type viewOption struct {
	Value, Name string
	Chosen      bool
}

// viewExport is a file to take away.
type viewExport struct{ Name, URL string }

// viewImport is a row of the table.
type viewImport struct {
	domain.Import

	When     string
	Machine  string // the date for programs
	Count    string // how many were refused, in words
	Open     bool
	URL      string // that opens or closes it
	Objects  []viewObject
	More     string // address of further objects
	Rejected []viewExport
}

// viewObject is a refused object.
type viewObject struct {
	Number int
	Login  string
	Reason string
}

// report reads what the profile shows of imports.
func (p *pages) report(c *fiber.Ctx) (*viewReport, error) {
	ctx, words := c.UserContext(), p.words(c)
	statistics, err := p.reporting.Statistics(ctx)
	if err != nil {
		return nil, err
	}
	at := reportURL(c)
	r := &viewReport{
		Any: statistics.All.Requests > 0, ServerURL: c.BaseURL(), Clear: "/profile#report", Oldest: c.Query(querySort) == sortOldest,
		Periods: []viewPeriod{
			period(words, "today", statistics.Last(1)), period(words, "week", statistics.Last(7)),
			period(words, "month", statistics.Last(domain.StatisticsDays)), period(words, "all", statistics.All),
		},
	}
	if !r.Any {
		return r, nil
	}
	for _, day := range statistics.Days {
		date := day.Day.Time()
		r.Days = append(r.Days, viewDay{date.Format(time.DateOnly), words.Date(date), day.Created, day.Refused})
	}
	for _, reason := range statistics.Reasons[:min(len(statistics.Reasons), reasonsInChart)] {
		r.Reasons = append(r.Reasons, viewReason{reasonName(words, reason.Reason), reason.Objects, at.with(queryReason, reasonValue(reason.Reason)).page()})
		r.MostOften = max(r.MostOften, reason.Objects)
	}
	filter := reportFilter(c)
	filter.Import = 0 // that is for files
	r.IsFiltered = filter != (domain.ReportFilter{})
	r.Filter = formOf(c, words, statistics, filter)
	page, err := p.reporting.Imports(ctx, ports.ImportQuery{
		Filter: filter, Oldest: r.Oldest, After: queryNumber(c, queryAfter, 64), Before: queryNumber(c, queryBefore, 64), Limit: importsPerPage,
	})
	if err != nil {
		return nil, err
	}
	r.setPages(at, page)
	sort := sortOldest
	if r.Oldest {
		sort = ""
	}
	r.SortURL = at.with(querySort, sort).page()
	for _, export := range []viewExport{
		{"XLSX", "xlsx"},
		{"TXT", "txt"},
		{words.Text("report.csv.codes"), "csv?table=codes"},
		{words.Text("report.csv.bad_users"), "csv?table=bad_users"},
		{"JSON", "json"},
	} {
		r.Exports = append(r.Exports, viewExport{export.Name, at.export(export.URL)})
	}
	open := queryNumber(c, queryOpen, 64)
	for _, i := range page.Imports {
		row := viewImport{
			Import: i, When: words.Date(i.Date.Local()) + ", " + i.Date.Local().Format("15:04"), Machine: i.Date.Format(time.RFC3339),
			Count: words.Text("report.refused", "Count", i.Refused), Open: i.ID == open,
		}
		anchor := fmt.Sprintf("#import-%d", i.ID)
		row.URL = at.here(i.ID, 0) + anchor
		if row.Open {
			row.URL = at.here(0, 0) + anchor
			err = p.openImport(c, &row, filter, at)
			if err != nil {
				return nil, err
			}
		}
		r.Imports = append(r.Imports, row)
	}
	return r, nil
}

// openImport reads objects that an import refused.
func (p *pages) openImport(c *fiber.Ctx, row *viewImport, filter domain.ReportFilter, at reportAddress) error {
	filter.Import = row.ID
	page, err := p.reporting.Rejections(c.UserContext(), ports.RejectionQuery{
		Filter: filter, After: int(queryNumber(c, queryObject, 32)), Limit: rejectionsPerPage,
	})
	if err != nil {
		return err
	}
	words := p.words(c)
	for _, rejection := range page.Rejections {
		row.Objects = append(row.Objects, viewObject{rejection.Object, rejection.Login, words.Describe(rejection.Violations)})
	}
	if !page.IsLast {
		last := page.Rejections[len(page.Rejections)-1].Object
		row.More = at.here(row.ID, last) + fmt.Sprintf("#import-%d", row.ID)
	}
	for _, format := range []string{"json", "csv", "xlsx"} {
		row.Rejected = append(row.Rejected, viewExport{strings.ToUpper(format), fmt.Sprintf("/useradd/export/rejected.%s?import=%d", format, row.ID)})
	}
	return nil
}

// setPages says where the pages in front of this one and behind it are.
func (r *viewReport) setPages(at reportAddress, page *ports.ImportPage) {
	if !page.IsFirst {
		r.First = at.page()
	}
	if len(page.Imports) == 0 {
		return
	}
	id := func(i domain.Import) string { return strconv.FormatInt(i.ID, 10) }
	if !page.IsFirst {
		r.Previous = at.with(queryBefore, id(page.Imports[0])).page()
	}
	if !page.IsLast {
		r.Next = at.with(queryAfter, id(page.Imports[len(page.Imports)-1])).page()
	}
}

func period(words ports.Words, name string, count domain.Count) viewPeriod {
	share := "—"
	if all := count.Created + count.Refused; all > 0 {
		share = words.Percent(float64(count.Refused) / float64(all))
	}
	return viewPeriod{
		words.Text("report.period." + name), words.Number(count.Requests), words.Number(count.Created), words.Number(count.Refused), share,
	}
}

// formOf is the form of the filter, as it was sent.
func formOf(c *fiber.Ctx, words ports.Words, statistics *domain.Statistics, filter domain.ReportFilter) viewFilter {
	f := viewFilter{Login: c.Query(queryLogin)}
	if !filter.From.IsZero() {
		f.From = c.Query(queryFrom)
	}
	if !filter.Until.IsZero() {
		f.Until = c.Query(queryUntil)
	}
	if c.Query(querySort) == sortOldest {
		f.Sort = sortOldest
	}
	for _, status := range statistics.Statuses {
		text := strconv.Itoa(status)
		f.Statuses = append(f.Statuses, viewOption{text, text + " " + http.StatusText(status), status == filter.Status})
	}
	isThere := filter.Reason == domain.Reason{}
	for _, reason := range statistics.Reasons {
		isChosen := reason.Reason == filter.Reason
		isThere = isThere || isChosen
		f.Reasons = append(f.Reasons, viewOption{reasonValue(reason.Reason), reasonName(words, reason.Reason), isChosen})
	}
	if !isThere {
		f.Reasons = append(f.Reasons, viewOption{reasonValue(filter.Reason), reasonName(words, filter.Reason), true})
	}
	return f
}

func reasonValue(reason domain.Reason) string {
	return string(reason.Field) + ":" + string(reason.Code)
}

// reasonName is what a reason is called in a list: the field and what was wrong with it.
func reasonName(words ports.Words, reason domain.Reason) string {
	sentence := words.Describe(domain.Violations{{Field: reason.Field, Code: reason.Code, Limit: domain.MaxLength}})
	return strings.TrimSuffix(sentence, ".")
}

// reportAddress makes addresses of the report with the filter that this one has.
type reportAddress struct{ filter, place url.Values }

func reportURL(c *fiber.Ctx) reportAddress {
	at := reportAddress{url.Values{}, url.Values{}}
	for _, name := range []string{queryFrom, queryUntil, queryStatus, queryReason, queryLogin, querySort} {
		at.filter.Set(name, c.Query(name))
	}
	for _, name := range []string{queryAfter, queryBefore} {
		at.place.Set(name, c.Query(name))
	}
	return at
}

// with is the address of the first page with something else.
func (a reportAddress) with(name, value string) reportAddress {
	filter := maps.Clone(a.filter)
	filter.Set(name, value)
	return reportAddress{filter: filter}
}

// page is the first page.
func (a reportAddress) page() string { return "/profile" + queryOf(a.filter) + "#report" }

// here is this page with an import opened, at the object behind one; 0 for closed, and for the first objects.
func (a reportAddress) here(opened int64, object int) string {
	open := url.Values{queryOpen: {positive(opened)}, queryObject: {positive(int64(object))}}
	return "/profile" + queryOf(a.filter, a.place, open)
}

// positive is empty for 0, which no address has.
func positive(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// export is the address of a file.
func (a reportAddress) export(format string) string {
	format, table, _ := strings.Cut(format, "?table=")
	return "/useradd/export/" + format + queryOf(url.Values{"table": {table}}, a.filter)
}

func queryOf(parts ...url.Values) string {
	all := url.Values{}
	for _, part := range parts {
		for name, values := range part {
			if values[0] != "" {
				all[name] = values
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "?" + all.Encode()
}
