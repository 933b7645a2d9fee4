package acceptance_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// form returns a multipart form with a file.
func form(t *testing.T, name, content string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = io.WriteString(part, content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String(), w.FormDataContentType()
}

// upload uploads a file, and returns the address of its page.
func (b *browser) upload(t *testing.T, name, content string) string {
	t.Helper()
	body, contentType := form(t, name, content)
	got := b.do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
	require.Equal(t, 303, got.status, got.text("main"))
	require.Regexp(t, `^/useradd/uploads/\w{26}$`, got.location())
	return got.location()
}

// waitFor requests a page until isReady.
func (b *browser) waitFor(t *testing.T, path string, isReady func(*page) bool) *page {
	t.Helper()
	var got *page
	require.Eventually(t, func() bool {
		got = b.get(t, path)
		return isReady(got)
	}, 20*time.Second, 20*time.Millisecond)
	return got
}

func headed(text string) func(*page) bool {
	return func(p *page) bool { return p.text("h1") == text }
}

const (
	isChecked  = "Checked, no one registered yet"
	isImported = "Done"
)

func TestUploadWithoutScripts(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	require.Equal(t, "/useradd/upload", b.get(t, "/profile").Find("#report .actions a").AttrOr("href", ""))
	address := b.upload(t, `..\<i>люди</i>.json`, annaBorisAndSeven())
	got := b.waitFor(t, address, headed(isChecked))
	require.Equal(t, "i>.json", got.text(".sheet-head .lead"), "the file name without its folders")
	require.Equal(t, "Records3 Can be registered2 Will be rejected1", got.text(".tally"))
	require.Equal(t, "2not givenThis is not a JSON object.", got.text(".rejections tbody"))
	require.Contains(t, got.text(".understood"), "FormatJSON")
	require.Equal(t, 1, p.count(t, "users"), "only the uploading user")

	got = b.send(t, address+"/start", got, nil)
	require.Equal(t, 303, got.status)
	require.Equal(t, address, got.location())
	got = b.waitFor(t, address, headed(isImported))
	require.Equal(t, "Records3 Registered2 Rejected1", got.text(".tally"))
	require.Equal(t, "2not givenThis is not a JSON object.", got.text(".rejections tbody"))
	require.Equal(t, 3, p.count(t, "users"))
	require.Zero(t, p.count(t, "upload_parts"), "the file is removed")

	var password string
	for range 2 { // they can be downloaded again
		slips := b.get(t, got.Find(`a[href$="/slips"]`).AttrOr("href", "none"))
		require.Equal(t, 200, slips.status)
		require.Equal(t, "no-store", slips.header.Get("Cache-Control"))
		require.Equal(t, 2, slips.Find("section").Length())
		require.Contains(t, slips.text("section:first-of-type"), p.url+"/login")
		require.Equal(t, "anna-1", slips.text("section:first-of-type div:nth-child(2) dd"))
		require.Regexp(t, `^Sign in with this temporary password by \d+ \w+ \d{4}\.`, slips.text("section:first-of-type p"))
		again := slips.text("section:first-of-type div:nth-child(3) dd")
		require.True(t, password == "" || password == again)
		password = again
	}
	sheet := b.get(t, address+"/credentials.csv")
	require.Equal(t, "text/csv; charset=utf-8", sheet.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="credentials.csv"`, sheet.header.Get("Content-Disposition"))
	require.Contains(t, sheet.Text(), `,"anna-1","`+password)
	require.Contains(t, sheets(t, b.download(t, address+"/credentials.xlsx").body), "This is not a JSON object.")
	b.get(t, "/?lang=ru")
	require.Contains(t, sheets(t, b.download(t, address+"/credentials.xlsx").body), "Это не объект JSON.", "in the user's language")
	require.Contains(t, b.get(t, address+"/credentials.csv").Text(), `;"anna-1";"`+password, "separated by semicolons, for Excel in languages with decimal commas")
	b.get(t, "/?lang=en")
	require.Equal(t, 404, b.get(t, address+"/credentials.pdf").status)
	require.Equal(t, 2, got.Find(`.credentials a[download]`).Length())
	anna := p.browser(t)
	anna.signInFirst(t, "anna-1", password)
	require.True(t, anna.isSignedIn(t), "the password on the slip")

	report := got.Find(`.more a[href^="/useradd/imports/"]`).AttrOr("href", "none")
	got = anna.get(t, report)
	require.Equal(t, 200, got.status, "every signed-in user sees the page of an import")
	require.Equal(t, "Import No. "+path.Base(report), got.text("h1"))
	require.Equal(t, "2not givenThis is not a JSON object.", got.text(".rejections tbody"))
	require.Zero(t, got.Find(".files a").Length(), "only operators get the original records")
	require.NotContains(t, got.text("main"), "Sent by")
	got = b.get(t, report)
	require.Equal(t, 200, b.get(t, got.Find(".files a").AttrOr("href", "none")).status)
	require.Contains(t, got.text("main"), "Sent by Anna.")
	for _, none := range []string{"9999", "0", "-1", "x", "99999999999999999999"} {
		require.Equal(t, 404, anna.get(t, "/useradd/imports/"+none).status, none)
	}
	got = b.get(t, "/useradd/upload")
	require.Equal(t, 2, got.Find(".start a").Length())
	start := b.get(t, got.Find(".start a").AttrOr("href", "none"))
	require.Equal(t, `attachment; filename="people.csv"`, start.header.Get("Content-Disposition"))
	require.Contains(t, start.Text(), `"Last name",`)
	require.Equal(t, 200, b.get(t, "/useradd/templates/people.xlsx").status)
	require.Equal(t, 404, b.get(t, "/useradd/templates/people.pdf").status)
	require.Equal(t, address, got.Find(".latest a").AttrOr("href", ""))
	require.Contains(t, got.text(".latest"), "Done")
}

// annaBorisAndSeven returns a file whose second record is rejected.
func annaBorisAndSeven() string {
	return "[" + person("anna-1", `"email":"a1@example.com"`) + ",7," + person("boris", `"email":"b@example.com"`) + "]"
}

func TestUploadsArePrivate(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	address := b.upload(t, "people.json", annaBorisAndSeven())
	got := b.waitFor(t, address, headed(isChecked))
	b.send(t, address+"/start", got, nil)
	b.waitFor(t, address, headed(isImported))

	other := p.browser(t)
	require.Equal(t, 303, other.submit(t, "/register", with(anna(), "login", "other", "email", "o@example.com", "phone", "")).status)
	p.grant(t, "other")
	typed := []string{"Content-Type", "application/x-www-form-urlencoded"}
	nobody := p.browser(t)
	for _, path := range []string{"", "/progress", "/slips", "/credentials.csv"} {
		got := other.get(t, address+path)
		require.Contains(t, []int{404, 303}, got.status, path)
		require.NotContains(t, got.html, "boris")
		require.Equal(t, 404, other.get(t, address+path, "Accept", "application/json").status, path)
		require.Equal(t, "/login?next=", nobody.get(t, address+path).location()[:12], path)
		require.Equal(t, 401, nobody.get(t, address+path, "Accept", "application/json").status, path)
	}
	for _, path := range []string{"/start", "/cancel"} {
		require.Equal(t, 404, other.do(t, "POST", address+path, "", typed...).status)
		require.Equal(t, 403, b.do(t, "POST", address+path, "", append(typed, "Sec-Fetch-Site", "cross-site")...).status)
		require.Equal(t, 401, nobody.do(t, "POST", address+path, "", append(typed, "Accept", "*/*")...).status)
		require.Equal(t, "/login?next="+url.QueryEscape(address), nobody.do(t, "POST", address+path, "", typed...).location())
	}
	require.Empty(t, other.get(t, "/useradd/upload").text(".latest"))
	require.Equal(t, 401, nobody.get(t, "/useradd/imports/1", "Accept", "*/*").status)
}

func TestRejectedUploads(t *testing.T) {
	p := start(t, "--max-body", "64KiB")
	b := p.operator(t)
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
			body, contentType := form(t, c.file, c.content)
			got := b.do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
			require.Equal(t, c.status, got.status)
			require.Equal(t, c.alert, got.text(".message.bad[role=alert]:not([hidden])"))
		})
	}
	body, contentType := form(t, "a.json", "{}")
	require.Equal(t, 403, b.do(t, "POST", "/useradd/upload", body, "Content-Type", contentType, "Sec-Fetch-Site", "cross-site").status)
	require.Equal(t, 415, b.do(t, "POST", "/useradd/upload", "login=a", "Content-Type", "application/x-www-form-urlencoded").status)
	require.Equal(t, 401, p.browser(t).do(t, "POST", "/useradd/upload", body, "Content-Type", contentType, "Accept", "*/*").status)
	require.Zero(t, p.count(t, "uploads"))

	for _, file := range []string{"", "[", `{"login":`} { // recognized by their beginning
		body, contentType := form(t, "a.json", file)
		got := b.do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
		require.Equal(t, 400, got.status, file)
		require.Contains(t, got.text(".message.bad[role=alert]"), "The file is empty, damaged", file)
	}
	address := b.upload(t, "a.json", "["+strings.Repeat("1,", 20))
	got := b.waitFor(t, address, headed("Failed, no one registered"))
	require.Contains(t, got.text("main"), "The file is empty, damaged")
	require.Zero(t, got.Find(`form[action^="`+address+`"]`).Length())
	address = b.upload(t, "a.json", "[1,2]")
	got = b.waitFor(t, address, headed(isChecked))
	require.Contains(t, got.text("main"), "No record in this file can be registered.")
	require.Zero(t, got.Find("button:contains('Register them')").Length())
	require.Zero(t, p.count(t, "codes"), "no import is stored")
}

