package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/test/pgtest"
)

// An object is a person as JSON.
type object map[string]any

// person returns a valid person with changes.
func person(login string, changes object) object {
	it := object{
		"last_name": "Лебедева", "first_name": "Вера", "patronymic": "Романовна", "login": login, "email": login + "@example.com",
	}
	maps.Copy(it, changes)
	return it
}

// post sends a file to /useradd, and returns the status.
func (p *program) post(t *testing.T, file string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/useradd", strings.NewReader(file))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	return response.StatusCode
}

// importAll imports people, and returns the status.
func (p *program) importAll(t *testing.T, people ...object) int {
	t.Helper()
	file, err := json.Marshal(people)
	require.NoError(t, err)
	return p.post(t, string(file))
}

// importSome sends three files: one without errors, one with rejected records, and a broken one.
func (p *program) importSome(t *testing.T) {
	t.Helper()
	require.Equal(t, http.StatusOK, p.importAll(t, person("lebedeva", nil), person("orlov", nil)))
	require.Equal(t, http.StatusOK, p.importAll(t,
		person("Lebedeva", object{"email": "another@example.com"}), person("somov", object{"email": "nowhere"}),
		person("ezhova", nil), person("drozd", object{"patronymic": nil, "email": "nowhere"}),
	))
	require.Equal(t, http.StatusBadRequest, p.post(t, `[{"login":`))
}

// texts returns the text of each element of a selector, in one line each.
func (v *visitor) texts(selector string) []string {
	v.t.Helper()
	return eval[[]string](v, `selector => [...document.querySelectorAll(selector)].map(e => e.innerText.split(/\s+/).join(" ").trim())`, selector)
}

// sees waits until isThere.
func (v *visitor) sees(what string, isThere func() bool) {
	v.t.Helper()
	if !until(patience/4, isThere) { // until then the page may be loading
		require.Fail(v.t, what+" is not seen", v.text("main"))
	}
}

