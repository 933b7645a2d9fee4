package pages

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	importsPerPage    = 25
	rejectionsPerPage = 50
	reasonsInChart    = 8
)

// Reports shows imports, with statistics and rejections.
type Reports struct {
	*Site

	Reading   ports.ReportReading
	Directory ports.Directory
}

// reportView is the report in a profile. An address is empty if there is no page to link to.
type reportView struct {
	Any       bool // there was an import, or the filter is invalid
	ServerURL string
	Zone      string // of the server
	Periods   []periodView
	Days      []dayView // none if no record was imported on any day
	Reasons   []reasonView

	IsFiltered bool
	IsInvalid  bool // the filter is invalid and selects nothing
	ClearURL   string
	Oldest     bool // first
	SortURL    string
	Exports    []linkView

	Running    []runningView // on the first page without a filter
	Imports    []importView
	Start      string // address of the first page; empty on that page
	Prev, Next string
}

// A periodView shows the figures of a period.
type periodView struct {
	Name                          string
	Imports, Registered, Rejected string // how many; of records the last two
	Share                         string // of rejected records
	HasRejected                   bool   // a record was
}

// dayView is a day of the chart.
type dayView struct {
	Day, Name            string // for programs, and for readers
	Registered, Rejected int
}

// reasonView is a reason of rejections.
type reasonView struct {
	Name    string
	Records int
	URL     string // of the imports with it
}

// optionView is an option of a list.
type optionView struct {
	Value, Name string
	Chosen      bool
}

// linkView is a link.
type linkView struct{ Name, URL string }

// runningView is an import that is running.
type runningView struct {
	Time    locale.Moment // of its beginning
	Done    float64       // share of the file, 0 to 1
	Records string        // how many are done
}

func newRunningView(run ports.RunningImport, words *locale.Words) runningView {
	v := runningView{Time: words.Time(run.Started), Records: words.Text("upload.waiting")}
	if run.Done.Records > 0 {
		v.Records = words.Text("upload.records", "Count", run.Done.Records, "Number", words.Number(run.Done.Records))
	}
	if run.Done.Size > 0 {
		v.Done = min(1, float64(run.Done.Bytes)/float64(run.Done.Size))
	}
	return v
}

// importView is an import in a list.
type importView struct {
	ID                  int64
	Status              int
	Method, Description string
	Time                locale.Moment
	Rejected, OpenURL   string // how many, and what shows or hides them; empty for none
	Opened              *rejectionsView
}

// Failed reports whether the import registered no one.
func (i importView) Failed() bool { return i.Status >= http.StatusBadRequest && !i.Repeated() }

// Repeated reports whether the request repeated one that was still running. That one has an entry of its own.
func (i importView) Repeated() bool { return i.Status == http.StatusConflict }

// rejectionsView is a page of the records that an import rejected.
type rejectionsView struct {
	T       *locale.Words
	Records []rejectionView
	Places  bool   // a record has a place
	Start   string // address of the first page; empty on that page
	More    string
	Files   []linkView
}

// rejectionView is a rejected record.
type rejectionView struct {
	Number       int
	Place        string // in the file; empty for none
	Login, Wrong string
	LoginURL     string     // of the account with the login; empty for none
	Owners       []linkView // to other accounts that have the email or the phone
}

// report returns the report that a query asks for, and sets the options of its filter.
func (r *Reports) report(c *fiber.Ctx, filter *Form, q *api.ReportQuery) (*reportView, error) {
	statistics, err := r.Reading.Statistics(c.UserContext(), domain.DateOf(r.Locale.Now()))
	if err != nil {
		return nil, err
	}
	running, err := r.Reading.Running(c.UserContext())
	if err != nil {
		return nil, err
	}
	v := &reportView{Any: statistics.All.Imports > 0 || len(running) > 0 || q.Violations != nil, ServerURL: c.BaseURL()}
	if !v.Any {
		return v, nil
	}
	words := r.Locale.Words(c)
	v.Zone = words.Zone(r.Locale.Now())
	v.addStatistics(statistics, words, q)
	v.addFilter(words, q)
	offerStatistics(filter, statistics, words, q)
	v.IsInvalid = q.Violations != nil
	if v.IsInvalid {
		return v, nil
	}
	if !v.IsFiltered && q.After == 0 && q.Before == 0 {
		for _, run := range running {
			v.Running = append(v.Running, newRunningView(run, words))
		}
	}
	return v, r.listImports(c, v, q)
}