// The end of a connection in the middle of a file is not the end of the file.
func TestInterruptedUpload(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	body, contentType := form(t, "a.json", annaBorisAndSeven())
	for _, c := range []struct {
		name   string
		header string
	}{
		{"length", "Content-Length: 9999\r\n\r\n"},
		{"chunks", "Transfer-Encoding: chunked\r\n\r\n1000\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			require.NoError(t, err)
			_, err = io.WriteString(conn, "POST /useradd/upload HTTP/1.1\r\nHost: localhost\r\nCookie: session="+b.cookie("session")+"\r\nContent-Type: "+contentType+"\r\n"+c.header+body)
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.NotContains(t, string(answer), "303")
			conn.Close()
		})
	}
	require.Zero(t, p.count(t, "uploads"))
}

func TestStrictAndCancelledUploads(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	address := b.upload(t, "a.json", annaBorisAndSeven())
	got := b.waitFor(t, address, headed(isChecked))
	b.send(t, address+"/start", got, map[string]string{"strict": "1"})
	got = b.waitFor(t, address, headed(isImported))
	require.Equal(t, "Records3 Registered0 Rejected1", got.text(".tally"))
	require.Contains(t, got.text("main"), "No one was registered.")
	require.Zero(t, got.Find(`a[href$="/slips"]`).Length())

	address = b.upload(t, "a.json", annaBorisAndSeven())
	got = b.waitFor(t, address, headed(isChecked))
	stale := got
	require.Equal(t, address+"/cancel", got.Find("form button.quiet").AttrOr("formaction", ""))
	require.Equal(t, address, b.do(t, "POST", address+"/cancel", "", "Content-Type", "application/x-www-form-urlencoded").location())
	got = b.get(t, address)
	require.Equal(t, "Cancelled, no one registered", got.text("h1"))
	require.Equal(t, 303, b.send(t, address+"/start", stale, nil).status, "from an outdated page")
	require.Equal(t, "Cancelled, no one registered", b.get(t, address).text("h1"))
	require.Equal(t, 1, p.count(t, "users"))
	require.Zero(t, p.count(t, "upload_parts"))
}

