package contract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// A ReportsSubject is two views of one empty store, with control of the dates of imports.
type ReportsSubject struct {
	Store   ports.ReportStore
	Running ports.RunningImportStore
	Imports ports.ImportStore
	People  ports.RegistrationStore     // registers senders of imports
	SetNow  func(time.Time)             // sets the day of the following imports
	SetDate func(id int64, _ time.Time) // of an import
}

// Reports proves a ports.ReportStore.
func Reports(t *testing.T, subject func(*testing.T) ReportsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ReportsSubject)
	}{
		{"ReadsAnEmptyStore", readsEmptyStore},
		{"CountsImportsByDay", countsByDay},
		{"CountsDaysInTheClocksLocation", countsLocalDays},
		{"CountsReasons", countsReasons},
		{"CountsRejectionsThatAreNotStored", reportsUnkeptRejections},
		{"ListsStatuses", listsStatuses},
		{"CountsNoFailedWork", countsNoFailedWork},
		{"AppliesEveryFilter", appliesEveryFilter},
		{"PagesForwardAndBack", pagesForwardAndBack},
		{"PagesWhileImportsArrive", pagesWhileImportsArrive},
		{"PagesWhileEarlierImportsEnd", pagesWhileEarlierImportsEnd},
		{"PagesFromUnknownIDs", pagesFromUnknownIDs},
		{"PagesRejections", pagesRejections},
		{"PagesFilteredRejections", pagesFilteredRejections},
		{"FindsNoUnknownImport", findsNoUnknownImport},
		{"FindsTheUserOfAnImport", findsUserOfImport},
		{"ListsRunningImports", listsRunningImports},
		{"ReadsInOrder", readsInOrder},
		{"ReadsOriginalsAndViolationsOnRequest", readsOnRequest},
		{"ReadsOneMoment", readsOneMoment},
		{"ReturnsTheErrorOfWork", returnsErrorOfWork},
		{"EndsAnAbandonedSequence", endsAbandonedSequence},
		{"ReadsConcurrently", readsConcurrently},
		{"StopsWithItsContext", reportsStopWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// today is the day of the reports. The clock's location is three hours ahead of UTC.
var (
	location = time.FixedZone("", 3*60*60)
	today    = domain.DateOf(noon(0))
)

// noon returns noon of the day some days before today.
func noon(daysAgo int) time.Time { return time.Date(2026, 11, 23-daysAgo, 12, 0, 0, 0, location) }

var (
	loginTaken   = domain.Reason{Field: domain.FieldLogin, Code: domain.CodeTaken}
	loginTooLong = domain.Reason{Field: domain.FieldLogin, Code: domain.CodeTooLong}
	emailTaken   = domain.Reason{Field: domain.FieldEmail, Code: domain.CodeTaken}
	notObject    = domain.Reason{Code: domain.CodeNotObject}
)

func rejection(number int, login string, reasons ...domain.Reason) domain.Rejection {
	r := domain.Rejection{Record: number, Login: login, Description: fmt.Sprint(reasons), Original: fmt.Appendf(nil, "%d", number)}
	if number%2 == 0 {
		r.Place = domain.Place{Sheet: login, Line: number + 1}
	}
	for _, reason := range reasons {
		violation := domain.Violation{Field: reason.Field, Code: reason.Code}
		if reason.Code == domain.CodeTooLong {
			violation.Limit = 50
		}
		r.Violations = append(r.Violations, violation)
	}
	return r
}

// add adds an import that registered some records and rejected others.
func (s ReportsSubject) add(t *testing.T, at time.Time, created int, rejections ...domain.Rejection) domain.Import {
	t.Helper()
	s.SetNow(at)
	tally := domain.Tally{Records: created + len(rejections), Registered: created, Rejected: len(rejections)}
	exclusive := created%2 == 1 // reports do not depend on it
	id, err := s.Imports.Do(t.Context(), ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
		for batch := range slices.Chunk(rejections, 2) {
			_, err := tx.Taken(ctx, nil)
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, nil, batch))
		}
		return tx.Finish(ctx, tally, nil)
	})
	require.NoError(t, err)
	s.SetDate(id, at)
	return domain.Import{
		Count: domain.Count{Imports: 1, Registered: created, Rejected: len(rejections)}, ID: id, Status: tally.Status(),
		Method: http.MethodPost, Date: at.UTC(), Description: tally.Description(),
	}
}

// reject adds an import that was rejected as a whole.
func (s ReportsSubject) reject(t *testing.T, at time.Time, status int) domain.Import {
	t.Helper()
	s.SetNow(at)
	id, err := s.Imports.Reject(t.Context(), ports.RejectedImport{Status: status, Description: domain.DescriptionBroken, Sender: domain.Sender{Token: 1, TokenName: "crm"}})
	require.NoError(t, err)
	s.SetDate(id, at)
	return domain.Import{
		Count: domain.Count{Imports: 1}, ID: id, Status: status, Method: http.MethodPost, Date: at.UTC(), Description: domain.DescriptionBroken,
		Token: "crm",
	}
}