// until asks isThere at intervals, and reports whether it was true before a timeout. Asking without a pause keeps a processor busy.
func until(timeout time.Duration, isThere func() bool) bool {
	const interval = 20 * time.Millisecond
	for end := time.Now().Add(timeout); !isThere(); time.Sleep(interval) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

const (
	importRows = ".imports > tbody > tr:first-child"
	recordRows = ".rejections tbody tr"
	showFilter = "form.filter button"
)

// descriptions returns the descriptions of the imports in the table.
func (v *visitor) descriptions() []string { v.t.Helper(); return v.texts(importRows + " .what") }

const (
	allOfTwo   = "All users have been created (2 of 2 users)"
	oneOfFour  = "Not all users have been created (created by 1 of 4 users)"
	brokenFile = "Bad request! JSON file is empty or broken."
)

func TestReportShowsImports(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	v.register(anna())
	report := v.text("#report")
	require.Contains(t, report, "rollcall send --server "+p.url+" people.json")
	require.Contains(t, report, "curl "+p.url+"/useradd --json @people.json")
	require.False(t, v.has("canvas") || v.has(".imports") || v.has("script[src*=uplot]"), "no charts without imports")

	p.importSome(t)
	v.open("/profile")
	require.Equal(t, []string{"Registered 3 Rejected 3 Rejection rate 50% Imports 3"}, v.texts(".figures section:first-child dl"))
	require.Len(t, v.texts(".figures section"), 4)
	require.Equal(t, []string{brokenFile, oneOfFour, allOfTwo}, v.descriptions(), "the latest first")
	require.Equal(t, "descending", eval[string](v, `() => document.querySelector("[aria-sort]").ariaSort`))

	running := func(statement string) { pgtest.Query[struct{}](t, p.database, "do $$ begin "+statement+"; end $$") }
	running("insert into running_imports values ('x', now(), 7, 7, 0, 7, 70)")
	v.open("/profile")
	require.Contains(t, v.text(".imports .running"), "7 records")
	running("update running_imports set objects = 8, updated_at = clock_timestamp()")
	v.sees("the progress", func() bool { return strings.Contains(v.text(".imports .running"), "8 records") })
	running("delete from running_imports")
	v.sees("the end", func() bool { return !v.has(".imports .running") })
	require.Equal(t, brokenFile, v.descriptions()[0])

	v.load(http.StatusOK, click("[aria-sort] a"))
	require.Equal(t, []string{allOfTwo, oneOfFour, brokenFile}, v.descriptions(), "the oldest first")
	require.Equal(t, "/profile?sort=oldest", v.address())
	eval[bool](v, `() => { history.back(); return true }`)
	v.arrives("/profile")
	const first = `document.readyState === "complete" && document.querySelector(".imports .what")?.innerText || ""`
	v.sees("the earlier page", func() bool { // the browser may show a kept page first
		description, err := run(v, chromedp.Evaluate[string](first))
		return err == nil && description == brokenFile
	})
}

// A script shows times in the time zone of the browser, and the server's in the title.
func TestTimesAreThoseOfTheReader(t *testing.T) {
	const zone = "Asia/Kathmandu"
	location, err := time.LoadLocation(zone)
	require.NoError(t, err)
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	v.do(call(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}))
	v.register(anna())
	for language, format := range map[string]string{"en": `^2 January 2006, 15:04 `, "ru": `^2 \S+ 2006 г\., 15:04 `} {
		v.open("/profile?lang=" + language)
		for _, selector := range []string{".imports time", ".profile .data time"} {
			shown := eval[[]string](v, `selector => {
				const time = document.querySelector(selector);
				return [time.getAttribute("datetime"), time.title, time.textContent];
			}`, selector)
			at, err := time.Parse(time.RFC3339, shown[0])
			require.NoError(t, err)
			require.Contains(t, shown[1], at.Format(", 15:04 "), "the server's time")
			require.Contains(t, shown[1], "UTC")
			require.Regexp(t, at.In(location).Format(format)+`UTC\+5:45$`, shown[2])
		}
	}
}

func TestReportShowsRejectedRecords(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	v.register(anna())
	require.Equal(t, []string{"3 records"}, v.texts(".opens a"))
	v.load(http.StatusOK, click(".opens a"))
	require.Equal(t, "/profile?open=2", v.address())
	require.Equal(t, []string{
		"1 Lebedeva Login belongs to another user.",
		"2 somov Email is not a valid address: give one address, such as anna@example.com.",
		"4 drozd Patronymic is required: if people may have none, the administrator can set --patronymic optional. Email is not a valid address: give one address, such as anna@example.com.",
	}, v.texts(recordRows))
	v.load(http.StatusOK, click(`a[hreflang=ru]`))
	require.Contains(t, v.texts(recordRows), "1 Lebedeva Логин уже занят.", "the other language shows the same page")
	v.load(http.StatusOK, click(".opens a"))
	require.Empty(t, v.texts(recordRows), "the list is closed again")
}

func TestReportPagesThroughRejectedRecords(t *testing.T) {
	p := start(t)
	var people []object
	for i := range 120 {
		people = append(people, person(fmt.Sprintf("user%d", i), object{"email": "nowhere"}))
	}
	require.Equal(t, http.StatusBadRequest, p.importAll(t, people...))
	v := p.visit(t)
	v.register(anna())
	v.load(http.StatusOK, click(".opens a"))
	for _, c := range []struct {
		count       int
		first, last string
	}{{50, "1 user0 ", "50 user49 "}, {50, "51 user50 ", "100 user99 "}, {20, "101 user100 ", "120 user119 "}} {
		v.run(c.first, func(t *testing.T) {
			records := v.texts(recordRows)
			require.Len(t, records, c.count)
			require.True(t, strings.HasPrefix(records[0], c.first) && strings.HasPrefix(records[c.count-1], c.last), "%q", records)
			if c.count == 50 {
				v.load(http.StatusOK, click(".more a:last-child"))
			}
		})
	}
	require.Equal(t, []string{"Back to the first record"}, v.texts(".more a"))
	v.load(http.StatusOK, click(".more a"))
	require.Equal(t, "/profile?open=1", v.address())
}

