package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	pathProfile = "/profile"

	importsPerPage    = 25
	rejectionsPerPage = 50
	reasonsInChart    = 8
)

// viewReport is what imports did, as the profile shows it. An address is empty where there is nothing to go to.
type viewReport struct {
	Any       bool // there was an import
	ServerURL string
	Periods   []viewPeriod
	Days      []viewDay // none where nothing has happened on any
	Reasons   []viewReason

	Statuses, AllReasons []viewOption // to choose from
	IsFiltered           bool
	ClearURL             string
	Oldest               bool // is the first
	SortURL              string
	Exports              []viewLink

	Imports    []viewImport
	Start      string // address of the first page, where this one is none
	Prev, Next string
}

// viewPeriod is what imports did in a time.
type viewPeriod struct {
	Name                     string
	Requests, Created, Share string
	Refused                  string
	IsRefused                bool // something was
}

// viewDay is a day of the chart.
type viewDay struct {
	Day, Name        string // for programs, and for readers
	Created, Refused int
}

// viewReason is why objects were refused.
type viewReason struct {
	Name    string
	Objects int
	URL     string // of the imports with it
}

// viewOption is one of those to choose from.
type viewOption struct {
	Value, Name string
	Chosen      bool
}

// viewLink is a link.
type viewLink struct{ Name, URL string }

// viewImport is a row of the table.
type viewImport struct {
	ID                  int64
	Status              int
	Method, Description string
	Date, Time          string // for programs, and for readers
	Refused, OpenURL    string // how many, and what shows or hides them; empty where there are none
	Opened              *viewRejections
}

// Failed tells of an import that has registered nobody.
func (i viewImport) Failed() bool { return i.Status >= http.StatusBadRequest }

// viewRejections is a page of the objects that an import refused.
type viewRejections struct {
	T       *words
	Objects []viewRejection
	Start   string // address of the first page, where this one is none
	More    string
	Files   []viewLink
}

// viewRejection is a refused object.
type viewRejection struct {
	Number       int
	Login, Wrong string
}

// report reads what the profile shows of imports.
func (p *pages) report(c *fiber.Ctx, q *reportQuery) (*viewReport, error) {
	statistics, err := p.reports.Statistics(c.UserContext(), domain.DateOf(time.Now()))
	if err != nil {
		return nil, err
	}
	r := &viewReport{Any: statistics.All.Imports > 0, ServerURL: c.BaseURL()}
	if !r.Any {
		return r, nil
	}
	words := p.words(c)
	r.tellStatistics(statistics, words, q)
	r.tellFilter(statistics, words, q)
	return r, p.listImports(c, r, q)
}

// tellStatistics is for the figures and the charts. The filter does not touch them.
func (r *viewReport) tellStatistics(statistics *domain.Statistics, words *words, q *reportQuery) {
	month := statistics.Last(domain.StatisticsDays)
	for _, period := range []struct {
		name  string
		count domain.Count
	}{
		{"today", statistics.Last(1)}, {"week", statistics.Last(7)}, {"month", month}, {"all", statistics.All},
	} {
		r.Periods = append(r.Periods, viewPeriod{
			Name: words.Text("report.period." + period.name), Requests: words.Number(period.count.Imports),
			Created: words.Number(period.count.Registered), Refused: words.Number(period.count.Rejected),
			IsRefused: period.count.Rejected > 0, Share: shareRefused(period.count, words),
		})
	}
	if month.Registered+month.Rejected > 0 {
		for _, day := range statistics.Days {
			date := day.Day.Time()
			r.Days = append(r.Days, viewDay{date.Format(time.DateOnly), words.Date(date), day.Registered, day.Rejected})
		}
	}
	for _, reason := range statistics.Reasons[:min(len(statistics.Reasons), reasonsInChart)] {
		r.Reasons = append(r.Reasons, viewReason{
			reasonName(reason.Reason, words), reason.Objects,
			q.address(pathProfile, []string{querySort}, queryReason, reasonValue(reason.Reason)),
		})
	}
}

// shareRefused says which part of the objects was refused. It calls nothing none, nor all, that is not.
func shareRefused(count domain.Count, words *words) string {
	const least = 0.001
	objects := count.Registered + count.Rejected
	if objects == 0 {
		return "–"
	}
	switch share := float64(count.Rejected) / float64(objects); {
	case share > 0 && share < least:
		return "< " + words.Percent(least)
	case share < 1 && share > 1-least:
		return "> " + words.Percent(1-least)
	default:
		return words.Percent(share)
	}
}