func (s ReportsSubject) statistics(t *testing.T) *domain.Statistics {
	t.Helper()
	statistics, err := s.Store.Statistics(t.Context(), today)
	require.NoError(t, err)
	require.Len(t, statistics.Days, domain.StatisticsDays)
	for i, day := range statistics.Days {
		require.Equal(t, today-domain.StatisticsDays+1+domain.Date(i), day.Day)
	}
	return statistics
}

func (s ReportsSubject) page(t *testing.T, query ports.ImportQuery) *ports.ImportPage {
	t.Helper()
	page, err := s.Store.Imports(t.Context(), query)
	require.NoError(t, err)
	return page
}

func (s ReportsSubject) rejections(t *testing.T, query ports.RejectionQuery) *ports.RejectionPage {
	t.Helper()
	page, err := s.Store.Rejections(t.Context(), query)
	require.NoError(t, err)
	return page
}

// read reads a whole report.
func (s ReportsSubject) read(t *testing.T, query ports.ReportQuery) (imports []domain.Import, rejections []domain.Rejection) {
	t.Helper()
	err := s.Store.Read(t.Context(), query, func(report ports.Report) error {
		for i, err := range report.Imports {
			require.NoError(t, err)
			imports = append(imports, i)
		}
		for rejection, err := range report.Rejections {
			require.NoError(t, err)
			rejection.Original = slices.Clone(rejection.Original)
			rejections = append(rejections, rejection)
		}
		return nil
	})
	require.NoError(t, err)
	return imports, rejections
}

func ids(imports []domain.Import) []int64 {
	all := make([]int64, len(imports))
	for i := range imports {
		all[i] = imports[i].ID
	}
	return all
}

// recorded returns a rejection as a page shows it.
func recorded(in domain.Import, rejection domain.Rejection) domain.Rejection {
	rejection.Import, rejection.Original = in.ID, nil
	return rejection
}

func readsEmptyStore(t *testing.T, s ReportsSubject) {
	statistics := s.statistics(t)
	require.Zero(t, statistics.Last(domain.StatisticsDays))
	require.Zero(t, statistics.All)
	require.Empty(t, statistics.Reasons)
	require.Empty(t, statistics.Statuses)
	for _, oldest := range []bool{false, true} {
		page := s.page(t, ports.ImportQuery{Oldest: oldest, Limit: 5})
		require.Empty(t, page.Imports)
		require.True(t, page.IsFirst)
		require.True(t, page.IsLast)
	}
	imports, rejections := s.read(t, ports.ReportQuery{Violations: true, Originals: true})
	require.Empty(t, imports)
	require.Empty(t, rejections)
}

func countsByDay(t *testing.T, s ReportsSubject) {
	one := rejection(1, "x", loginTaken)
	s.add(t, noon(30), 1000, one)
	s.add(t, noon(29), 300, one)
	s.add(t, noon(7), 70, one)
	s.add(t, noon(6), 60, one, rejection(2, "y", notObject))
	s.add(t, noon(0), 5)
	s.reject(t, noon(0), http.StatusRequestEntityTooLarge)
	s.add(t, noon(0), 0, one)
	s.add(t, noon(-1), 20_000, one) // by an instance whose clock is ahead

	statistics := s.statistics(t)
	want := map[int]domain.Count{
		29: {Imports: 1, Registered: 300, Rejected: 1}, 7: {Imports: 1, Registered: 70, Rejected: 1},
		6: {Imports: 1, Registered: 60, Rejected: 2}, 0: {Imports: 3, Registered: 5, Rejected: 1},
	}
	for i, day := range statistics.Days {
		require.Equal(t, want[domain.StatisticsDays-1-i], day.Count, "%d", i)
	}
	require.Equal(t, want[0], statistics.Last(1))
	require.Equal(t, domain.Count{Imports: 4, Registered: 65, Rejected: 3}, statistics.Last(7))
	require.Equal(t, domain.Count{Imports: 6, Registered: 435, Rejected: 5}, statistics.Last(30))
	require.Equal(t, domain.Count{Imports: 8, Registered: 21_435, Rejected: 7}, statistics.All)
}

func countsLocalDays(t *testing.T, s ReportsSubject) {
	evening := time.Date(2026, 11, 22, 20, 59, 59, 0, time.UTC)
	for _, at := range []time.Time{evening, evening.Add(time.Second), evening.Add(24 * time.Hour)} {
		s.add(t, at.In(location), 1)
	}
	days := s.statistics(t).Days
	require.Equal(t, 1, days[28].Imports)
	require.Equal(t, 2, days[29].Imports)
}