func TestReportIsFiltered(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	v.register(anna())
	choose := func(name, value string) {
		t.Helper()
		eval[bool](v, `(name, value) => { document.getElementById(name).value = value; return true }`, name, value)
		require.Equal(t, value, v.value(name), "no such choice")
	}
	clearAll := func() {
		t.Helper()
		v.load(http.StatusOK, click(".filter-actions a"))
		require.Len(t, v.descriptions(), 3)
	}

	choose("reason", "login:taken")
	v.load(http.StatusOK, click(showFilter))
	require.Equal(t, []string{oneOfFour}, v.descriptions())
	require.Equal(t, "login:taken", v.value("reason"), "the form shows the filter")
	v.load(http.StatusOK, click(".opens a"))
	require.Equal(t, []string{"1 Lebedeva Login belongs to another user."}, v.texts(recordRows), "no other records")
	clearAll()

	v.fill(fields{"login": " DROZD "})
	v.load(http.StatusOK, click(showFilter))
	require.Equal(t, []string{oneOfFour}, v.descriptions())
	clearAll()

	choose("status", "400")
	v.load(http.StatusOK, click(showFilter))
	require.Equal(t, []string{brokenFile}, v.descriptions())
	v.load(http.StatusOK, click("[aria-sort] a"))
	require.Equal(t, []string{brokenFile}, v.descriptions(), "a change of order keeps the filter")
	clearAll()
	require.Equal(t, "ascending", eval[string](v, `() => document.querySelector("[aria-sort]").ariaSort`), "clearing the filter keeps the order")

	choose("until", "2020-01-01")
	v.load(http.StatusOK, click(showFilter))
	require.Empty(t, v.descriptions())
	require.Contains(t, v.text(".nothing"), "No imports match this filter.")
	v.load(http.StatusOK, click(".nothing a"))
	require.Len(t, v.descriptions(), 3)

	v.load(http.StatusBadRequest, v.to("/profile?from=abc#imports"))
	v.hasFocus("main [role=alert]")
	v.load(http.StatusOK, v.to("/profile"))

	// Bars of the chart link to filtered lists.
	eval[bool](v, `() => { for (const table of document.querySelectorAll(".chart details")) table.open = true; return true }`)
	require.Equal(t, []string{"Email: not valid 2", "Login: taken 1", "Patronymic: missing 1"}, v.texts("[data-chart=reasons] tbody tr"))
	v.load(http.StatusOK, click("[data-chart=reasons] tbody tr:nth-child(3) a"))
	require.Equal(t, []string{oneOfFour}, v.descriptions())
	require.Equal(t, "patronymic:required", v.value("reason"))
}

