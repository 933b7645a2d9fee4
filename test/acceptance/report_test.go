package acceptance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/test/pgtest"
)

// mixed is a file of three records, of which only the first can be registered.
var mixed = `[
	` + person("petrov", `"email":"petrov@example.com"`) + `,
	` + person("petrov", `"phone":"+7 900 000-00-01","class":"7b"`) + `,
	` + person("=1+1", `"email":"nowhere"`) + `
]`

// download requests a file.
func (b *browser) download(t *testing.T, path string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.p.url+path, nil)
	require.NoError(t, err)
	request.Header = b.Header.Clone()
	response, err := b.Client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(body)}
}

func TestExports(t *testing.T) {
	uploads := t.TempDir()
	p := start(t, "--exports-dir", uploads)
	b := p.operator(t)
	require.Equal(t, 200, p.post(t, mixed).status)
	require.Equal(t, 400, p.post(t, "[").status)

	for _, c := range []struct {
		path string
		file string
	}{
		{"xlsx", "rollcall-DATE.xlsx"},
		{"txt", "rollcall-DATE.txt"},
		{"csv", "rollcall-codes-DATE.csv"},
		{"csv?table=codes", "rollcall-codes-DATE.csv"},
		{"csv?table=bad_users", "rollcall-bad_users-DATE.csv"},
		{"json", "rollcall-DATE.json"},
		{"rejected.json?import=1", "rollcall-rejected-DATE-import-1.json"},
		{"rejected.csv?import=1", "rollcall-rejected-DATE-import-1.csv"},
		{"rejected.xlsx?import=1", "rollcall-rejected-DATE-import-1.xlsx"},
	} {
		t.Run(c.path, func(t *testing.T) {
			got := b.download(t, "/useradd/export/"+c.path)
			require.Equal(t, 200, got.status, got.body)
			c.file = strings.ReplaceAll(c.file, "DATE", time.Now().Format(time.DateOnly))
			require.Equal(t, `attachment; filename="`+c.file+`"`, got.header.Get("Content-Disposition"))
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))
			kept, err := os.ReadFile(filepath.Join(uploads, c.file))
			require.NoError(t, err)
			require.Equal(t, string(kept), got.body)
		})
	}
	files, err := os.ReadDir(uploads)
	require.NoError(t, err)
	require.Len(t, files, 8, "the newest file of each kind")

	file, err := excelize.OpenReader(strings.NewReader(b.download(t, "/useradd/export/xlsx").body))
	require.NoError(t, err)
	defer file.Close()
	require.Equal(t, []string{"Response status codes", "Bad request users"}, file.GetSheetList())
	rows, err := file.GetRows("Bad request users")
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, []string{"1", "3", "=1+1"}, rows[2][:3])
	formula, err := file.GetCellFormula("Bad request users", "C3")
	require.NoError(t, err)
	require.Empty(t, formula)

	got := b.download(t, "/useradd/export/csv?table=bad_users")
	require.Contains(t, got.body, `,"'=1+1",`)
	b.Get(t, "/?lang=ru")
	require.Contains(t, b.download(t, "/useradd/export/csv?table=bad_users").body, `;"'=1+1";`, "separated by semicolons, for Excel in languages with decimal commas")
	b.Get(t, "/?lang=en")
	moved := b.download(t, "/useradd/export/excel?status=400")
	require.Contains(t, []int{301, 302, 307, 308}, moved.status)
	require.Equal(t, "/useradd/export/xlsx?status=400", strings.TrimPrefix(moved.header.Get("Location"), p.url))
	for _, path := range []string{"pdf", "rejected.json", "rejected.json?import=7", "rejected.pdf?import=1"} {
		require.Equal(t, 404, b.download(t, "/useradd/export/"+path).status, path)
	}
}

// exported is the JSON export.
type exported struct {
	Codes []struct {
		ID   int64
		Code int
	}
	BadUsers []struct {
		CodeID   int64   `json:"code_id"`
		ObjectID int     `json:"object_id"`
		Login    *string `json:"login"`
	} `json:"bad_users"`
}