func countsReasons(t *testing.T, s ReportsSubject) {
	s.add(t, noon(30), 0, rejection(1, "", emailTaken), rejection(2, "", emailTaken), rejection(3, "", emailTaken))
	s.add(t, noon(29), 0, rejection(1, "", emailTaken))
	s.add(t, noon(3), 1, rejection(1, "a", loginTaken, emailTaken), rejection(2, "", notObject), rejection(3, "b", loginTaken, loginTooLong))
	s.add(t, noon(0), 2, rejection(1, "", notObject), rejection(2, "c", loginTaken, loginTaken), rejection(5, "d", loginTaken))
	s.add(t, noon(0), 0, rejection(1, "", notObject))
	s.add(t, noon(-1), 0, rejection(1, "", loginTooLong), rejection(2, "", loginTooLong))
	require.Equal(t, []domain.ReasonCount{
		{Reason: loginTaken, Records: 4}, {Reason: notObject, Records: 3}, {Reason: emailTaken, Records: 2}, {Reason: loginTooLong, Records: 1},
	}, s.statistics(t).Reasons)
}

// A rejection that is only counted has its reason in statistics and filters, and appears nowhere else.
func reportsUnkeptRejections(t *testing.T, s ReportsSubject) {
	counted := domain.Rejection{Record: 2, CountedOnly: true, Violations: domain.Violations{{Code: domain.CodeNotObject}}}
	want := s.add(t, noon(0), 0, rejection(1, "anna", loginTaken), counted)
	want.Unkept = 1
	require.ElementsMatch(t, []domain.ReasonCount{{Reason: notObject, Records: 1}, {Reason: loginTaken, Records: 1}}, s.statistics(t).Reasons)
	page := s.page(t, ports.ImportQuery{Filter: domain.ReportFilter{Reason: notObject}, Limit: 9})
	require.Equal(t, []domain.Import{want}, page.Imports)
	rejections := s.rejections(t, ports.RejectionQuery{Filter: domain.ReportFilter{Import: want.ID}, Limit: 9})
	require.Equal(t, want, rejections.Import)
	require.Len(t, rejections.Rejections, 1)
	imports, read := s.read(t, ports.ReportQuery{})
	require.Equal(t, []domain.Import{want}, imports)
	require.Len(t, read, 1)
}

func listsStatuses(t *testing.T, s ReportsSubject) {
	for _, status := range []int{503, 413, 400, 413} {
		s.reject(t, noon(100), status)
	}
	s.add(t, noon(1), 1)
	s.add(t, noon(0), 0, rejection(1, "", notObject))
	require.Equal(t, []int{200, 400, 413, 503}, s.statistics(t).Statuses)
}

func countsNoFailedWork(t *testing.T, s ReportsSubject) {
	s.SetNow(noon(0))
	failure := errors.New("failure")
	for _, exclusive := range []bool{false, true} {
		_, err := s.Imports.Do(t.Context(), ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
			_, err := tx.Taken(ctx, nil)
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, nil, []domain.Rejection{rejection(1, "x", loginTaken)}))
			require.NoError(t, tx.Finish(ctx, domain.Tally{Records: 1, Rejected: 1}, nil))
			return failure
		})
		require.ErrorIs(t, err, failure)
	}
	readsEmptyStore(t, s)
}

func listsRunningImports(t *testing.T, s ReportsSubject) {
	beat := func(id string, at time.Time, done domain.Progress) ports.RunningImport {
		t.Helper()
		run := ports.RunningImport{ID: id, Started: at, Done: done}
		require.NoError(t, s.Running.Beat(t.Context(), run))
		run.Started = at.UTC()
		return run
	}
	check := func(want ...ports.RunningImport) {
		t.Helper()
		got, err := s.Store.Running(t.Context())
		require.NoError(t, err)
		require.ElementsMatch(t, want, got)
		require.True(t, slices.IsSortedFunc(got, func(a, b ports.RunningImport) int { return b.Started.Compare(a.Started) }))
	}
	check()
	first := beat("a", noon(1), domain.Progress{Size: 900})
	second := beat("b", noon(0), domain.Progress{Size: 1})
	check(first, second)
	first = beat("a", noon(1), domain.Progress{Tally: domain.Tally{Records: 7, Registered: 4, Rejected: 3}, Bytes: 90, Size: 900})
	check(first, second)
	require.NoError(t, s.Running.End(t.Context(), "b"))
	require.NoError(t, s.Running.End(t.Context(), "unknown"))
	check(first)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, s.Running.Beat(cancelled, first))
	require.Error(t, s.Running.End(cancelled, "a"))
	_, err := s.Store.Running(cancelled)
	require.Error(t, err)
	check(first)
}

// A world is some imports with their rejections.
type world struct {
	imports    []domain.Import
	rejections [][]domain.Rejection
}

func newWorld(t *testing.T, s ReportsSubject) *world {
	t.Helper()
	w := &world{}
	for i, rejections := range [][]domain.Rejection{
		{rejection(1, "Ivan", loginTaken), rejection(2, "", notObject)},
		nil, // every record was registered
		{rejection(2, "IVAN", emailTaken), rejection(4, "anna", loginTaken), rejection(5, "boris", loginTaken, loginTooLong)},
		{rejection(1, "ivan", loginTaken, emailTaken), rejection(2, "ivan", loginTaken)},
		nil, // the import was rejected as a whole
		{rejection(7, "", notObject), rejection(8, "Straße", loginTooLong)},
		{rejection(1, "anna", loginTaken), rejection(3, "not a Login", emailTaken), rejection(4, "iVan", notObject)},
	} {
		at := noon(20 - 2*i)
		if i == 4 {
			w.imports = append(w.imports, s.reject(t, at, http.StatusRequestEntityTooLarge))
		} else {
			w.imports = append(w.imports, s.add(t, at, (i+1)%3, rejections...))
		}
		w.rejections = append(w.rejections, rejections)
	}
	return w
}