func TestReportPages(t *testing.T) {
	p := start(t)
	const count = 60
	for i := range count {
		require.Equal(t, http.StatusOK, p.importAll(t, person(fmt.Sprintf("user%d", i), nil)))
	}
	v := p.visit(t)
	v.register(anna())
	ids := func() (first, last string, count int) {
		all := eval[[]string](v, `selector => [...document.querySelectorAll(".imports > tbody")].map(body => body.id)`)
		return all[0], all[len(all)-1], len(all)
	}
	shows := func(wantFirst, wantLast string, wantCount int) {
		t.Helper()
		first, last, count := ids()
		require.Equal(t, []any{wantFirst, wantLast, wantCount}, []any{first, last, count})
	}
	const newer, older = ".paging [rel=prev]", ".paging [rel=next]"
	shows("import-60", "import-36", 25)
	require.False(t, v.has(newer))
	v.load(http.StatusOK, click(older))
	second := v.address()
	shows("import-35", "import-11", 25)
	v.load(http.StatusOK, click(older))
	shows("import-10", "import-1", 10)
	require.False(t, v.has(older))
	require.Equal(t, http.StatusOK, p.importAll(t, person("late", nil)))
	v.load(http.StatusOK, click(newer))
	shows("import-35", "import-11", 25)
	v.load(http.StatusOK, click(newer))
	shows("import-60", "import-36", 25)
	v.load(http.StatusOK, click(newer))
	shows("import-61", "import-61", 1)
	v.open(second)
	shows("import-35", "import-11", 25)

	v.load(http.StatusOK, click("[aria-sort] a"))
	shows("import-1", "import-25", 25)
	require.Equal(t, "Newer →", v.text(older))
	v.load(http.StatusOK, click(older))
	shows("import-26", "import-50", 25)

	v.open("/profile?after=1")
	require.Contains(t, v.text(".nothing"), "No imports on this page.")
	v.load(http.StatusOK, click(".nothing a"))
	shows("import-61", "import-37", 25)

	pgtest.Query[struct{}](t, p.database, "insert into roles select id, 'operator' from users where login = $1", anna()["login"])
	v.findsPeople()
}

// findsPeople searches for the 60 people with logins user0 and so on, filters them, opens one, and goes back to the same page.
func (v *visitor) findsPeople() {
	v.t.Helper()
	shown := func() int { return eval[int](v, `() => document.querySelectorAll(".people tbody tr").length`) }
	v.open("/users")
	v.fill(fields{"q": "USER"})
	v.load(http.StatusOK, click(".find-text button"))
	require.Equal(v.t, 50, shown())
	v.sees("the number of those found", func() bool { return v.text(".found p") == "Found: 60" })
	v.load(http.StatusOK, click(".paging [rel=next]"))
	require.Equal(v.t, 10, shown())
	v.do(click(".find summary"))
	v.fill(fields{"import": "7"})
	v.load(http.StatusOK, click(".filter button"))
	require.Equal(v.t, "Found: 1", v.text(".found p"))
	filtered := v.address()
	v.load(http.StatusOK, click(".people .who a"))
	require.Contains(v.t, v.text(".data"), "user6")
	eval[bool](v, `() => { history.back(); return true }`)
	v.arrives(filtered)
	v.sees("the same page", func() bool { return shown() == 1 && v.value("q") == "USER" }) // it may be loading once more
}

