package web_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

func TestRejectedUploads(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.MaxBody = 64 << 10 })
	b := s.operator(t)
	for _, c := range []struct {
		name          string
		file, content string
		status        int
		alert         string
	}{
		{"no file", "", "", 400, "Choose a file first."},
		{"too large", "a.json", strings.Repeat(" ", 128<<10), 413, "The file is too large."},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, contentType := uploadForm(t, c.file, c.content)
			got := b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
			require.Equal(t, c.status, got.Status)
			require.Equal(t, c.alert, got.Text(".message.bad[role=alert][autofocus] a[href='#file']"))
			require.Equal(t, "Error: Upload a file — Rollcall", got.Text("title"))
		})
	}
	body, contentType := uploadForm(t, "a.json", "{}")
	require.Equal(t, 403, b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType, "Sec-Fetch-Site", "cross-site").Status)
	other := b.Do(t, "POST", "/useradd/upload?user=77", body, "Content-Type", contentType)
	require.Equal(t, 409, other.Status, "a page that another user opened in this browser")
	require.Contains(t, other.Text("main"), "You're signed in as another user")
	require.Equal(t, 415, b.Do(t, "POST", "/useradd/upload", "login=a", "Content-Type", mediaForm).Status)
	require.Equal(t, 401, s.browser(t).Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType, "Accept", "*/*").Status)
	require.Zero(t, b.Get(t, "/useradd/upload").Find(".latest").Length(), "no upload is stored")

	body, contentType = uploadForm(t, "a.json", "")
	got := b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
	require.Equal(t, 400, got.Status)
	require.Equal(t, "The file is empty. Save it with its data, and choose it again.", got.Text(".message.bad[role=alert]:not([hidden])"))
	for _, file := range []string{"[", `{"login":`} { // recognized by their beginning
		body, contentType := uploadForm(t, "a.json", file)
		got := b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
		require.Equal(t, 400, got.Status, file)
		require.Contains(t, got.Text(".message.bad[role=alert]"), "The file is empty, damaged", file)
	}
	address := upload(t, b, "a.json", "["+strings.Repeat("1,", 20))
	got = waitFor(t, b, address, "Failed, no one registered")
	require.Contains(t, got.Text("main"), "The file is empty, damaged")
	require.Zero(t, got.Find(`form[action^="`+address+`"]`).Length())
	address = upload(t, b, "a.json", "[1,2]")
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, got.Text("main"), "No record in this file can be registered.")
	require.Zero(t, got.Find("button:contains('Register them')").Length())
	require.Empty(t, s.store.Recorded(), "no import is stored")
}

// uploadSeveral uploads files by one form, as a browser without scripts does.
func uploadSeveral(t *testing.T, b *visitor.Browser, namesAndContents ...string) *visitor.Page {
	t.Helper()
	var parts []string
	for i := 0; i < len(namesAndContents); i += 2 {
		parts = append(parts, "file", namesAndContents[i], namesAndContents[i+1])
	}
	body, contentType := formOf(t, parts...)
	return b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
}

// listed waits until no upload of the list is being processed, and returns the list.
func listed(t *testing.T, b *visitor.Browser) (got *visitor.Page) {
	t.Helper()
	require.Eventually(t, func() bool {
		got = b.Get(t, "/useradd/uploads")
		return got.Find("[data-working]").Length() == 0
	}, 20*time.Second, 5*time.Millisecond)
	return got
}

// entry returns the state, the figures and the buttons of an upload in the list.
func entry(page *visitor.Page, name string) string {
	of := ".latest li:has([dir=auto]:contains('" + name + "')) "
	return strings.Join([]string{page.Text(of + ".state"), page.Text(of + ".why"), page.Text(of + "dl"), page.Text(of + "button")}, "|")
}

