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

	"rollcall/test/visitor"
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
	got := b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Regexp(t, `^/useradd/uploads/\w{26}$`, got.Location())
	return got.Location()
}

// waitFor requests a page until isReady.
func (b *browser) waitFor(t *testing.T, path string, isReady func(*visitor.Page) bool) *visitor.Page {
	t.Helper()
	var got *visitor.Page
	require.Eventually(t, func() bool {
		got = b.Get(t, path)
		return isReady(got)
	}, patience, 20*time.Millisecond)
	return got
}

func headed(text string) func(*visitor.Page) bool {
	return func(p *visitor.Page) bool { return p.Text("h1") == text }
}

const (
	isChecked  = "Checked, no one registered yet"
	isImported = "Done"
)

func TestUploadWithoutScripts(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	require.Equal(t, "/useradd/upload", b.Get(t, "/profile").Find("#report .actions a").AttrOr("href", ""))
	address := b.upload(t, `..\<i>люди</i>.json`, annaBorisAndSeven())
	got := b.waitFor(t, address, headed(isChecked))
	require.Equal(t, "i>.json", got.Text(".sheet-head .lead"), "the file name without its folders")
	require.Equal(t, "Records3 Can be registered2 Will be rejected1", got.Text(".tally"))
	require.Equal(t, "2not givenThis is not a JSON object.", got.Text(".rejections tbody"))
	require.Contains(t, got.Text(".understood"), "FormatJSON")
	require.Equal(t, 1, p.count(t, "users"), "only the uploading user")

	got = b.Send(t, address+"/start", got, nil)
	require.Equal(t, 303, got.Status)
	require.Equal(t, address, got.Location())
	got = b.waitFor(t, address, headed(isImported))
	require.Equal(t, "Records3 Registered2 Rejected1", got.Text(".tally"))
	require.Equal(t, "2not givenThis is not a JSON object.", got.Text(".rejections tbody"))
	require.Equal(t, 3, p.count(t, "users"))
	require.Zero(t, p.count(t, "upload_parts"), "the file is removed")

	var password string
	for range 2 { // they can be downloaded again
		slips := b.Get(t, got.Find(`a[href$="/slips"]`).AttrOr("href", "none"))
		require.Equal(t, 200, slips.Status)
		require.Equal(t, "no-store", slips.Header.Get("Cache-Control"))
		require.Equal(t, 2, slips.Find("section").Length())
		require.Contains(t, slips.Text(".row:first-child section:first-child"), p.url+"/login")
		require.Equal(t, "anna-1", slips.Text(".row:first-child section:first-child .typed div:first-child dd"))
		require.Regexp(t, `^Scan the code or open the address\. Sign in with this temporary password by \d+ \w+ \d{4}, \d\d:\d\d .*UTC.*\.`, slips.Text(".row:first-child section:first-child h3 ~ p"))
		for _, shown := range []*visitor.Page{slips, got} {
			until, err := time.Parse(time.RFC3339, shown.Find("section:first-of-type time").AttrOr("datetime", ""))
			require.NoError(t, err)
			require.True(t, until.After(time.Now()))
			require.Equal(t, 1, shown.Find(`script[src*="times."]`).Length())
		}
		again := slips.Text(".row:first-child section:first-child .password")
		require.True(t, password == "" || password == again)
		password = again
	}
	sheet := b.Get(t, address+"/credentials.csv")
	require.Equal(t, "text/csv; charset=utf-8", sheet.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="i> credentials.csv"`, sheet.Header.Get("Content-Disposition"))
	require.Contains(t, sheet.HTML, `,"anna-1","`+password)
	require.Contains(t, sheets(t, b.download(t, address+"/credentials.xlsx").body), "This is not a JSON object.")
	b.Get(t, "/?lang=ru")
	require.Contains(t, sheets(t, b.download(t, address+"/credentials.xlsx").body), "Это не объект JSON.", "in the user's language")
	require.Contains(t, b.Get(t, address+"/credentials.csv").HTML, `;"anna-1";"`+password, "separated by semicolons, for Excel in languages with decimal commas")
	b.Get(t, "/?lang=en")
	require.Equal(t, 404, b.Get(t, address+"/credentials.pdf").Status)
	require.Equal(t, 2, got.Find(`.credentials a[download]`).Length())
	anna := p.browser(t)
	anna.signInFirst(t, "anna-1", password)
	require.True(t, anna.IsSignedIn(t), "the password on the slip")

	report := got.Find(`.more a[href^="/useradd/imports/"]`).AttrOr("href", "none")
	got = anna.Get(t, report)
	require.Equal(t, 200, got.Status, "every signed-in user sees the page of an import")
	require.Equal(t, "Import No. "+path.Base(report), got.Text("h1"))
	require.Equal(t, "2not givenThis is not a JSON object.", got.Text(".rejections tbody"))
	require.Zero(t, got.Find(".files a").Length(), "only operators get the original records")
	require.NotContains(t, got.Text("main"), "Sent by")
	got = b.Get(t, report)
	require.Equal(t, 200, b.Get(t, got.Find(".files a").AttrOr("href", "none")).Status)
	require.Contains(t, got.Text("main"), "Sent by Anna.")
	for _, none := range []string{"9999", "0", "-1", "x", "99999999999999999999"} {
		require.Equal(t, 404, anna.Get(t, "/useradd/imports/"+none).Status, none)
	}
	got = b.Get(t, "/useradd/upload")
	require.Equal(t, 2, got.Find(".start a").Length())
	start := b.Get(t, got.Find(".start a").AttrOr("href", "none"))
	require.Equal(t, `attachment; filename="people.csv"`, start.Header.Get("Content-Disposition"))
	require.Contains(t, start.HTML, `"Last name",`)
	require.Equal(t, 200, b.Get(t, "/useradd/templates/people.xlsx").Status)
	require.Equal(t, 404, b.Get(t, "/useradd/templates/people.pdf").Status)
	require.Equal(t, address, got.Find(".latest a").AttrOr("href", ""))
	require.Contains(t, got.Text(".latest"), "Done")
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
	b.Send(t, address+"/start", got, nil)
	b.waitFor(t, address, headed(isImported))

	other := p.browser(t)
	require.Equal(t, 303, other.Submit(t, "/register", with(anna(), "login", "other", "email", "o@example.com", "phone", "")).Status)
	p.grant(t, "other")
	typed := []string{"Content-Type", "application/x-www-form-urlencoded"}
	nobody := p.browser(t)
	for _, path := range []string{"", "/progress", "/slips", "/credentials.csv"} {
		got := other.Get(t, address+path)
		require.Contains(t, []int{404, 303}, got.Status, path)
		require.NotContains(t, got.HTML, "boris")
		require.Equal(t, 404, other.Get(t, address+path, "Accept", "application/json").Status, path)
		require.Equal(t, "/login?next=", nobody.Get(t, address+path).Location()[:12], path)
		require.Equal(t, 401, nobody.Get(t, address+path, "Accept", "application/json").Status, path)
	}
	for _, path := range []string{"/start", "/cancel"} {
		require.Equal(t, "/useradd/uploads", other.Do(t, "POST", address+path, "", typed...).Location(), "where nothing of it is listed")
		require.Equal(t, 404, other.Do(t, "POST", address+path, "", append(typed, "Accept", "application/json")...).Status)
		require.Equal(t, 403, b.Do(t, "POST", address+path, "", append(typed, "Sec-Fetch-Site", "cross-site")...).Status)
		require.Equal(t, 401, nobody.Do(t, "POST", address+path, "", append(typed, "Accept", "*/*")...).Status)
		got := nobody.Do(t, "POST", address+path, "", typed...)
		require.Equal(t, 401, got.Status)
		require.Equal(t, 1, got.Find(`main a[href="/login?next=`+url.QueryEscape(address)+`"]`).Length())
	}
	require.Empty(t, other.Get(t, "/useradd/upload").Text(".latest"))
	require.Equal(t, 401, nobody.Get(t, "/useradd/imports/1", "Accept", "*/*").Status)
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
			_, err = io.WriteString(conn, "POST /useradd/upload HTTP/1.1\r\nHost: localhost\r\nCookie: session="+b.Cookie("session")+"\r\nContent-Type: "+contentType+"\r\n"+c.header+body)
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
	b.Send(t, address+"/start", got, map[string]string{"strict": "1"})
	got = b.waitFor(t, address, headed(isImported))
	require.Equal(t, "Records3 Registered0 Rejected1", got.Text(".tally"))
	require.Contains(t, got.Text("main"), "No one was registered.")
	require.Zero(t, got.Find(`a[href$="/slips"]`).Length())

	address = b.upload(t, "a.json", annaBorisAndSeven())
	got = b.waitFor(t, address, headed(isChecked))
	stale := got
	require.Equal(t, address+"/cancel", got.Find("form button.quiet").AttrOr("formaction", ""))
	require.Equal(t, address, b.Do(t, "POST", address+"/cancel", "", "Content-Type", "application/x-www-form-urlencoded").Location())
	got = b.Get(t, address)
	require.Equal(t, "Cancelled, no one registered", got.Text("h1"))
	require.Equal(t, 303, b.Send(t, address+"/start", stale, nil).Status, "from an outdated page")
	require.Equal(t, "Cancelled, no one registered", b.Get(t, address).Text("h1"))
	require.Equal(t, 1, p.count(t, "users"))
	require.Zero(t, p.count(t, "upload_parts"))
}

func TestUploadInProgress(t *testing.T) {
	p := start(t)
	b := p.operator(t)
	address := b.upload(t, "a.json", annaBorisAndSeven())
	b.waitFor(t, address, headed(isChecked))
	p.set(t, "update uploads set state = 'importing', job = 'x', objects = 500, bytes = 1, size = 4, started_at = clock_timestamp() - interval '10 seconds'")
	got := b.Get(t, address)
	require.Equal(t, "Registering", got.Text("h1"))
	require.Contains(t, got.HTML, `<noscript><meta http-equiv="refresh" content="2"`)
	require.Equal(t, "0.25", got.Find("progress").AttrOr("value", ""))
	require.Contains(t, got.Text(".doing"), "500 records 49 per second about 31 seconds left")
	var progress map[string]any
	answer := b.Get(t, address+"/progress", "Accept", "application/json")
	require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	require.NoError(t, json.Unmarshal([]byte(answer.HTML), &progress))
	require.Equal(t, "importing", progress["state"])
	require.InDelta(t, 0.25, progress["share"], 0.001)
	require.Equal(t, "500 records", progress["objects"])

	p.set(t, "update uploads set updated_at = clock_timestamp() - interval '16 seconds'")
	got = b.Get(t, address)
	require.Equal(t, "Interrupted", got.Text("h1"))
	require.NotContains(t, got.HTML, `http-equiv="refresh"`)
	b.Send(t, address+"/start", got, nil)
	got = b.waitFor(t, address, headed(isImported))
	require.Contains(t, got.Text("main"), "Only you can download them, until")

	p.set(t, "update uploads set updated_at = clock_timestamp() - interval '25 hours'")
	p.set(t, "update idempotency_keys set expires = clock_timestamp()")
	got = b.Get(t, address)
	require.Contains(t, got.Text("main"), "The passwords are no longer available")
	require.Zero(t, got.Find(`a[href$="/slips"]`).Length())
	require.Equal(t, address, b.Get(t, address+"/slips").Location())
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
	b.Send(t, address+"/start", got, nil)
	require.Eventually(t, func() bool { return p.isHeld(t, "profiles") }, patience, 10*time.Millisecond)
	p.stop()
	_, err = conn.Exec(t.Context(), "rollback")
	require.NoError(t, err)

	other := &program{database: p.database}
	other.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(), "--database-url", p.database)
	again := other.browser(t)
	require.Equal(t, 303, again.SignIn(t, "Anna", goodPassword).Status)
	got = again.Get(t, address)
	require.Equal(t, "Interrupted", got.Text("h1"), "the page reports it immediately")
	require.Equal(t, 1, other.count(t, "users"))
	again.Send(t, address+"/start", got, nil)
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
	got := b.Get(t, address)
	require.Equal(t, "Size243 B FormatCSV EncodingWindows-1251 Delimitersemicolon", got.Text(".understood dl"))
	require.Equal(t, "ЛогинLogin<b>x</b>ignored", got.Text(".preview thead"))
	require.Equal(t, "anna<script> boris", got.Text(".preview tbody"))
	require.Contains(t, got.HTML, "&lt;script&gt;")
}