// drawn waits until the page has drawn its current state.
func (v *visitor) drawn() {
	v.t.Helper()
	eval[bool](v, `() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

func TestChartsAreDrawn(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	v.register(anna())
	// colours counts the pixels of each chart in one of the page's colours.
	colours := func(name string) []int {
		t.Helper()
		return eval[[]int](v, `name => [...document.querySelectorAll("canvas")].map(canvas => {
			const probe = document.body.appendChild(document.createElement("span"));
			probe.style = "forced-color-adjust: none; color: var(" + name + ")";
			const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map(Number);
			probe.remove();
			const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
			copy.drawImage(canvas, 0, 0);
			const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
			let count = 0;
			for (let i = 0; i < data.length; i += 4) {
				if (data[i + 3] === 255 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) count++;
			}
			return count;
		})`, name)
	}
	for _, as := range []look{{}, {dark: true}, {dark: true, phone: true}, {dark: true, forced: true}, {forced: true}, {}} {
		v.look(as)
		v.drawn()
		registered, rejected := colours("--accent"), colours("--bad")
		require.Len(t, registered, 2, as)
		require.Greater(t, registered[0], 200, "registered by day (%s)", as)
		require.Greater(t, rejected[0], 200, "rejected by day (%s)", as)
		require.Greater(t, rejected[1], 1000, "reasons (%s)", as)
		require.Zero(t, registered[1], "reasons (%s)", as)
	}
	v.look(look{phone: true})
	v.drawn()
	v.fits("report with charts that shrank")

	// Pointing at a day shows its figures.
	v.look(look{})
	require.Empty(t, v.text(".reading"))
	type point struct{ X, Y float64 }
	x := 12.0
	v.sees("figures of the day", func() bool { // the chart may still be growing to its new size
		x = 25 - x // an event without a move is ignored
		today := eval[point](v, `x => {
			const over = document.querySelector("[data-chart=days] .u-over");
			over.scrollIntoView({block: "center", behavior: "instant"});
			const {right, bottom} = over.getBoundingClientRect();
			return {x: right - x, y: bottom - 9};
		}`, x)
		v.do(call(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: today.X, Y: today.Y}))
		v.drawn()
		return strings.HasSuffix(v.text(".reading"), "registered 3 · rejected 3")
	})
}

func TestReportWithoutScripts(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	v.disableScripts()
	v.register(anna())
	require.False(t, v.has("canvas"), "scripts are disabled")
	require.Contains(t, v.text("[data-chart=days]"), " 3 3")
	require.Contains(t, v.text("[data-chart=reasons]"), "Email: not valid 2")
	v.load(http.StatusOK, click(".opens a"))
	require.Len(t, v.texts(recordRows), 3)
	v.fill(fields{"login": "somov"})
	v.load(http.StatusOK, click(showFilter))
	require.Equal(t, []string{oneOfFour}, v.descriptions())
}

// A file is a download.
type file struct {
	http.Header

	status int
	body   string
}

// download requests a linked file with the cookies of the page, because the policy of the page forbids scripts to fetch.
func (v *visitor) download(selector string) file {
	v.t.Helper()
	address := eval[string](v, `selector => document.querySelector(selector).href`, selector)
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	require.NoError(v.t, err)
	request.Header.Set("Accept-Language", eval[string](v, `() => document.documentElement.lang`))
	v.do(chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		known, err := cdp.Call(ctx, at, network.GetCookies, network.GetCookiesParams{URLs: []string{address}})
		if err != nil {
			return err
		}
		for _, cookie := range known.Cookies {
			request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
		return nil
	}))
	response, err := http.DefaultClient.Do(request)
	require.NoError(v.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(v.t, err)
	return file{response.Header, response.StatusCode, string(body)}
}

func TestReportIsDownloaded(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	v.register(anna())
	link := func(part string) string { return fmt.Sprintf(`.files a[href^="/useradd/export/%s"]`, part) }

	for _, c := range []struct {
		part string
		want []string
	}{
		{"txt", []string{allOfTwo, oneOfFour, brokenFile, "Lebedeva", "somov", "drozd"}},
		{"json", []string{allOfTwo, oneOfFour, brokenFile, "Lebedeva", "somov", "drozd"}},
		{"csv?table=codes", []string{allOfTwo, oneOfFour, brokenFile}},
		{"csv?table=bad_users", []string{"Lebedeva", "somov", "drozd"}},
	} {
		v.run(c.part, func(t *testing.T) {
			got := v.download(link(c.part))
			require.Equal(t, http.StatusOK, got.status)
			require.Contains(t, got.Get("Content-Disposition"), `attachment; filename="rollcall`)
			require.Equal(t, "no-store", got.Get("Cache-Control"))
			for _, row := range c.want {
				require.Contains(t, got.body, row)
			}
		})
	}
	sheet := v.download(link("xlsx"))
	require.Equal(t, http.StatusOK, sheet.status)
	require.Equal(t, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheet.Get("Content-Type"))
	book, err := excelize.OpenReader(strings.NewReader(sheet.body))
	require.NoError(t, err)
	defer book.Close()
	for _, c := range []struct {
		sheet string
		rows  int
	}{
		{"Response status codes", 3},
		{"Bad request users", 3},
	} {
		t.Run(c.sheet, func(t *testing.T) {
			rows, err := book.GetRows(c.sheet)
			require.NoError(t, err)
			require.Len(t, rows, 1+c.rows)
		})
	}

	v.open("/profile?reason=login:taken")
	filtered := v.download(link("txt")).body
	require.Contains(t, filtered, oneOfFour)
	require.Contains(t, filtered, "Lebedeva")
	for _, other := range []string{allOfTwo, brokenFile, "somov", "drozd"} {
		require.NotContains(t, filtered, other, "exports use the filter of the page")
	}
}