func TestExportsUseThePagesFilter(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	require.Equal(t, 200, p.post(t, mixed).status)                                // 1
	require.Equal(t, 400, p.post(t, "[").status)                                  // 2
	require.Equal(t, 400, p.post(t, person("PETROV", `"email":"x@y.de"`)).status) // 3
	for _, c := range []struct {
		query string
		want  [2]int
	}{
		{"", [2]int{3, 3}},
		{"status=200", [2]int{1, 2}},
		{"status=400", [2]int{2, 1}},
		{"status=413", [2]int{0, 0}},
		{"login=petrov", [2]int{2, 2}},
		{"login=PETROV", [2]int{2, 2}},
		{"reason=login:taken", [2]int{2, 2}},
		{"reason=email:invalid", [2]int{1, 1}},
		{"reason=email:taken", [2]int{0, 0}},
		{"login=petrov&status=400", [2]int{1, 1}},
		{"from=" + time.Now().Add(-24*time.Hour).Format(time.DateOnly), [2]int{3, 3}},
		{"until=" + time.Now().Add(-48*time.Hour).Format(time.DateOnly), [2]int{0, 0}},
		{"until=" + time.Now().Format(time.DateOnly), [2]int{3, 3}},
		{"from=" + time.Now().Add(48*time.Hour).Format(time.DateOnly), [2]int{0, 0}},
	} {
		t.Run(c.query, func(t *testing.T) {
			var file exported
			require.NoError(t, json.Unmarshal([]byte(b.download(t, "/useradd/export/json?"+c.query).body), &file))
			require.Equal(t, c.want, [2]int{len(file.Codes), len(file.BadUsers)})
		})
	}
}

func TestRejectedRecordsAreFixedAndSentAgain(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	require.Equal(t, 200, p.post(t, mixed).status)
	got := b.download(t, "/useradd/export/rejected.json?import=1")
	var records []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &records), got.body)
	require.Len(t, records, 2)
	require.Equal(t, "7b", records[0]["class"], "unknown keys are stored")
	require.Equal(t, "+7 900 000-00-01", records[0]["phone"], "values are stored as they came")
	require.NotEmpty(t, records[0]["reason"])
	records[0]["login"], records[1]["login"], records[1]["email"] = "sidorov", "kim", "kim@example.com"
	fixed, err := json.Marshal(records)
	require.NoError(t, err)
	again := p.post(t, string(fixed))
	require.Equal(t, 200, again.status)
	require.Contains(t, again.body, "sidorov")
	require.Contains(t, again.body, "kim")
	require.Equal(t, "All users have been created (2 of 2 users)", p.codes(t)[1].Description)
}

func TestRejectedRecordsExpire(t *testing.T) {
	p := start(t)
	require.Equal(t, 200, p.post(t, mixed).status)
	require.Equal(t, 200, p.post(t, strings.ReplaceAll(mixed, "petrov", "sidorov")).status)
	p.set(t, "update codes set date = now() - interval '31 days' where id = 1")
	require.Zero(t, p.stop())
	p.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database-url", p.database)
	kept := func() []struct{ Code, N int } {
		return pgtest.Query[struct{ Code, N int }](t, p.database, "select code_id::int, count(original)::int from bad_users group by 1 order by 1")
	}
	require.Eventually(t, func() bool { return kept()[0].N == 0 }, patience, 10*time.Millisecond, "expired records are erased")
	require.Equal(t, []struct{ Code, N int }{{1, 0}, {2, 2}}, kept())

	none := start(t, "--keep-rejected", "0")
	b := none.operator(t)
	require.Equal(t, 200, none.post(t, mixed).status)
	got := b.download(t, "/useradd/export/rejected.json?import=1")
	require.NotContains(t, got.body, "900 000")
	require.Contains(t, got.body, "petrov")
}

func TestNumbersInEachLanguage(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	p.set(t, "insert into statistics values (current_date, 0, 1, 1234567, 55000)")
	for _, c := range []struct {
		language string
		want     [2]string
	}{
		{"en", [2]string{"1,234,567", "4.3%"}},
		{"ru", [2]string{"1 234 567", "4,3 %"}},
	} {
		t.Run(c.language, func(t *testing.T) {
			got := b.Get(t, "/profile", "Accept-Language", c.language)
			require.Contains(t, got.Text("main"), c.want[0])
			require.Contains(t, got.Text("main"), c.want[1])
		})
	}
}

// An export that fails is answered with an error, and not with half a file.
func TestExportFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	p := start(t, "--exports-dir", file)
	b := p.registered(t)
	got := b.Get(t, "/useradd/export/txt")
	require.Equal(t, 500, got.Status)
	require.Contains(t, got.Header.Get("Content-Type"), "text/html")
	require.Empty(t, got.Header.Get("Content-Disposition"))
}

func TestConcurrentExports(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	require.Equal(t, 200, p.post(t, mixed).status)
	want := b.download(t, "/useradd/export/json").body
	session := "session=" + b.Cookie("session")
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			got := p.do(t, http.MethodGet, "/useradd/export/json", nil, "Cookie", session)
			require.Equal(t, 200, got.status)
			require.Equal(t, want, got.body)
		})
	}
	all.Wait()
}