// Several files are checked and imported one after another, each with its own result in the list.
func TestSeveralUploads(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	one, two := person("one", `"email":"one@example.com"`), person("two", `"email":"two@example.com"`)
	three := "[" + person("three", `"email":"three@example.com"`) + ",7]"
	got := uploadSeveral(t, b, "one.json", one, "two.json", two, "three.json", three)
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Equal(t, "/useradd/uploads", got.Location())
	got = listed(t, b)
	const checked = "Checked, no one registered yet"
	require.Equal(t, checked+"||Records 1 Can be registered 1 Will be rejected 0|Register them: one.jsonCancel: one.json", entry(got, "one.json"))
	require.Equal(t, checked+"||Records 2 Can be registered 1 Will be rejected 1|Register them: three.jsonCancel: three.json", entry(got, "three.json"))
	require.Equal(t, "Register 2 files without errors", got.Text("form.submit button"))

	form := mediaForm
	clean := url.Values{"start": values(got, "form.submit input[name=start]")}
	require.Len(t, clean["start"], 2)
	for range 2 { // sent twice
		require.Equal(t, "/useradd/uploads", b.Do(t, "POST", "/useradd/uploads", clean.Encode(), "Content-Type", form).Location())
	}
	got = listed(t, b)
	require.Equal(t, "Done||Records 1 Registered 1 Rejected 0|", entry(got, "one.json"))
	require.Equal(t, "Done||Records 1 Registered 1 Rejected 0|", entry(got, "two.json"))
	require.Zero(t, got.Find("form.submit").Length())
	three = got.Find("button[name=cancel]").AttrOr("value", "none")
	require.Equal(t, 303, b.Do(t, "POST", "/useradd/uploads", url.Values{"cancel": {three, "none"}}.Encode(), "Content-Type", form).Status)
	require.Equal(t, "Cancelled, no one registered|||", entry(listed(t, b), "three.json"))
	require.Equal(t, 415, b.Do(t, "POST", "/useradd/uploads", "{}", "Content-Type", "application/json").Status)
}

// A form takes as many files as may be undecided. It names each file that it does not take, with the reason.
func TestSeveralUploadsThatAreNotTaken(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	file := person("one", `"email":"one@example.com"`)
	got := uploadSeveral(t, b, "a.json", file, "b.pdf", "%PDF-1.4\n", "b.xlsx", "PK\x03\x04", `c\c.json`, "", "d.json", file, "e.json", file, "f.json", file, "g.json", "")
	require.Equal(t, 400, got.Status)
	require.Equal(t, "Some files weren't accepted:", got.Text(".message.bad"))
	require.Equal(t, "b.pdf This is a PDF document. Ask for the table itself, as .xlsx or CSV."+
		" b.xlsx The file is empty, damaged or in an unsupported format (cannot read the workbook: the file is damaged or incomplete)."+
		" c.json The file is empty. Save it with its data, and choose it again."+
		" f.json Not accepted: up to 3 files can wait for your decision. Register or cancel the files below, then upload this one again."+
		" g.json Not accepted: up to 3 files can wait for your decision. Register or cancel the files below, then upload this one again.", got.Text(".not-taken"))
	require.NotContains(t, got.HTML, `http-equiv="refresh"`, "the reasons stay")
	require.Equal(t, 3, got.Find(".latest li").Length())

	first := upload(t, b, "1.json", file)
	for _, name := range []string{"2.json", "3.json", "4.json"} {
		listed(t, b)
		upload(t, b, name, file)
	}
	got = listed(t, b)
	const replaced = "Newer files took its place before you decided. No one was registered. If you need this file, upload it again."
	require.Equal(t, "Cancelled, no one registered|"+replaced+"||", entry(got, "1.json"))
	require.Equal(t, replaced, b.Get(t, first).Text(".sheet > p.lead"))

	compressed := visitor.Gzip(t, strings.Repeat(" ", 600<<10)+file)
	got = uploadSeveral(t, b, "5.json.gz", compressed, "6.json.gz", compressed)
	require.Equal(t, 413, got.Status, "the files of a form together have a limit")
	require.Contains(t, got.Text(".not-taken"), "6.json.gz")
	got = uploadSeveral(t, b, strings.Split(strings.Repeat("a.json,7,", 101), ",")[:202]...)
	require.Equal(t, "Send the files one at a time.", got.Text(".message.bad"))
}