func TestRejectedRecordsAreFixedAndSentAgain(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	v.load(http.StatusOK, click(".opens a"))
	got := v.download(`.rejections .files a[href^="/useradd/export/rejected.json?import=2"]`)
	require.Equal(t, http.StatusOK, got.status)
	var records []object
	require.NoError(t, json.Unmarshal([]byte(got.body), &records))
	require.Len(t, records, 3)
	for i, it := range records {
		it["login"], it["email"], it["patronymic"] = fmt.Sprintf("fixed%d", i), fmt.Sprintf("fixed%d@example.com", i), "Романовна"
	}
	require.Equal(t, http.StatusOK, p.importAll(t, records...))
	v.open("/profile")
	require.Equal(t, "All users have been created (3 of 3 users)", v.descriptions()[0])
	require.Equal(t, []string{"Registered 6 Rejected 3 Rejection rate 33.3% Imports 4"}, v.texts(".figures section:first-child dl"))
}

func TestExportsNeedASession(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	v.open("/useradd/export/txt?status=200")
	require.Equal(t, "/login?next=%2Fuseradd%2Fexport%2Ftxt%3Fstatus%3D200", v.address())
}

func TestReportIsAccessible(t *testing.T) {
	for _, language := range []string{"ru", "en"} {
		t.Run(language, func(t *testing.T) {
			p := start(t)
			looks := []look{{language: language}, {language: language, dark: true}, {language: language, phone: true}, {language: language, phone: true, dark: true}}
			v := visit(t, p.url, looks[0])
			check := func(state string) {
				t.Helper()
				for _, as := range looks {
					v.look(as)
					name := fmt.Sprintf("%s (%s)", state, as)
					v.isAccessible(name)
					if as.phone {
						v.fits(name)
					}
				}
			}
			v.register(anna())
			check("nothing imported")
			p.importSome(t)
			long := person(strings.Repeat("long", 20), object{"last_name": strings.Repeat("Долгий", 20), "email": "nowhere", "phone": "12", "birthday": "31.02.2000"})
			require.Equal(t, http.StatusBadRequest, p.importAll(t, long))
			v.open("/profile?open=4&sort=oldest&reason=email:invalid&from=2026-01-01")
			check("rejected records and a filter")
			eval[bool](v, `() => { for (const table of document.querySelectorAll(".chart details")) table.open = true; return true }`)
			check("tables of charts")
			v.open("/profile?login=nobody")
			check("a filter that finds nothing")
			v.look(looks[0])
			v.open("/profile?open=4")
			v.walkThrough()
			v.load(http.StatusOK, chromedp.Reload())
		})
	}
}

// watchList notes where the list of imports stands in each frame of a page.
const watchList = `
	window.tops = [];
	const look = () => {
		const list = document.querySelector(".list-head");
		if (list) tops.push(Math.round(list.getBoundingClientRect().top + scrollY));
		requestAnimationFrame(look);
	};
	requestAnimationFrame(look);`

// On a slow line, charts are drawn after the page is shown. The page keeps room for them.
func TestReportOnASlowLine(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := visit(t, p.url, look{phone: true})
	v.register(anna())
	v.do(
		call(network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}),
		call(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: 400, DownloadThroughput: 50_000, UploadThroughput: 50_000}},
		}),
		call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchList}),
	)
	v.open("/profile")
	v.drawn()
	require.Len(t, eval[[]string](v, `() => [...document.querySelectorAll("canvas")].map(String)`), 2)
	tops := eval[[]int](v, `() => tops`)
	require.NotEmpty(t, tops)
	require.InDelta(t, slices.Min(tops), slices.Max(tops), 8, "the list of imports moves")
}