func TestUploadInProgress(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	address := b.upload(t, "a.json", annaBorisAndSeven())
	b.waitFor(t, address, headed(isChecked))
	p.set(t, "update uploads set state = 'importing', job = 'x', objects = 500, bytes = 1, size = 4, started_at = clock_timestamp() - interval '10 seconds'")
	got := b.get(t, address)
	require.Equal(t, "Registering", got.text("h1"))
	require.Contains(t, got.html, `<noscript><meta http-equiv="refresh" content="2"`)
	require.Equal(t, "0.25", got.Find("progress").AttrOr("value", ""))
	require.Contains(t, got.text(".doing"), "500 records 49 per second about 31 seconds left")
	var progress map[string]any
	answer := b.get(t, address+"/progress", "Accept", "application/json")
	require.Equal(t, "no-store", answer.header.Get("Cache-Control"))
	require.NoError(t, json.Unmarshal([]byte(answer.Text()), &progress))
	require.Equal(t, "importing", progress["state"])
	require.InDelta(t, 0.25, progress["share"], 0.001)
	require.Equal(t, "500 records", progress["objects"])

	p.set(t, "update uploads set updated_at = clock_timestamp() - interval '16 seconds'")
	got = b.get(t, address)
	require.Equal(t, "Interrupted", got.text("h1"))
	require.NotContains(t, got.html, `http-equiv="refresh"`)
	b.send(t, address+"/start", got, nil)
	got = b.waitFor(t, address, headed(isImported))
	require.Contains(t, got.text("main"), "Only you can download them, until")

	p.set(t, "update uploads set updated_at = clock_timestamp() - interval '25 hours'")
	p.set(t, "update idempotency_keys set expires = clock_timestamp()")
	got = b.get(t, address)
	require.Contains(t, got.text("main"), "The passwords are no longer available")
	require.Zero(t, got.Find(`a[href$="/slips"]`).Length())
	require.Equal(t, address, b.get(t, address+"/slips").location())
}