// A selection is a filter with its result.
type selection struct {
	filter  func(*domain.ReportFilter)
	imports []int         // indexes of the selected imports; nil for all
	records map[int][]int // numbers of the rejected records by the index of their import; nil for all
}

func (w *world) selections() [][]selection {
	all := selection{filter: func(*domain.ReportFilter) {}}
	rejected := func(reason domain.Reason, login string, records map[int][]int) selection {
		selected := []int{}
		for i := range records {
			selected = append(selected, i)
		}
		return selection{func(f *domain.ReportFilter) { f.Reason, f.Login = reason, domain.LoginKey(login) }, selected, records}
	}
	period := func(from, until time.Time, imports ...int) selection {
		return selection{filter: func(f *domain.ReportFilter) { f.From, f.Until = from, until }, imports: append([]int{}, imports...)}
	}
	never, tick := time.Time{}, time.Microsecond
	date := func(i int) time.Time { return w.imports[i].Date.In(location) }
	return [][]selection{
		{
			all,
			{filter: func(f *domain.ReportFilter) { f.Import = w.imports[3].ID }, imports: []int{3}},
			{filter: func(f *domain.ReportFilter) { f.Import = w.imports[6].ID + 1000 }, imports: []int{}},
		},
		{
			all,
			period(date(2), never, 2, 3, 4, 5, 6), period(date(2).Add(tick), never, 3, 4, 5, 6),
			period(never, date(3), 0, 1, 2), period(never, date(3).Add(tick), 0, 1, 2, 3),
			period(date(2), date(5), 2, 3, 4), period(date(3), date(3).Add(tick), 3), period(date(3), date(3)),
			period(date(5), date(2)), period(date(6).Add(tick), never), period(never, date(0)),
			period(date(0), date(6).Add(tick), 0, 1, 2, 3, 4, 5, 6),
		},
		{
			all,
			{filter: func(f *domain.ReportFilter) { f.Status = 200 }, imports: []int{0, 1, 3, 6}},
			{filter: func(f *domain.ReportFilter) { f.Status = 400 }, imports: []int{2, 5}},
			{filter: func(f *domain.ReportFilter) { f.Status = 413 }, imports: []int{4}},
			{filter: func(f *domain.ReportFilter) { f.Status = 500 }, imports: []int{}},
		},
		{
			all,
			rejected(loginTaken, "", map[int][]int{0: {1}, 2: {4, 5}, 3: {1, 2}, 6: {1}}),
			rejected(loginTooLong, "", map[int][]int{2: {5}, 5: {8}}),
			rejected(notObject, "", map[int][]int{0: {2}, 5: {7}, 6: {4}}),
			rejected(domain.Reason{Field: domain.FieldEmail, Code: domain.CodeNotObject}, "", map[int][]int{}),
			rejected(domain.Reason{}, "ivaN", map[int][]int{0: {1}, 2: {2}, 3: {1, 2}, 6: {4}}),
			rejected(domain.Reason{}, "STRAßE", map[int][]int{5: {8}}),
			rejected(domain.Reason{}, "Not a login", map[int][]int{6: {3}}),
			rejected(domain.Reason{}, "unknown", map[int][]int{}),
			rejected(loginTaken, "ivan", map[int][]int{0: {1}, 3: {1, 2}}),
			rejected(loginTaken, "anna", map[int][]int{2: {4}, 6: {1}}),
			rejected(notObject, "IVAN", map[int][]int{6: {4}}),
		},
	}
}

// appliesEveryFilter applies filters alone and in combination.
func appliesEveryFilter(t *testing.T, s ReportsSubject) {
	w := newWorld(t, s)
	combine(w.selections(), func(selections []selection) {
		var filter domain.ReportFilter
		var imports []domain.Import
		var rejections []domain.Rejection
		for _, c := range selections {
			c.filter(&filter)
		}
		for i := range w.imports {
			isSelected := true
			var records []int
			for _, c := range selections {
				isSelected = isSelected && (c.imports == nil && c.records == nil || slices.Contains(c.imports, i))
				records = append(records, c.records[i]...)
			}
			if !isSelected {
				continue
			}
			imports = append(imports, w.imports[i])
			for _, rejection := range w.rejections[i] {
				if filter.Login == "" && filter.Reason == (domain.Reason{}) || slices.Contains(records, rejection.Record) {
					rejections = append(rejections, recorded(w.imports[i], rejection))
				}
			}
		}
		gotImports, gotRejections := s.read(t, ports.ReportQuery{Filter: filter, Violations: true})
		require.Equal(t, imports, gotImports, "%+v", filter)
		require.Equal(t, rejections, gotRejections, "%+v", filter)
		oldest := s.page(t, ports.ImportQuery{Filter: filter, Oldest: true, Limit: 10})
		require.Equal(t, ids(imports), ids(oldest.Imports), "%+v", filter)
		require.True(t, oldest.IsFirst)
		require.True(t, oldest.IsLast)
		slices.Reverse(imports)
		latest := s.page(t, ports.ImportQuery{Filter: filter, Limit: max(1, len(imports))})
		require.Equal(t, ids(imports), ids(latest.Imports), "%+v", filter)
		require.True(t, latest.IsFirst)
		require.True(t, latest.IsLast)
	})
}

