package acceptance_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/test/pgtest"
	"rollcall/test/visitor"
)

const mediaLines = "application/x-ndjson"

// An outcomeLine is a line of an NDJSON answer.
type outcomeLine struct {
	Object      int `json:"object_id"`
	Status      string
	Login       *string
	Password    string
	Violations  []struct{ Field, Code, Message string }
	Import      int64
	Code        int
	Objects     int
	Created     int
	Rejected    int
	Description string
	Error       string
}

func lines(t *testing.T, body string) (all []outcomeLine) {
	t.Helper()
	for text := range strings.Lines(body) {
		require.True(t, strings.HasSuffix(text, "\n"))
		var one outcomeLine
		require.NoError(t, json.Unmarshal([]byte(text), &one), text)
		all = append(all, one)
	}
	return all
}

// annaOnly returns a file of three records, of which only the first can be registered.
func annaOnly() string {
	return "[" + person("anna", `"email":"a@example.com"`) + ",7," + person("ANNA", `"phone":"9161234567"`) + "]"
}

func TestAnswerHasEveryRecord(t *testing.T) {
	p := start(t)
	got := p.post(t, annaOnly(), "Accept", mediaLines)
	require.Equal(t, 200, got.status)
	require.Equal(t, mediaLines, got.header.Get("Content-Type"))
	require.Equal(t, "/useradd/imports/1", got.header.Get("Location"))
	all := lines(t, got.body)
	require.Len(t, all, 4)
	require.Equal(t, "created", all[0].Status)
	require.Equal(t, "anna", *all[0].Login)
	b := p.browser(t)
	b.signInFirst(t, "anna", all[0].Password)
	require.True(t, b.IsSignedIn(t))
	require.Equal(t, 2, all[1].Object)
	require.Nil(t, all[1].Login)
	require.Equal(t, "not_object", all[1].Violations[0].Code)
	require.Equal(t, "rejected", all[2].Status)
	require.Equal(t, "Login belongs to another user.", all[2].Violations[0].Message)
	require.Equal(t, outcomeLine{
		Status: "done", Import: 1, Code: 200, Objects: 3, Created: 1, Rejected: 2,
		Description: "Not all users have been created (created by 1 of 3 users)",
	}, all[3])

	got = p.post(t, annaOnly(), "Accept", "application/jsonl")
	require.Equal(t, 400, got.status, "no record was registered, and all are in the answer")
	require.Len(t, lines(t, got.body), 4)
	got = p.post(t, "[", "Accept", mediaLines+", application/problem+json;q=0.9")
	require.Equal(t, 400, got.status)
	require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
	require.Equal(t, "/useradd/imports/3", got.header.Get("Location"))
}

// What an import ignores is in the last line, in the problem, in the output of send, and on the page of an upload.
func TestIgnoredColumnsAreTold(t *testing.T) {
	p := start(t)
	table := "Список сотрудников\nuser_id,username,last_name,Fist name,patronymic,phone,Должность\n7,anna,Ким,Анна,Петровна,9000000001,ИТ\n"
	got := p.post(t, table, "Content-Type", "text/csv", "Accept", mediaLines)
	all := lines(t, got.body)
	require.Contains(t, got.body, `"passed_over":["Список сотрудников"],"ignored":[{"column":"user_id","like":"login","instead":"username"},`+
		`{"column":"Fist name","like":"first_name"},{"column":"Должность"}]}`)
	require.Equal(t, "done", all[len(all)-1].Status)
	got = p.post(t, table, "Content-Type", "text/csv", "Accept", "application/problem+json")
	require.Contains(t, got.body, `"passed_over":["Список сотрудников"],"ignored":[{"column":"user_id",`)
	got = p.post(t, `{"login":"anna","Фамилия":"Ким","note":1}`, "Accept", "application/problem+json")
	require.Contains(t, got.body, `"ignored":[{"column":"Фамилия","like":"last_name"},{"column":"note"}],"rejections":[`)

	_, stdout, _ := command(t, "", "send", "--server", p.url, fileOf(t, "people.csv", table))
	require.Contains(t, stdout, `
  passed over: Список сотрудников
  column "user_id": "username" has the login
  warning: ignored column "Fist name"; if it is the first_name, rename it to first_name
  ignored columns: "Должность"
`)
}