// tellFilter is for the form of the filter, and what has it.
func (r *viewReport) tellFilter(statistics *domain.Statistics, words *words, q *reportQuery) {
	for _, name := range keepFilter {
		r.IsFiltered = r.IsFiltered || q.values.Has(name)
	}
	r.ClearURL = q.address(pathProfile, []string{querySort})
	r.Oldest = q.oldest
	r.SortURL = q.address(pathProfile, keepFilter, querySort, sortOldest)
	if q.oldest {
		r.SortURL = q.address(pathProfile, keepFilter)
	}
	for _, status := range statistics.Statuses {
		text := strconv.Itoa(status)
		r.Statuses = append(r.Statuses, viewOption{text, strings.TrimSpace(text + " " + http.StatusText(status)), status == q.filter.Status})
	}
	if chosen := q.values.Get(queryStatus); !hasChosen(r.Statuses) && chosen != "" {
		r.Statuses = append(r.Statuses, viewOption{chosen, chosen, true})
	}
	for _, reason := range statistics.Reasons {
		r.AllReasons = append(r.AllReasons, viewOption{
			reasonValue(reason.Reason), reasonName(reason.Reason, words), reason.Reason == q.filter.Reason,
		})
	}
	if chosen := q.values.Get(queryReason); !hasChosen(r.AllReasons) && chosen != "" {
		r.AllReasons = append(r.AllReasons, viewOption{chosen, reasonName(q.filter.Reason, words), true})
	}
	r.Exports = []viewLink{
		{"XLSX", q.address(pathExport+"xlsx", keepFilter)},
		{words.Text("report.csv.codes"), q.address(pathExport+"csv", keepFilter, queryTable, "codes")},
		{words.Text("report.csv.bad_users"), q.address(pathExport+"csv", keepFilter, queryTable, "bad_users")},
		{"TXT", q.address(pathExport+"txt", keepFilter)},
		{"JSON", q.address(pathExport+"json", keepFilter)},
	}
}

func hasChosen(options []viewOption) bool {
	for _, option := range options {
		if option.Chosen {
			return true
		}
	}
	return false
}

// reasonName is what a reason is called in a list.
func reasonName(reason domain.Reason, words *words) string {
	what := words.Text("reason." + string(reason.Code))
	if reason.Field == domain.FieldObject || reason.Code == domain.CodeContactRequired { // which is about two fields
		return what
	}
	return words.Text("report.reason.name", "Field", words.Text("field."+string(reason.Field)), "What", what)
}

// listImports reads the page of imports.
func (p *pages) listImports(c *fiber.Ctx, r *viewReport, q *reportQuery) error {
	filter := q.filter
	filter.Import = 0 // that is for files
	page, err := p.reports.Imports(c.UserContext(), ports.ImportQuery{
		Filter: filter, Oldest: q.oldest, After: q.after, Before: q.before, Limit: importsPerPage,
	})
	if err != nil {
		return err
	}
	words := p.words(c)
	for _, it := range page.Imports {
		row := newViewImport(it, words)
		switch {
		case it.Rejected == 0:
		case it.ID == q.open:
			row.OpenURL = q.address(pathProfile, keepPage)
			row.Opened, err = p.openImport(c, q)
			if err != nil {
				return err
			}
		default:
			row.OpenURL = q.address(pathProfile, keepPage, queryOpen, id(it.ID))
		}
		r.Imports = append(r.Imports, row)
	}
	if q.after != 0 || q.before != 0 {
		r.Start = q.address(pathProfile, keepOrder)
	}
	if len(page.Imports) == 0 {
		return nil
	}
	if !page.IsFirst {
		r.Prev = q.address(pathProfile, keepOrder, queryBefore, id(page.Imports[0].ID))
	}
	if !page.IsLast {
		r.Next = q.address(pathProfile, keepOrder, queryAfter, id(page.Imports[len(page.Imports)-1].ID))
	}
	return nil
}

func newViewImport(it domain.Import, words *words) viewImport {
	date := it.Date.Local()
	row := viewImport{
		ID: it.ID, Status: it.Status, Method: it.Method, Description: it.Description,
		Date: date.Format(time.RFC3339), Time: words.Date(date) + ", " + date.Format("15:04"),
	}
	if it.Rejected > 0 {
		row.Refused = words.Text("report.refused", "Count", it.Rejected, "Number", words.Number(it.Rejected))
	}
	return row
}

// openImport reads a page of the objects that the open import refused.
func (p *pages) openImport(c *fiber.Ctx, q *reportQuery) (*viewRejections, error) {
	query := ports.RejectionQuery{Filter: q.filter, After: q.object, Limit: rejectionsPerPage}
	query.Filter.Import = q.open
	v, _, err := p.listRejections(c, query, func(after string) string {
		return q.address(pathProfile, keepPage, queryOpen, id(q.open), queryObject, after) + "#import-" + id(q.open)
	})
	return v, err
}

// listRejections reads a page of the objects that an import refused, and its record. Address is that of the page behind an
// object, or with nothing that of the first.
func (p *pages) listRejections(c *fiber.Ctx, query ports.RejectionQuery, address func(after string) string) (*viewRejections, domain.Import, error) {
	page, err := p.reports.Rejections(c.UserContext(), query)
	if err != nil {
		return nil, domain.Import{}, err
	}
	v := newViewRejections(page.Rejections, p.words(c))
	if query.After != 0 {
		v.Start = address("")
	}
	if !page.IsLast {
		v.More = address(strconv.Itoa(page.Rejections[len(page.Rejections)-1].Object))
	}
	who, err := p.visitor(c)
	if err != nil || !who.isOperator() {
		return v, page.Import, err
	}
	for _, format := range []string{"json", "csv", "xlsx"} {
		v.Files = append(v.Files, viewLink{
			strings.ToUpper(format), pathExport + "rejected." + format + "?" + queryImport + "=" + id(query.Filter.Import),
		})
	}
	return v, page.Import, nil
}

func newViewRejections(rejections []domain.Rejection, words *words) *viewRejections {
	v := &viewRejections{T: words}
	for _, rejection := range rejections {
		v.Objects = append(v.Objects, viewRejection{rejection.Object, rejection.Login, words.Describe(rejection.Violations)})
	}
	return v
}

func id(n int64) string { return strconv.FormatInt(n, 10) }