// combine calls use with every pair of selections of two groups, and with every combination of the first three of all groups.
func combine(groups [][]selection, use func([]selection)) {
	for i := range groups {
		for j := range i {
			some := make([][]selection, len(groups))
			for k := range groups {
				some[k] = groups[k][:1]
			}
			some[i], some[j] = groups[i], groups[j]
			product(some, nil, use)
		}
	}
	some := make([][]selection, len(groups))
	for i := range groups {
		some[i] = groups[i][:3]
	}
	product(some, nil, use)
}

// product calls use with every combination of one selection of each group.
func product(groups [][]selection, selected []selection, use func([]selection)) {
	if len(groups) == 0 {
		use(selected)
		return
	}
	for _, c := range groups[0] {
		product(groups[1:], append(slices.Clip(selected), c), use)
	}
}

// pagesForwardAndBack walks from the first page to the last and back.
func pagesForwardAndBack(t *testing.T, s ReportsSubject) {
	var all []int64
	for i := range 7 {
		all = append(all, s.add(t, noon(20-i), i%2, rejection(1, "ivan", loginTaken)).ID)
		if i == 3 || i == 6 {
			s.reject(t, noon(20-i), 413) // no filter selects it
		}
	}
	for _, oldest := range []bool{true, false} {
		if !oldest {
			slices.Reverse(all)
		}
		for _, filter := range []domain.ReportFilter{
			{Reason: loginTaken}, {Login: "ivan"}, {Login: "ivan", Reason: loginTaken, From: noon(30), Until: noon(0)},
		} {
			for limit := 1; limit <= 8; limit++ {
				pages := slices.Collect(slices.Chunk(all, limit))
				query := ports.ImportQuery{Filter: filter, Oldest: oldest, Limit: limit}
				place := fmt.Sprintf("%+v", query)
				for i, want := range pages {
					page := s.page(t, query)
					require.Equal(t, want, ids(page.Imports), place)
					require.Equal(t, i == 0, page.IsFirst, place)
					require.Equal(t, i == len(pages)-1, page.IsLast, place)
					query.After = want[len(want)-1]
				}
				beyond := s.page(t, query)
				require.Empty(t, beyond.Imports, place)
				require.False(t, beyond.IsFirst, place)
				require.True(t, beyond.IsLast, place)

				query.After, query.Before = 0, pages[len(pages)-1][0]
				for i, want := range slices.Backward(pages[:len(pages)-1]) {
					page := s.page(t, query)
					require.Equal(t, want, ids(page.Imports), place)
					require.Equal(t, i == 0, page.IsFirst, place)
					require.False(t, page.IsLast, place)
					query.Before = want[0]
				}
				beyond = s.page(t, query)
				require.Empty(t, beyond.Imports, place)
				require.True(t, beyond.IsFirst, place)
				require.False(t, beyond.IsLast, place)
			}
		}
	}
}

// pagesWhileImportsArrive proves that pages show every earlier import once.
func pagesWhileImportsArrive(t *testing.T, s ReportsSubject) {
	for _, oldest := range []bool{false, true} {
		var there []int64
		arrive := func() int64 { return s.add(t, noon(0), 1, rejection(1, "x", loginTaken)).ID }
		for range 6 {
			there = append(there, arrive())
		}
		query := ports.ImportQuery{Oldest: oldest, Limit: 2, Filter: domain.ReportFilter{Reason: loginTaken}}
		if oldest {
			query.After = there[0] - 1 // after those of the previous round
		}
		shown := map[int64]int{}
		var first int64
		for last := false; !last && len(shown) < 20; {
			page := s.page(t, query)
			require.NotEmpty(t, page.Imports)
			for _, id := range ids(page.Imports) {
				shown[id]++
			}
			if first == 0 {
				first = page.Imports[1].ID
			}
			query.After = page.Imports[len(page.Imports)-1].ID
			last = page.IsLast
			if len(shown) < 8 {
				arrive()
			}
		}
		for _, id := range there {
			require.Equal(t, 1, shown[id])
		}
		for _, times := range shown {
			require.Equal(t, 1, times)
		}
		if !oldest { // new imports precede the first page
			page := s.page(t, ports.ImportQuery{Before: first, Limit: 1})
			require.Equal(t, there[5:], ids(page.Imports))
			require.False(t, page.IsFirst)
		}
	}
}