// Credentials come as tables to hand out.
func TestAnswerAsTable(t *testing.T) {
	p := start(t)
	got := p.post(t, annaOnly(), "Accept", "text/csv", "Idempotency-Key", "key")
	require.Equal(t, 200, got.status)
	require.Equal(t, "text/csv; charset=utf-8", got.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="credentials.csv"`, got.header.Get("Content-Disposition"))
	rows := strings.Split(got.body, "\r\n")
	require.Len(t, rows, 3)
	require.Equal(t, "\ufeff"+`"last_name","first_name","patronymic","login","password","group"`, rows[0])
	require.Regexp(t, `^"Ким","Анна","Петровна","anna","[a-z0-9-]{27}",""$`, rows[1])
	again := p.post(t, annaOnly(), "Accept", "text/csv", "Idempotency-Key", "key")
	require.Equal(t, got.body, again.body)

	const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	got = p.post(t, annaOnly(), "Accept", xlsx, "Idempotency-Key", "key")
	require.Equal(t, []any{200, xlsx}, []any{got.status, got.header.Get("Content-Type")})
	require.True(t, strings.HasPrefix(got.body, "PK"))
	got = p.post(t, annaOnly(), "Accept", "text/csv")
	require.Equal(t, []any{400, noneCreated}, []any{got.status, got.body})
}

func TestDryRunAndStrict(t *testing.T) {
	p := start(t)
	got := p.do(t, http.MethodPost, "/useradd?dry_run=true", strings.NewReader(annaOnly()))
	require.Equal(t, 200, got.status)
	require.JSONEq(t, `[{"login":"anna"}]`, got.body)
	require.Empty(t, got.header.Get("Location"))
	got = p.do(t, http.MethodPost, "/useradd?dry_run=perhaps", strings.NewReader(annaOnly()))
	require.Equal(t, 400, got.status)
	got = p.do(t, http.MethodPost, "/useradd?dry_run", strings.NewReader("["))
	require.Equal(t, 400, got.status)
	require.Zero(t, p.count(t, "users")+p.count(t, "codes"))

	got = p.post(t, annaOnly(), "Prefer", "respond-async, handling=strict", "Accept", mediaLines)
	require.Equal(t, 400, got.status)
	require.Equal(t, "handling=strict", got.header.Get("Preference-Applied"))
	all := lines(t, got.body)
	require.Len(t, all, 4)
	require.Equal(t, []string{"skipped", "rejected", "rejected", "done"}, []string{all[0].Status, all[1].Status, all[2].Status, all[3].Status})
	require.Zero(t, p.count(t, "users"))
	require.Equal(t, 2, p.count(t, "bad_users"))
	got = p.post(t, person("anna", `"email":"a@example.com"`), "Prefer", "handling=strict")
	require.Equal(t, 200, got.status)
	require.Equal(t, 1, p.count(t, "users"))
	got = p.post(t, annaOnly(), "Prefer", "handling=lenient; x=handling=strict")
	require.Equal(t, 400, got.status, "both logins are taken")
	require.Empty(t, got.header.Get("Preference-Applied"))
}

// The same key gets the same answer, byte for byte, even after a restart and from another instance with the same secret key.
func TestKeyGivesTheSameAnswer(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "--data-dir", dir)
	first := p.post(t, annaOnly(), "Idempotency-Key", "key", "Accept", mediaLines)
	require.Equal(t, 200, first.status)
	require.Empty(t, first.header.Get("Idempotent-Replayed"))
	info, err := os.Stat(filepath.Join(dir, "secret.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	secret, err := os.ReadFile(filepath.Join(dir, "secret.key"))
	require.NoError(t, err)

	again := func(p *program) answer { return p.post(t, annaOnly(), "Idempotency-Key", "key", "Accept", mediaLines) }
	got := again(p)
	require.Equal(t, first.body, got.body)
	require.Equal(t, first.status, got.status)
	require.Equal(t, "true", got.header.Get("Idempotent-Replayed"))
	require.Equal(t, first.header.Get("Location"), got.header.Get("Location"))
	p.stop()

	serve := func(flags ...string) *program {
		other := &program{database: p.database}
		other.run(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--exports-dir", t.TempDir(), "--database-url", p.database}, flags...)...)
		return other
	}
	require.Equal(t, first.body, again(serve("--data-dir", dir)).body, "after a restart")
	require.Equal(t, first.body, again(serve("--data-dir", t.TempDir(), "--secret-key", strings.TrimSpace(string(secret)))).body, "from another instance")
	got = again(serve("--data-dir", t.TempDir()))
	require.Equal(t, 500, got.status, "an instance with another secret key does not invent passwords")
	require.Contains(t, got.body, "secret key")

	other := serve("--data-dir", dir)
	got = other.post(t, "{}", "Idempotency-Key", "key", "Accept", "application/problem+json")
	require.Equal(t, 422, got.status)
	require.Contains(t, got.body, `"code":"key_reused"`)
	for _, key := range []string{"", "два", "a b", strings.Repeat("k", 256)} {
		require.Equal(t, 400, other.post(t, annaOnly(), "Idempotency-Key", key).status, key)
	}
	require.Equal(t, 1, p.count(t, "users"))
	for _, table := range []string{"idempotency_keys", "outcomes", "codes", "users", "bad_users"} {
		for _, row := range pgtest.Query[struct{ Text string }](t, p.database, "select x::text from "+table+" x") {
			require.NotContains(t, row.Text, lines(t, first.body)[0].Password)
		}
	}
}

// One of many concurrent requests with a key registers; the others get 409 or its answer.
func TestConcurrentRequestsWithOneKey(t *testing.T) {
	p := start(t)
	const clients = 50
	answers := make(chan answer, clients)
	for range clients {
		go func() { answers <- p.post(t, annaOnly(), "Idempotency-Key", "key") }()
	}
	bodies, conflicts := map[string]int{}, 0
	for range clients {
		got := <-answers
		switch got.status {
		case 200:
			bodies[got.body]++
		case 409:
			conflicts++
			require.NotEmpty(t, got.header.Get("Retry-After"))
		default:
			t.Errorf("status %d: %s", got.status, got.body)
		}
	}
	require.Len(t, bodies, 1)
	require.Equal(t, 1, p.count(t, "codes where code = 200"))
	require.Equal(t, conflicts, p.count(t, "codes where code = 409"))
	require.Equal(t, 1, p.count(t, "users"))
}

func TestCompressedFiles(t *testing.T) {
	p := start(t)
	for i, c := range []struct {
		encoding string
		compress func(*testing.T, string) string
	}{{"gzip", visitor.Gzip}, {"x-gzip", visitor.Gzip}, {"zstd", visitor.Zstd}, {"ZSTD", visitor.Zstd}} {
		t.Run(c.encoding, func(t *testing.T) {
			file := c.compress(t, person(fmt.Sprintf("user%d", i), fmt.Sprintf(`"email":"u%d@example.com"`, i)))
			for _, cut := range []string{file[:len(file)/2], file[:len(file)-1], file + "rest", "no " + file, ""} {
				got := p.post(t, cut, "Content-Encoding", c.encoding)
				require.Equal(t, []any{400, broken}, []any{got.status, got.body}, "%d of %d bytes", len(cut), len(file))
			}
			require.Equal(t, i, p.count(t, "users"))
			require.Equal(t, 200, p.post(t, file, "Content-Encoding", c.encoding).status)
		})
	}
	got := p.post(t, "{}", "Content-Encoding", "br")
	require.Equal(t, 415, got.status)
}

// A body that inflates beyond --max-body is rejected without using memory.
func TestBomb(t *testing.T) {
	p := start(t, "--max-body", "8MiB")
	bomb := strings.NewReader(strings.Repeat(visitor.Gzip(t, strings.Repeat("\x00", 1<<20)), 512))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := p.do(t, http.MethodPost, "/useradd", bomb, "Content-Encoding", "gzip")
	runtime.ReadMemStats(&after)
	require.Equal(t, 413, got.status)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))

	for _, c := range []struct {
		encoding string
		file     string
	}{
		{"gzip", visitor.Gzip(t, strings.Repeat(" ", 1<<20))},
		{"zstd", visitor.Zstd(t, strings.Repeat(" ", 1<<20))},
	} {
		t.Run(c.encoding, func(t *testing.T) {
			got = p.post(t, c.file, "Content-Encoding", c.encoding, "Accept", "application/problem+json")
			require.Equal(t, 413, got.status)
			require.Contains(t, got.body, `"code":"too_compressed"`)
		})
	}
}

// An import without a key ends when its client disconnects. An import with a key continues, because its answer can be requested again.
func TestClientDisconnects(t *testing.T) {
	p := start(t)
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	waiting := func() bool { return p.isHeld(t, "users") }
	large := annaOnly() + strings.Repeat(" ", 1<<20)
	for i, c := range []struct {
		name, headers string
		file          string
		begun         bool // the client disconnects after the answer has begun
		registers     bool
	}{
		{name: "an import", file: large},
		{name: "with lines", headers: "Accept: " + mediaLines + "\r\n", file: large},
		{name: "with lines that have begun", headers: "Accept: " + mediaLines + "\r\n", file: large, begun: true},
		{name: "with a key", headers: "Idempotency-Key: k\r\n", file: large, registers: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err = conn.Exec(t.Context(), "begin; lock table users in share mode")
			require.NoError(t, err)
			client, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			require.NoError(t, err)
			_, err = fmt.Fprintf(client, "POST /useradd HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n%s", c.headers, len(c.file), c.file)
			require.NoError(t, err)
			require.Eventually(t, waiting, patience, 10*time.Millisecond)
			if c.begun {
				_, err = io.ReadFull(client, make([]byte, 1))
				require.NoError(t, err)
			}
			require.NoError(t, client.Close())
			if !c.registers {
				require.Eventually(t, func() bool { return !waiting() }, patience, 10*time.Millisecond, "the import has ended")
				require.Eventually(t, func() bool { return p.count(t, "codes where code = 400") == i+1 }, patience, 10*time.Millisecond)
			}
			_, err = conn.Exec(t.Context(), "commit")
			require.NoError(t, err)
			if c.registers {
				require.Eventually(t, func() bool { return p.count(t, "users") == 1 }, patience, 10*time.Millisecond)
			}
		})
	}
	require.Equal(t, 1, p.count(t, "users"), "registered by the import with the key")
	require.NotContains(t, p.logged(), "level=ERROR")
}

// The page of an import reports the number of rejected records that it does not list.
func TestManyInvalidRecords(t *testing.T) {
	p := start(t)
	got := p.post(t, "["+strings.Repeat("7,", 1999)+"7]", "Accept", mediaLines)
	require.Len(t, lines(t, got.body), 2001, "the answer has each record")
	require.Equal(t, 1000, p.count(t, "bad_users"))
	b := p.registered(t)
	require.Contains(t, b.Get(t, got.header.Get("Location")).Text("main"), "1,000 more records were rejected. They are counted, but not listed here.")
	require.Contains(t, b.Get(t, "/profile").Text("main"), "2,000")
}

func TestForm(t *testing.T) {
	p := start(t)
	send := func(write func(*multipart.Writer)) answer {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		write(form)
		return p.do(t, http.MethodPost, "/useradd", &body, "Content-Type", form.FormDataContentType())
	}
	got := send(func(form *multipart.Writer) {
		require.NoError(t, form.WriteField("comment", ""))
		part, err := form.CreateFormFile("file", "people.json")
		require.NoError(t, err)
		_, err = io.WriteString(part, annaOnly())
		require.NoError(t, err)
		require.NoError(t, form.Close())
	})
	require.Equal(t, 200, got.status, got.body)
	for _, c := range []struct {
		name  string
		write func(*multipart.Writer)
	}{
		{"no file", func(form *multipart.Writer) {
			require.NoError(t, form.WriteField("file", ""))
			require.NoError(t, form.Close())
		}},
		{"cut short", func(form *multipart.Writer) {
			part, err := form.CreateFormFile("file", "people.json")
			require.NoError(t, err)
			_, err = io.WriteString(part, person("boris", `"email":"b@example.com"`))
			require.NoError(t, err)
		}},
		{"a long header of a part", func(form *multipart.Writer) {
			part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + strings.Repeat("x", 200<<10) + `"`}})
			require.NoError(t, err)
			_, err = io.WriteString(part, person("boris", `"email":"b@example.com"`))
			require.NoError(t, err)
			require.NoError(t, form.Close())
		}},
		{"nothing", func(*multipart.Writer) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got = send(c.write)
			require.Equal(t, []any{400, broken}, []any{got.status, got.body})
		})
	}
	got = send(func(form *multipart.Writer) {
		part, err := form.CreateFormFile("file", "people.json")
		require.NoError(t, err)
		_, err = io.WriteString(part, person("boris", `"email":"b@example.com"`))
		require.NoError(t, err)
		require.NoError(t, form.WriteField("comment", strings.Repeat("x", 200<<10)))
		require.NoError(t, form.Close())
	})
	require.Equal(t, 400, got.status)
	require.Contains(t, got.body, "The form has an unknown field.")
	require.Equal(t, 1, p.count(t, "users"))
}