// The reason why a file is broken is in the language of the page.
func TestBrokenFilesInRussian(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	rows := strings.Repeat(person("boris", `"phone":"9000000001"`)+",", 1000)
	address := upload(t, b, "people.json", "["+rows+"7 7]")
	detail := waitFor(t, b, address, "Failed, no one registered").Find(".detail")
	require.Regexp(t, `^at byte \d+: expected a comma or ]$`, detail.Text())
	detail = b.Get(t, address+"?lang=ru").Find(".detail")
	require.Regexp(t, `^байт \d+: ожидалась запятая или ]$`, detail.Text())
	require.Empty(t, detail.AttrOr("lang", ""))
	rejected := uploadSeveral(t, b, "b.xlsx", "PK\x03\x04")
	require.Contains(t, rejected.Text("[role=alert]"), "(книга Excel не читается: файл повреждён или неполон).")
}

// A page of an upload that was removed, or that another user opened before, leads to the list, which says that nothing was done.
func TestDecisionsOnUploadsThatAreGone(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	for _, c := range []struct{ path, field string }{
		{"/useradd/uploads/gone/start", "strict"},
		{"/useradd/uploads/gone/start", "choose"},
		{"/useradd/uploads/gone/cancel", "x"},
		{"/useradd/uploads", "start"},
		{"/useradd/uploads", "cancel"},
	} {
		t.Run(c.path+" "+c.field, func(t *testing.T) {
			require.Equal(t, "/useradd/uploads", b.Do(t, "POST", c.path, c.field+"=gone", "Content-Type", mediaForm).Location())
			require.Contains(t, b.Get(t, "/useradd/uploads").Text("[role=alert]"), "Nothing was done.")
		})
	}
	require.Equal(t, 404, b.Do(t, "POST", "/useradd/uploads/gone/cancel", "", "Content-Type", mediaForm, "Accept", "application/json").Status)
	require.Equal(t, 404, b.Get(t, "/useradd/uploads/gone").Status)
}

// An operator chooses the encoding of a file whose letters fit several.
func TestUploadInUnclearEncoding(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := upload(t, b, "a.csv", "last_name,first_name,patronymic,login,email\nK\xf5ri,Rosa,Anna,rosa,rosa@example.org\n")
	got := b.Get(t, address)
	require.Equal(t, "Choose the encoding", got.Text("h1"))
	require.Contains(t, got.Text(".encodings tr:contains('Windows-1252')"), "Kõri")
	require.Contains(t, got.Text(".encodings tr:contains('Windows-1250')"), "Kőri")
	require.Equal(t, 1, got.Find(".encodings button[value='windows-1252']").Length())

	b.Send(t, address+"/start", got, map[string]string{"charset": "ansi"})
	require.Equal(t, "Choose the encoding", b.Get(t, address).Text("h1"), "an encoding that was not offered")
	b.Send(t, address+"/start", got, map[string]string{"charset": "windows-1252"})
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, got.Text(".preview"), "Kõri")
	require.Contains(t, got.Text(".understood .data"), "Windows-1252, as you said")
	b.Send(t, address+"/start", got, nil)
	waitFor(t, b, address, "Done")

	address = upload(t, b, "b.csv", "login,last_name\nrosa,K\xf5ri\n")
	b.Do(t, "POST", address+"/cancel", "", "Content-Type", mediaForm)
	require.Equal(t, "Cancelled, no one registered", b.Get(t, address).Text("h1"))
}