// pagesWhileEarlierImportsEnd runs an import that begins before others and ends after them.
func pagesWhileEarlierImportsEnd(t *testing.T, s ReportsSubject) {
	s.SetNow(noon(0))
	s.add(t, noon(2), 2)
	var page *ports.ImportPage
	_, err := s.Imports.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, nil)
		require.NoError(t, err)
		s.add(t, noon(0), 2)
		s.add(t, noon(0), 2)
		page = s.page(t, ports.ImportQuery{Limit: 2})
		return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
	})
	require.NoError(t, err)
	seen := ids(page.Imports)
	for !page.IsLast {
		page = s.page(t, ports.ImportQuery{Limit: 2, After: seen[len(seen)-1]})
		seen = append(seen, ids(page.Imports)...)
	}
	require.GreaterOrEqual(t, len(seen), 3)
	require.IsDecreasing(t, seen)
}

func pagesFromUnknownIDs(t *testing.T, s ReportsSubject) {
	const beyond = 1 << 40
	var all []int64
	for i := range 4 {
		all = append(all, s.add(t, noon(10-i), 1, rejection(1, []string{"a", "b"}[i%2], loginTaken)).ID)
	}
	latest := []int64{all[3], all[2], all[1], all[0]}
	type flags struct{ first, last bool }
	for _, c := range []struct {
		query ports.ImportQuery
		want  []int64
		flags flags
	}{
		{ports.ImportQuery{After: beyond}, latest[:3], flags{true, false}},
		{ports.ImportQuery{Before: beyond}, nil, flags{true, false}},
		{ports.ImportQuery{After: beyond, Oldest: true}, nil, flags{false, true}},
		{ports.ImportQuery{Before: beyond, Oldest: true}, all[1:], flags{false, true}},
		{ports.ImportQuery{After: -1}, nil, flags{false, true}},
		{ports.ImportQuery{Before: -1}, latest[1:], flags{false, true}},
		{ports.ImportQuery{After: -1, Oldest: true}, all[:3], flags{true, false}},
		{ports.ImportQuery{Before: -1, Oldest: true}, nil, flags{true, false}},
		// ids of imports that the filter does not select
		{ports.ImportQuery{After: all[2], Oldest: true, Filter: domain.ReportFilter{Login: "b"}}, all[3:], flags{false, true}},
		{ports.ImportQuery{After: all[0], Oldest: true, Filter: domain.ReportFilter{Login: "b"}}, []int64{all[1], all[3]}, flags{true, true}},
		{ports.ImportQuery{Before: all[2], Filter: domain.ReportFilter{Login: "b"}}, all[3:], flags{true, false}},
		{ports.ImportQuery{Before: all[0], Filter: domain.ReportFilter{Login: "b"}}, []int64{all[3], all[1]}, flags{true, true}},
	} {
		t.Run(fmt.Sprintf("%+v", c.query), func(t *testing.T) {
			c.query.Limit = 3
			page := s.page(t, c.query)
			require.Empty(t, slices.Compare(c.want, ids(page.Imports)), "found %v", ids(page.Imports))
			found := flags{page.IsFirst, page.IsLast}
			require.Equal(t, c.flags, found)
		})
	}
}

func pagesRejections(t *testing.T, s ReportsSubject) {
	s.add(t, noon(2), 0, rejection(1, "other", notObject))
	rejections := []domain.Rejection{rejection(2, "a", loginTaken), rejection(3, "", notObject), rejection(7, "c", loginTooLong, emailTaken), rejection(1<<31, "d", loginTaken)}
	in := s.add(t, noon(1), 3, rejections...)
	s.add(t, noon(0), 0, rejection(4, "other", notObject))
	var want []domain.Rejection
	for _, rejection := range rejections {
		want = append(want, recorded(in, rejection))
	}
	for limit := 1; limit <= 5; limit++ {
		query := ports.RejectionQuery{Filter: domain.ReportFilter{Import: in.ID}, Limit: limit}
		pages := slices.Collect(slices.Chunk(want, limit))
		for i, part := range pages {
			require.Equal(t, &ports.RejectionPage{Import: in, Rejections: part, IsLast: i == len(pages)-1}, s.rejections(t, query))
			query.After = part[len(part)-1].Record
		}
		beyond := s.rejections(t, query)
		require.Empty(t, beyond.Rejections)
		require.True(t, beyond.IsLast)
	}
	between := s.rejections(t, ports.RejectionQuery{Filter: domain.ReportFilter{Import: in.ID}, After: 4, Limit: 1})
	require.Equal(t, want[2:3], between.Rejections)
	none := s.rejections(t, ports.RejectionQuery{Filter: domain.ReportFilter{Import: in.ID}})
	require.Equal(t, in, none.Import)
	require.Empty(t, none.Rejections)
	require.False(t, none.IsLast)
}