// addStatistics adds the figures and the charts, which the filter does not change.
func (v *reportView) addStatistics(statistics *domain.Statistics, words *locale.Words, q *api.ReportQuery) {
	month := statistics.Last(domain.StatisticsDays)
	for _, period := range []struct {
		name  string
		count domain.Count
	}{
		{"today", statistics.Last(1)}, {"week", statistics.Last(7)}, {"month", month}, {"all", statistics.All},
	} {
		v.Periods = append(v.Periods, periodView{
			Name: words.Text("report.period." + period.name), Imports: words.Number(period.count.Imports),
			Registered: words.Number(period.count.Registered), Rejected: words.Number(period.count.Rejected),
			HasRejected: period.count.Rejected > 0, Share: shareRejected(period.count, words),
		})
	}
	if month.Registered+month.Rejected > 0 {
		for _, day := range statistics.Days {
			date := day.Day.Time()
			v.Days = append(v.Days, dayView{date.Format(time.DateOnly), words.Date(date), day.Registered, day.Rejected})
		}
	}
	for _, reason := range statistics.Reasons[:min(len(statistics.Reasons), reasonsInChart)] {
		v.Reasons = append(v.Reasons, reasonView{
			reasonName(reason.Reason, words), reason.Records,
			q.Address(urls.Profile, []string{api.QuerySort}, api.QueryReason, api.ReasonValue(reason.Reason)),
		})
	}
}

// shareRejected returns the share of rejected records. It rounds no share to 0 or 1.
func shareRejected(count domain.Count, words *locale.Words) string {
	const least = 0.001
	records := count.Registered + count.Rejected
	if records == 0 {
		return "–"
	}
	switch share := float64(count.Rejected) / float64(records); {
	case share > 0 && share < least:
		return "< " + words.Percent(least)
	case share < 1 && share > 1-least:
		return "> " + words.Percent(1-least)
	default:
		return words.Percent(share)
	}
}

// addFilter adds the links that depend on the filter.
func (v *reportView) addFilter(words *locale.Words, q *api.ReportQuery) {
	for _, name := range api.KeepFilter {
		v.IsFiltered = v.IsFiltered || q.Values.Has(name)
	}
	v.ClearURL = q.Address(urls.Profile, []string{api.QuerySort})
	v.Oldest = q.Oldest
	v.SortURL = q.Address(urls.Profile, api.KeepFilter, api.QuerySort, api.SortOldest)
	if q.Oldest {
		v.SortURL = q.Address(urls.Profile, api.KeepFilter)
	}
	v.Exports = []linkView{
		{"XLSX", q.Address(urls.Export+"xlsx", api.KeepFilter)},
		{words.Text("report.csv.codes"), q.Address(urls.Export+"csv", api.KeepFilter, api.QueryTable, "codes")},
		{words.Text("report.csv.bad_users"), q.Address(urls.Export+"csv", api.KeepFilter, api.QueryTable, "bad_users")},
		{"TXT", q.Address(urls.Export+"txt", api.KeepFilter)},
		{"JSON", q.Address(urls.Export+"json", api.KeepFilter)},
	}
}

// offerStatistics sets the options of a filter: the statuses and reasons that imports have, and the reason of the query.
func offerStatistics(filter *Form, statistics *domain.Statistics, words *locale.Words, q *api.ReportQuery) {
	statuses := make([]optionView, 0, len(statistics.Statuses))
	for _, status := range statistics.Statuses {
		text := strconv.Itoa(status)
		statuses = append(statuses, optionView{Value: text, Name: strings.TrimSpace(text + " " + http.StatusText(status))})
	}
	reasons := make([]optionView, 0, len(statistics.Reasons)+1)
	isListed := q.Filter.Reason == domain.Reason{}
	for _, reason := range statistics.Reasons {
		reasons = append(reasons, optionView{Value: api.ReasonValue(reason.Reason), Name: reasonName(reason.Reason, words)})
		isListed = isListed || reason.Reason == q.Filter.Reason
	}
	if !isListed {
		reasons = append(reasons, optionView{Value: api.ReasonValue(q.Filter.Reason), Name: reasonName(q.Filter.Reason, words)})
	}
	filter.offer(api.QueryStatus, statuses)
	filter.offer(api.QueryReason, reasons)
}

// reasonName returns the name of a reason in a list.
func reasonName(reason domain.Reason, words *locale.Words) string {
	what := words.Text("reason." + string(reason.Code))
	if reason.Field == domain.FieldRecord || reason.Code == domain.CodeContactRequired { // which concerns two fields
		return what
	}
	return words.Text("report.reason.name", "Field", words.Text("field."+string(reason.Field)), "What", what)
}