// caseFile returns the file of a case of the acceptance tests.
func caseFile(t *testing.T, name string) string {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("../../test/acceptance/testdata/cases", name))
	require.NoError(t, err)
	return string(file)
}

// values returns the values of the inputs with a selector.
func values(page *visitor.Page, selector string) []string {
	return page.Find(selector).Map(func(_ int, input *goquery.Selection) string { return input.AttrOr("value", "") })
}

// An operator sees which sheets of a workbook were read, and chooses others.
func TestUploadOfSheets(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := upload(t, b, "school.xlsx", caseFile(t, "E03-sheet-per-class/people.xlsx"))
	got := waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, got.Text(".preview"), "e03a")
	require.Equal(t, "Sheet read: 5А (1 row) Sheet not read: 5Б (1 row)", got.Text(".notes"))
	require.Equal(t, []string{"5А", "5Б"}, values(got, ".choices input[name=sheet]"))
	require.Equal(t, []string{"5А"}, values(got, ".choices input[name=sheet][checked]"))

	b.Send(t, address+"/start", got, map[string]string{"choose": "1", "sheet": "5В"})
	require.Contains(t, b.Get(t, address).Text(".preview"), "e03a", "a sheet that is not there")
	b.Send(t, address+"/start", got, map[string]string{"choose": "1", "sheet": "5Б"})
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, got.Text(".preview"), "e03b")
	require.Equal(t, []string{"5Б"}, values(got, ".choices input[name=sheet][checked]"))
	b.Send(t, address+"/start", got, map[string]string{"choose": "1"})
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Equal(t, []string{"5А"}, values(got, ".choices input[name=sheet][checked]"), "no choice: the first one")
	b.Send(t, address+"/start", got, nil)
	got = waitFor(t, b, address, "Done")
	require.Zero(t, got.Find(".choices").Length())
	require.Equal(t, "Sheet read: 5А (1 row) Sheet not read: 5Б (1 row)", got.Text(".notes"))

	address = upload(t, b, "hidden.xlsx", caseFile(t, "E04-hidden-rows/people.xlsx"))
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, got.Text(".notes"), "Rows that are hidden in the workbook are read, too: 1")
	require.Zero(t, got.Find(".choices").Length(), "a workbook with one sheet")

	upload(t, b, "also.xlsx", caseFile(t, "E04-hidden-rows/people.xlsx"))
	upload(t, b, "again.xlsx", caseFile(t, "E03-sheet-per-class/people.xlsx"))
	got = listed(t, b)
	require.Contains(t, entry(got, "again.xlsx"), "|Sheet not read: 5Б (1 row)|")
	require.Contains(t, entry(got, "hidden.xlsx"), "|Rows that are hidden in the workbook are read, too: 1|")
	require.Zero(t, got.Find("form.submit").Length(), "what is ignored is read before")
}

// An operator says whether dates have the day or the month first.
func TestUploadWithUnclearDates(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := upload(t, b, "dates.csv", caseFile(t, "month-first/people.csv"))
	got := waitFor(t, b, address, "Checked, no one registered yet")
	require.Equal(t, "Records8 Can be registered6 Will be rejected2", got.Text(".tally"))
	require.Equal(t, []string{"dmy", "mdy"}, values(got, ".choices input[name=dates]"))
	require.Zero(t, got.Find(".choices input[checked]").Length())
	require.Equal(t, 400, b.Send(t, address+"/start", got, map[string]string{"choose": "1", "dates": "ymd"}).Status)
	b.Send(t, address+"/start", got, map[string]string{"choose": "1", "dates": "mdy"})
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Equal(t, "Records8 Can be registered7 Will be rejected1", got.Text(".tally"))
	require.Equal(t, []string{"mdy"}, values(got, ".choices input[name=dates][checked]"))
	b.Send(t, address+"/start", got, nil)
	require.Equal(t, "Records8 Registered7 Rejected1", waitFor(t, b, address, "Done").Text(".tally"))
}