func pagesFilteredRejections(t *testing.T, s ReportsSubject) {
	in := s.add(t, noon(0), 1,
		rejection(1, "Anna", loginTaken), rejection(2, "anna", loginTaken, emailTaken), rejection(3, "", notObject), rejection(4, "ANNA", loginTaken))
	for _, c := range []struct {
		name   string
		filter domain.ReportFilter
		after  int
		want   []int
		last   bool
	}{
		{"Login", domain.ReportFilter{Login: "anna"}, 0, []int{1, 2}, false},
		{"SecondPage", domain.ReportFilter{Login: "anna"}, 2, []int{4}, true},
		{"LoginAndReason", domain.ReportFilter{Login: "anna", Reason: emailTaken}, 0, []int{2}, true},
		{"Reason", domain.ReportFilter{Reason: notObject}, 0, []int{3}, true},
		{"ReasonAfterARecord", domain.ReportFilter{Reason: loginTaken}, 1, []int{2, 4}, true},
		{"UnknownLogin", domain.ReportFilter{Login: "unknown"}, 0, []int{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.filter.Import = in.ID
			page := s.rejections(t, ports.RejectionQuery{Filter: c.filter, After: c.after, Limit: 2})
			numbers := []int{}
			for _, rejection := range page.Rejections {
				numbers = append(numbers, rejection.Record)
			}
			require.Equal(t, c.want, numbers)
			require.Equal(t, c.last, page.IsLast)
			require.Equal(t, in, page.Import)
		})
	}
	whole := s.reject(t, noon(0), 413)
	page := s.rejections(t, ports.RejectionQuery{Filter: domain.ReportFilter{Import: whole.ID}, Limit: 1})
	require.Equal(t, whole, page.Import)
	require.Empty(t, page.Rejections)
	require.True(t, page.IsLast)
}

func findsUserOfImport(t *testing.T, s ReportsSubject) {
	id, err := s.People.Create(t.Context(), account(record(t, 1, "Anna", "a@example.com", "")))
	require.NoError(t, err)
	for _, c := range []struct {
		name  string
		user  int64
		login string
	}{{"Existing", id, "Anna"}, {"Deleted", id + 1_000_000, ""}} {
		t.Run(c.name, func(t *testing.T) {
			number, err := s.Imports.Reject(t.Context(), ports.RejectedImport{Status: 413, Description: domain.DescriptionBroken, Sender: domain.Sender{User: c.user}})
			require.NoError(t, err)
			require.Equal(t, c.login, s.rejections(t, ports.RejectionQuery{Filter: domain.ReportFilter{Import: number}, Limit: 1}).Import.User)
		})
	}
}

func findsNoUnknownImport(t *testing.T, s ReportsSubject) {
	in := s.add(t, noon(0), 1)
	for _, id := range []int64{0, -1, in.ID + 1, 1 << 40} {
		_, err := s.Store.Rejections(t.Context(), ports.RejectionQuery{Filter: domain.ReportFilter{Import: id}, Limit: 1})
		require.ErrorIs(t, err, ports.ErrNotFound)
	}
}

func readsInOrder(t *testing.T, s ReportsSubject) {
	const records = 3000
	var rejections []domain.Rejection
	for n := range records {
		rejections = append(rejections, rejection(n+1, fmt.Sprintf("user%d", n%10), loginTaken))
	}
	var wantImports []domain.Import
	var wantRejections []domain.Rejection
	for i, part := range [][]domain.Rejection{rejections[2000:], nil, rejections[:2000], rejections[5:6]} {
		in := s.add(t, noon(10-i), i, part...)
		wantImports = append(wantImports, in)
		for _, rejection := range part {
			wantRejections = append(wantRejections, recorded(in, rejection))
		}
	}
	imports, got := s.read(t, ports.ReportQuery{Violations: true})
	require.Equal(t, wantImports, imports)
	require.Len(t, got, len(wantRejections))
	for i := range got {
		require.Equal(t, wantRejections[i], got[i])
	}
	for _, filter := range []domain.ReportFilter{{Status: 400}, {Login: "user7"}, {From: noon(9), Reason: loginTaken}} {
		_, got := s.read(t, ports.ReportQuery{Filter: filter})
		require.NotEmpty(t, got)
		require.True(t, slices.IsSortedFunc(got, func(a, b domain.Rejection) int {
			return int(a.Import-b.Import)*2*records + a.Record - b.Record
		}), "%+v", filter)
	}
	err := s.Store.Read(t.Context(), ports.ReportQuery{}, func(report ports.Report) error {
		count := 0
		for _, err := range report.Rejections { // they may be read first
			require.NoError(t, err)
			count++
		}
		require.Equal(t, records+1, count)
		count = 0
		for _, err := range report.Imports {
			require.NoError(t, err)
			count++
		}
		require.Equal(t, 4, count)
		return nil
	})
	require.NoError(t, err)
}