// A large import reports its progress while it runs, and the outcomes at the end.
func TestProgressOfLargeImport(t *testing.T) {
	p := start(t)
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "begin; lock table profiles in share mode") // the import can read, and cannot write
	require.NoError(t, err)

	const records = 3000
	var file strings.Builder
	for i := range records {
		fmt.Fprintf(&file, "%s%s", map[bool]string{true: "[", false: ","}[i == 0],
			person(fmt.Sprintf("user%d", i), fmt.Sprintf(`"email":"u%d@example.com","x":%q`, i, strings.Repeat("x", 400))))
	}
	file.WriteString("]")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/useradd", strings.NewReader(file.String()))
	require.NoError(t, err)
	request.Header.Set("Accept", mediaLines)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 200, response.StatusCode)
	r := bufio.NewReader(response.Body)
	first, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "running", lines(t, first)[0].Status)
	_, err = conn.Exec(t.Context(), "commit")
	require.NoError(t, err)
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	all := lines(t, string(rest))
	for all[0].Status == "running" {
		all = all[1:]
	}
	require.Len(t, all, records+1)
	require.Equal(t, "done", all[records].Status)
	require.Equal(t, records, all[records].Created)
}

// A large import that fails after its answer has begun reports the failure in its last line.
func TestFailureOfLargeImport(t *testing.T) {
	p := start(t, "--max-import-time", "2s")
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "begin; lock table users in share mode")
	require.NoError(t, err)
	got := p.post(t, annaOnly()+strings.Repeat(" ", 1<<20), "Accept", mediaLines)
	all := lines(t, got.body)
	last := all[len(all)-1]
	require.Equal(t, "running", all[0].Status)
	require.Equal(t, []any{"failed", 503, "too_slow"}, []any{last.Status, last.Code, last.Error})
	require.Equal(t, 1, p.count(t, fmt.Sprintf("codes where id = %d and code = 503", last.Import)))
}

func TestImportLimits(t *testing.T) {
	p := start(t, "--max-records", "2", "--max-imports", "1")
	recorded := func(got answer, status int, description string) {
		t.Helper()
		require.Equal(t, status, got.status)
		require.Equal(t, 1, p.count(t, fmt.Sprintf("codes where '/useradd/imports/' || id = '%s' and code = %d and description = '%s'",
			got.header.Get("Location"), status, strings.ReplaceAll(description, "'", "''"))))
	}
	recorded(p.post(t, annaOnly()), 413, domain.DescriptionBroken)
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "begin; lock table users in share mode")
	require.NoError(t, err)
	large := func(login string) string {
		return person(login, fmt.Sprintf(`"email":"%s@example.com"`, login)) + strings.Repeat(" ", 1<<20)
	}
	first := make(chan answer)
	go func() { first <- p.post(t, large("anna")) }()
	require.Eventually(t, func() bool { return p.isHeld(t, "users") }, patience, 10*time.Millisecond)
	got := p.post(t, large("boris"))
	recorded(got, 503, domain.DescriptionNoneCreated)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	_, err = conn.Exec(t.Context(), "commit")
	require.NoError(t, err)
	require.Equal(t, 200, (<-first).status)
}