func TestClientLeavesDuringExport(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	records := bytes.Repeat([]byte(`{"login":"a login that is longer than it may be, so that the file is large enough"},`), 20_000)
	require.Equal(t, 400, p.post(t, "["+string(records)+"{}]").status)
	for range 3 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/useradd/export/json", nil)
		require.NoError(t, err)
		response, err := b.Client.Do(request)
		require.NoError(t, err)
		_, err = io.ReadFull(response.Body, make([]byte, 1000))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	got := b.download(t, "/useradd/export/json?status=200")
	require.Equal(t, 200, got.status)
}

// Every query, however malformed, shows a page.
func TestReportTakesAnyAddress(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	require.Equal(t, 200, p.post(t, `[`+person("lebedeva", `"email":"l@example.com"`)+`,`+person("orlova", `"email":"o@example.com"`)+`]`).status)
	require.Equal(t, 200, p.post(t, mixed).status)
	require.Equal(t, 400, p.post(t, "[").status)
	for _, c := range []struct {
		query string
		want  int
	}{
		{"from=0001-01-01&until=9999-12-31", 3},
		{"from=9999-12-31", 0},
		{"status=777", 0},
		{"reason=:not_object", 0},
		{"login=%00", 0},
		{"login=%20", 3},
		{"login=nobody", 0},
		{"after=x&before=y", 3},
		{"after=-1", 3},
		{"after=3&before=1", 2},
		{"before=9223372036854775807", 0},
		{"after=99999999999999999999", 3},
		{"open=7", 3},
		{"open=2&object=x", 3},
		{"open=2&object=9999", 3},
		{"object=3", 3},
		{"sort=sideways", 3},
		{"%zz", 3},
	} {
		t.Run(c.query, func(t *testing.T) {
			got := b.Get(t, "/profile?"+c.query)
			require.Equal(t, 200, got.Status)
			require.Equal(t, c.want, got.Find(".imports > tbody > tr:first-child .what").Length())
		})
	}
	require.Equal(t, "/useradd/imports/2", b.Get(t, "/profile?import=2").Location())
	for _, query := range []string{
		"from=2026-02-31&until=yesterday", "from=0000-00-00", "status=all", "status=-200", "status=99999999999999999999", "status=%00",
		"login=<b>&login=c", "reason=login", "reason=login:", "reason=%00:%00", "reason=none:taken", "login=%FF%FE",
	} {
		t.Run(query, func(t *testing.T) {
			got := b.Get(t, "/profile?"+query)
			require.Equal(t, 400, got.Status)
			require.NotEmpty(t, got.Text(".filter .error"))
		})
	}
}

// The report shows an import that waits for another transaction, and no longer when it is done.
func TestReportShowsRunningImports(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	var people []string
	for i := range 200 {
		people = append(people, person(fmt.Sprintf("user%d", i), fmt.Sprintf(`"phone":"9%09d"`, i)))
	}
	release := held(t, p, nil)
	ended := make(chan answer)
	go func() { ended <- p.post(t, "["+strings.Join(people, ",")+"]") }()
	require.Eventually(t, func() bool { return b.Get(t, "/profile").Find(".imports .running progress").Length() == 1 }, patience, 100*time.Millisecond)
	release()
	require.Equal(t, 200, (<-ended).status)
	page := b.Get(t, "/profile")
	require.Zero(t, page.Find(".running").Length())
	require.Contains(t, page.Text(".imports .what"), "(200 of 200 users)")
}

// The calendar days of these zones are always different. After a restart with another zone the figures have its days.
func TestTimeZone(t *testing.T) {
	p := start(t, "--time-zone", "Pacific/Kiritimati")
	p.registered(t)
	require.Equal(t, 200, p.post(t, mixed).status)
	for _, c := range []struct {
		zone, offset string
		hours        int
	}{
		{"Pacific/Kiritimati", "+14:00", 14}, {"Etc/GMT+12", "-12:00", -12},
	} {
		t.Run(c.zone, func(t *testing.T) {
			p := &program{database: p.database}
			p.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(),
				"--database-url", p.database, "--time-zone", c.zone)
			b := p.browser(t)
			require.Equal(t, "/profile", b.SignIn(t, "anna", goodPassword).Location())
			today := time.Now().UTC().Add(time.Duration(c.hours) * time.Hour).Format(time.DateOnly)
			page := b.Get(t, "/profile?from="+today+"&until="+today)
			require.Equal(t, "1", page.Text(".figures section:first-child .registered dd"))
			require.Equal(t, today, page.Find("[data-chart=days] tbody tr:last-child th").AttrOr("data-value", ""))
			require.Regexp(t, regexp.QuoteMeta(c.offset)+"$", page.Find(".imports time").AttrOr("datetime", ""))
		})
	}
}