func readsOnRequest(t *testing.T, s ReportsSubject) {
	whole := rejection(1, "a", loginTaken)
	whole.Original = []byte(`{"login":"a","x":[1.50,null,true,"<é>"]}`)
	bare := rejection(2, "b", loginTaken)
	bare.Original = nil
	in := s.add(t, noon(0), 1, whole, bare)
	s.add(t, noon(0), 2, whole, bare)
	for _, query := range []ports.ReportQuery{
		{Filter: domain.ReportFilter{Import: in.ID}, Originals: true},
		{Filter: domain.ReportFilter{Import: in.ID, Login: "a"}, Originals: true, Violations: true},
		{Filter: domain.ReportFilter{Import: in.ID}, Violations: true},
		{Originals: true},
		{},
	} {
		_, rejections := s.read(t, query)
		require.NotEmpty(t, rejections)
		for _, rejection := range rejections {
			require.Equal(t, query.Violations, rejection.Violations != nil, "%+v", query)
			if !query.Originals || rejection.Record == bare.Record {
				require.Nil(t, rejection.Original, "%+v", query)
				continue
			}
			require.JSONEq(t, string(whole.Original), string(rejection.Original), "%+v", query)
		}
	}
	for _, filter := range []domain.ReportFilter{{Import: in.ID}, {Import: in.ID, Login: "a"}} {
		page := s.rejections(t, ports.RejectionQuery{Filter: filter, Limit: 2, Originals: true})
		require.JSONEq(t, string(whole.Original), string(page.Rejections[0].Original))
	}
}

func readsOneMoment(t *testing.T, s ReportsSubject) {
	s.add(t, noon(1), 1, rejection(1, "a", loginTaken))
	err := s.Store.Read(t.Context(), ports.ReportQuery{}, func(report ports.Report) error {
		count := 0
		for _, err := range report.Imports {
			require.NoError(t, err)
			s.add(t, noon(0), 1, rejection(1, "b", loginTaken))
			count++
		}
		s.add(t, noon(0), 1, rejection(1, "c", loginTaken))
		for rejection, err := range report.Rejections {
			require.NoError(t, err)
			require.Equal(t, "a", rejection.Login)
			count++
		}
		require.Equal(t, 2, count)
		return nil
	})
	require.NoError(t, err)
	imports, rejections := s.read(t, ports.ReportQuery{})
	require.Len(t, imports, 3)
	require.Len(t, rejections, 3)
}

func returnsErrorOfWork(t *testing.T, s ReportsSubject) {
	s.add(t, noon(1), 1, rejection(1, "a", loginTaken), rejection(2, "b", loginTaken))
	failure := errors.New("failure")
	require.ErrorIs(t, s.Store.Read(t.Context(), ports.ReportQuery{}, func(ports.Report) error { return failure }), failure)
	err := s.Store.Read(t.Context(), ports.ReportQuery{}, func(report ports.Report) error {
		for range report.Rejections {
			return failure
		}
		return nil
	})
	require.ErrorIs(t, err, failure)
	require.NotErrorIs(t, err, ports.ErrUnavailable)
}

// endsAbandonedSequence abandons one sequence, and then reads the other.
func endsAbandonedSequence(t *testing.T, s ReportsSubject) {
	many := make([]domain.Rejection, 20) // more than one read returns
	for i := range many {
		many[i] = rejection(i+1, "a", loginTaken)
		many[i].Description = strings.Repeat("x", 1<<18)
	}
	s.add(t, noon(1), 1, many...)
	s.add(t, noon(0), 1, rejection(1, "a", loginTaken))
	for range 20 { // more than there are connections
		err := s.Store.Read(t.Context(), ports.ReportQuery{}, func(report ports.Report) error {
			for _, err := range report.Rejections {
				require.NoError(t, err)
				break
			}
			count := 0
			for _, err := range report.Imports {
				require.NoError(t, err)
				count++
			}
			require.Equal(t, 2, count)
			return nil
		})
		require.NoError(t, err)
	}
}

func readsConcurrently(t *testing.T, s ReportsSubject) {
	s.add(t, noon(0), 1, rejection(1, "a", loginTaken))
	const depth = 3
	var nested func(int) error
	nested = func(level int) error {
		if level == depth {
			return nil
		}
		return s.Store.Read(t.Context(), ports.ReportQuery{}, func(report ports.Report) error {
			for _, err := range report.Imports {
				require.NoError(t, err)
				require.NoError(t, nested(level+1))
			}
			return nil
		})
	}
	require.NoError(t, nested(0))
}

func reportsStopWithContext(t *testing.T, s ReportsSubject) {
	in := s.add(t, noon(0), 1, rejection(1, "a", loginTaken))
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Store.Read(ctx, ports.ReportQuery{}, func(report ports.Report) error {
		for _, err := range report.Imports {
			require.NoError(t, err)
		}
		cancel()
		var errs []error
		for _, err := range report.Rejections {
			errs = append(errs, err)
		}
		require.Len(t, errs, 1)
		return errs[0]
	})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ports.ErrUnavailable)

	_, errStatistics := s.Store.Statistics(ctx, today)
	_, errImports := s.Store.Imports(ctx, ports.ImportQuery{Limit: 1})
	_, errRejections := s.Store.Rejections(ctx, ports.RejectionQuery{Filter: domain.ReportFilter{Import: in.ID}, Limit: 1})
	errRead := s.Store.Read(ctx, ports.ReportQuery{}, func(ports.Report) error {
		t.Error("work was called after the context ended")
		return nil
	})
	for _, err := range []error{errStatistics, errImports, errRejections, errRead} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
	imports, _ := s.read(t, ports.ReportQuery{})
	require.Len(t, imports, 1)
}