// listImports adds a page of imports.
func (r *Reports) listImports(c *fiber.Ctx, v *reportView, q *api.ReportQuery) error {
	filter := q.Filter
	filter.Import = 0 // only files are filtered by it
	page, err := r.Reading.Imports(c.UserContext(), ports.ImportQuery{
		Filter: filter, Oldest: q.Oldest, After: q.After, Before: q.Before, Limit: importsPerPage,
	})
	if err != nil {
		return err
	}
	words := r.Locale.Words(c)
	for _, it := range page.Imports {
		row := newImportView(it, words)
		switch {
		case it.Rejected == 0:
		case it.ID == q.Open:
			row.OpenURL = q.Address(urls.Profile, api.KeepPage)
			row.Opened, err = r.openImport(c, q)
			if err != nil {
				return err
			}
		default:
			row.OpenURL = q.Address(urls.Profile, api.KeepPage, api.QueryOpen, text(it.ID))
		}
		v.Imports = append(v.Imports, row)
	}
	if q.After != 0 || q.Before != 0 {
		v.Start = q.Address(urls.Profile, api.KeepOrder)
	}
	if len(page.Imports) == 0 {
		return nil
	}
	if !page.IsFirst {
		v.Prev = q.Address(urls.Profile, api.KeepOrder, api.QueryBefore, text(page.Imports[0].ID))
	}
	if !page.IsLast {
		v.Next = q.Address(urls.Profile, api.KeepOrder, api.QueryAfter, text(page.Imports[len(page.Imports)-1].ID))
	}
	return nil
}

func newImportView(it domain.Import, words *locale.Words) importView {
	v := importView{
		ID: it.ID, Status: it.Status, Method: it.Method, Description: it.Description,
		Time: words.Time(it.Date),
	}
	if it.Rejected > 0 {
		v.Rejected = words.Text("report.records.count", "Count", it.Rejected, "Number", words.Number(it.Rejected))
	}
	return v
}

// openImport returns a page of the records that the open import rejected.
func (r *Reports) openImport(c *fiber.Ctx, q *api.ReportQuery) (*rejectionsView, error) {
	query := ports.RejectionQuery{Filter: q.Filter, After: q.Object, Limit: rejectionsPerPage}
	query.Filter.Import = q.Open
	v, _, err := r.rejections(c, query, func(after string) string {
		return q.Address(urls.Profile, api.KeepPage, api.QueryOpen, text(q.Open), api.QueryObject, after) + "#import-" + text(q.Open)
	})
	return v, err
}

// rejections returns a page of the records that an import rejected, and the import. The function address returns the address of the page
// after a record; for an empty text, that of the first page.
func (r *Reports) rejections(c *fiber.Ctx, query ports.RejectionQuery, address func(after string) string) (*rejectionsView, domain.Import, error) {
	visitor, err := r.Guard.Visitors.Visitor(c)
	if err != nil {
		return nil, domain.Import{}, err
	}
	query.Originals = visitor.IsOperator()
	page, err := r.Reading.Rejections(c.UserContext(), query)
	if err != nil {
		return nil, domain.Import{}, err
	}
	v := newRejectionsView(page.Rejections, r.Locale.Words(c))
	if query.After != 0 {
		v.Start = address("")
	}
	if !page.IsLast {
		v.More = address(strconv.Itoa(page.Rejections[len(page.Rejections)-1].Record))
	}
	if !visitor.IsOperator() {
		return v, page.Import, nil
	}
	for _, format := range []string{"json", "csv", "xlsx"} {
		v.Files = append(v.Files, linkView{
			strings.ToUpper(format), urls.Export + "rejected." + format + "?" + api.QueryImport + "=" + text(query.Filter.Import),
		})
	}
	return v, page.Import, r.addOwners(c, v, page.Rejections)
}

func newRejectionsView(rejections []domain.Rejection, words *locale.Words) *rejectionsView {
	v := &rejectionsView{T: words}
	for i := range rejections {
		record := newRejectionView(&rejections[i], words)
		v.Records, v.Places = append(v.Records, record), v.Places || record.Place != ""
	}
	return v
}

// newRejectionView returns the view of a rejection. Those of the first service have no violations, but a description in English.
func newRejectionView(rejection *domain.Rejection, words *locale.Words) rejectionView {
	v := rejectionView{Number: rejection.Record, Login: rejection.Login, Wrong: words.Describe(rejection.Violations)}
	switch {
	case rejection.Sheet != "":
		v.Place = words.Text("report.place.row", "Sheet", rejection.Sheet, "Row", words.Number(rejection.Line))
	case rejection.Line > 0:
		v.Place = words.Text("report.place.line", "Line", words.Number(rejection.Line))
	}
	if len(rejection.Violations) == 0 {
		v.Wrong = strings.TrimSpace(domain.Line(rejection.Description, maxDescription))
	}
	return v
}

// maxDescription is the number of characters that the first service's database has for a description.
const maxDescription = 500

func text(id int64) string { return strconv.FormatInt(id, 10) }