// A stopped server leaves no half of an import, and another server resumes the upload.
func TestUploadSurvivesARestart(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	file := strings.TrimSuffix(annaBorisAndSeven(), "]") + strings.Repeat(" ", 1<<20) + "]" // as large as imports that use COPY
	address := b.upload(t, "large.json", file)
	got := b.waitFor(t, address, headed(isChecked))
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "begin; lock table profiles in share mode") // the import has written users and cannot write profiles
	require.NoError(t, err)
	b.send(t, address+"/start", got, nil)
	require.Eventually(t, func() bool {
		return p.count(t, "pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") > 0
	}, 20*time.Second, 10*time.Millisecond)
	p.stop()
	_, err = conn.Exec(t.Context(), "rollback")
	require.NoError(t, err)

	other := &program{database: p.database}
	other.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(), "--database-url", p.database)
	again := other.browser(t)
	require.Equal(t, 303, again.signIn(t, "Anna", goodPassword).status)
	got = again.get(t, address)
	require.Equal(t, "Interrupted", got.text("h1"), "the page reports it immediately")
	require.Equal(t, 1, other.count(t, "users"))
	again.send(t, address+"/start", got, nil)
	again.waitFor(t, address, headed(isImported))
	require.Equal(t, 3, other.count(t, "users"))
}

func TestUploadShowsTheLayout(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	address := b.upload(t, "a.json", annaBorisAndSeven())
	b.waitFor(t, address, headed(isChecked))
	p.set(t, `update uploads set layout = '{"Format": "csv", "Encoding": "windows-1251", "Delimiter": 59,
		"Columns": [{"Header": "Логин", "Field": "login"}, {"Header": "<b>x</b>", "Field": ""}], "Rows": [["anna", "<script>"], ["boris", ""]]}'`)
	got := b.get(t, address)
	require.Equal(t, "Size243 B FormatCSV EncodingWindows-1251 Delimitersemicolon", got.text(".understood dl"))
	require.Equal(t, "ЛогинLogin<b>x</b>ignored", got.text(".preview thead"))
	require.Equal(t, "anna<script> boris", got.text(".preview tbody"))
	require.Contains(t, got.html, "&lt;script&gt;")
}
