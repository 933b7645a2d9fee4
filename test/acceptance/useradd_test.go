package acceptance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

const (
	noneCreated = "Bad request! Users haven't been created."
	broken      = "Bad request! JSON file is empty or broken."
)

type code struct {
	Code        int
	Method      string
	Description string
}

func (p *program) codes(t *testing.T) []code {
	t.Helper()
	return pgtest.Query[code](t, p.database, `select code, method, description from codes order by id`)
}

type badUser struct {
	Object      int
	Login       *string
	Description string
}

func (p *program) badUsers(t *testing.T) []badUser {
	t.Helper()
	return pgtest.Query[badUser](t, p.database, `select object_id::int, login, description from bad_users order by code_id, object_id`)
}

func (p *program) count(t *testing.T, table string) int {
	t.Helper()
	return pgtest.Query[struct{ N int }](t, p.database, `select count(*)::int from `+table)[0].N
}

func person(login, contacts string) string {
	return fmt.Sprintf(`{"first_name":"Анна","last_name":"Ким","patronymic":"Петровна","login":"%s",%s}`, login, contacts)
}

func TestUseraddFillsTheFourTables(t *testing.T) {
	p := start(t)
	got := p.post(t, `[
		{"first_name":" Иван ","last_name":"Петров","patronymic":"Ильич","login":"Ivan","email":"Ivan@example.com","phone":"8 (912) 345-67-89","birthday":"01/02/1990"},
		`+person("IVAN", `"phone":9123456789`)+`,
		`+person(`a\"b<c>`, `"email":"ab@example.com"`)+`, 7]`)
	require.Equal(t, 200, got.status)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	var credentials []struct{ Login, Password string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &credentials))
	require.Len(t, credentials, 2)
	require.Equal(t, "Ivan", credentials[0].Login)
	require.Equal(t, `a"b<c>`, credentials[1].Login)
	require.GreaterOrEqual(t, len(credentials[0].Password), 24)
	require.NotEqual(t, credentials[0].Password, credentials[1].Password)

	require.Equal(t, []code{{200, "POST", "Not all users have been created (created by 2 of 4 users)"}}, p.codes(t))
	login := "IVAN"
	require.Equal(t, []badUser{
		{2, &login, "Login belongs to another user. Phone belongs to another user."},
		{4, nil, "This is not a JSON object."},
	}, p.badUsers(t))
	type user struct {
		Login, Email string
		Phone        *string
		First, Patr  string
		Birthday     *time.Time
	}
	phone, birthday := "79123456789", time.Date(1990, 2, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []user{
		{"Ivan", "Ivan@example.com", &phone, "Иван", "Ильич", &birthday},
		{`a"b<c>`, "ab@example.com", nil, "Анна", "Петровна", nil},
	}, pgtest.Query[user](t, p.database, `select login, email, phone, fname, patr, birthday from users join profiles on user_id = users.id order by users.id`))
	for _, credential := range credentials {
		require.NotContains(t, p.logged(), credential.Password)
	}
	require.NotContains(t, p.logged(), "van@example")
}

func TestUseraddAnswers(t *testing.T) {
	p := start(t)
	deep := strings.Repeat(`{"x":`, 5_000) + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + strings.Repeat("}", 5_000)
	for _, c := range []struct {
		name        string
		body        string
		status      int
		answer      string
		description string
	}{
		{"empty", "", 400, broken, broken},
		{"blank", " \n", 400, broken, broken},
		{"an empty array", "[]", 400, broken, broken},
		{"null", "null", 400, broken, broken},
		{"a number", "7", 400, broken, broken},
		{"no JSON", "login=ivan", 400, broken, broken},
		{"UTF-16", "\xff\xfe{\x00}\x00", 400, broken, broken},
		{"trailing garbage", person("a", `"phone":"9000000001"`) + "x", 400, broken, broken},
		{"cut short", "[" + person("a", `"phone":"9000000001"`), 400, broken, broken},
		{"an empty object", "{}", 400, noneCreated, noneCreated},
		{"a list in a list", "[[]]", 400, noneCreated, noneCreated},
		{"nulls", "[null,null]", 400, noneCreated, noneCreated},
		{"deep nesting", deep, 400, noneCreated, noneCreated},
		{"one object", person("a", `"phone":"9000000001"`), 200, "", "All users have been created (1 of 1 users)"},
		{"a byte order mark", "\xef\xbb\xbf" + person("a", `"phone":"9000000001"`), 200, "", "All users have been created (1 of 1 users)"},
		{"unknown keys", person("a", `"phone":"9000000001","Login":7,"x":{"login":[]}`), 200, "", "All users have been created (1 of 1 users)"},
		{"a key twice", person("a", `"phone":"9000000001","login":"b"`), 400, noneCreated, noneCreated},
		{"malformed UTF-8", person("a\xff", `"phone":"9000000001"`), 400, noneCreated, noneCreated},
		{"NUL", person(`a\u0000`, `"phone":"9000000001"`), 400, noneCreated, noneCreated},
		{"a number beyond int64", person("a", `"phone":99999999999999999999999999999`), 400, noneCreated, noneCreated},
		{"a string of 8 MiB", person(strings.Repeat("a", 8<<20), `"phone":"9000000001"`), 400, noneCreated, noneCreated},
	} {
		t.Run(c.name, func(t *testing.T) {
			pgtest.Query[struct{}](t, p.database, "truncate users, codes cascade")
			got := p.post(t, c.body)
			require.Equal(t, c.status, got.status)
			if c.status == 400 {
				require.Equal(t, c.answer, got.body)
				require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
				require.Zero(t, p.count(t, "users"))
			}
			require.Equal(t, []code{{c.status, "POST", c.description}}, p.codes(t))
		})
	}
}

func TestUseraddCutAtEveryByte(t *testing.T) {
	p := start(t)
	whole := "[" + person(`a\u00e9`, `"phone":9000000001,"x":[1.5e3,{"y":null}]`) + "]"
	for length := range len(whole) {
		got := p.post(t, whole[:length])
		require.Equal(t, 400, got.status)
		require.Equal(t, broken, got.body, "cut at byte %d", length)
	}
	require.Zero(t, p.count(t, "users"))
	require.Zero(t, p.count(t, "bad_users"))
	require.Equal(t, 200, p.post(t, whole).status)
	require.Equal(t, len(whole)+1, p.count(t, "codes"))
}

type problem struct {
	Title, Detail, Code string
	RequestID           string `json:"request_id"`
	Status              int
	Rejections          []struct {
		Object     int `json:"object_id"`
		Login      *string
		Violations []struct{ Field, Code, Message string }
	}
}

func TestUseraddProblems(t *testing.T) {
	p := start(t)
	for _, accept := range []string{"application/problem+json", "text/html, Application/Problem+JSON;q=0.5", "application/json,application/problem+json"} {
		got := p.post(t, `[{"login":"a\u0000b"},null]`, "Accept", accept)
		require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		var it problem
		require.NoError(t, json.Unmarshal([]byte(got.body), &it))
		require.Equal(t, "none_created", it.Code)
		require.Equal(t, noneCreated, it.Detail)
		require.Equal(t, "Bad Request", it.Title)
		require.Equal(t, got.status, it.Status)
		require.Equal(t, got.header.Get("X-Request-Id"), it.RequestID)
		require.Len(t, it.Rejections, 2)
		require.Equal(t, 1, it.Rejections[0].Object)
		require.Equal(t, "a\ufffdb", *it.Rejections[0].Login)
		require.Equal(t, []struct{ Field, Code, Message string }{
			{"first_name", "required", "First name is required."},
			{"last_name", "required", "Last name is required."},
			{"patronymic", "required", "Patronymic is required."},
			{"login", "control", "Login has control characters."},
			{"email", "contact_required", "An email or a phone number is required."},
		}, it.Rejections[0].Violations)
		require.Nil(t, it.Rejections[1].Login)
		require.Equal(t, "not_object", it.Rejections[1].Violations[0].Code)
	}
	for _, accept := range []string{"*/*", "application/json", "application/problem+json;q=0", "application/problem", ""} {
		require.Equal(t, noneCreated, p.post(t, "{}", "Accept", accept).body, accept)
	}
	got := p.post(t, `[{},{"login":}]`, "Accept", "application/problem+json")
	var it problem
	require.NoError(t, json.Unmarshal([]byte(got.body), &it))
	require.Equal(t, "broken_file", it.Code)
	require.Equal(t, "Bad request! JSON file is empty or broken at byte 13, in record 2: expected a value.", it.Detail)

	got = p.do(t, http.MethodGet, "/nowhere", nil, "Accept", "application/problem+json")
	require.NoError(t, json.Unmarshal([]byte(got.body), &it))
	require.Equal(t, 404, it.Status)
	require.Equal(t, "not_found", it.Code)
}

func TestUseraddAcceptsPOSTOnly(t *testing.T) {
	p := start(t)
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		got := p.do(t, method, "/useradd", nil)
		require.Equal(t, 405, got.status, method)
		require.Equal(t, "POST", got.header.Get("Allow"), method)
	}
	require.Zero(t, p.count(t, "codes"))
}

func TestLargeAnswersAreWhole(t *testing.T) {
	p := start(t)
	const records = 12_000 // whose answers are longer than a part of a stored answer
	var file bytes.Buffer
	for i := range records {
		fmt.Fprintf(&file, "%c%s", "[,"[min(i, 1)], person(fmt.Sprintf("user%045d", i), fmt.Sprintf(`"phone":"9%09d"`, i)))
	}
	file.WriteByte(']')
	got := p.post(t, file.String())
	var credentials []struct{ Login, Password string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &credentials))
	require.Len(t, credentials, records)
	require.Equal(t, fmt.Sprintf("user%045d", records-1), credentials[records-1].Login)

	got = p.post(t, file.String(), "Accept", "application/problem+json")
	var it problem
	require.NoError(t, json.Unmarshal([]byte(got.body), &it))
	require.Len(t, it.Rejections, records)
	require.Equal(t, records, p.count(t, "users"))
	require.Equal(t, records, p.count(t, "profiles"))
	require.Equal(t, records, p.count(t, "bad_users"))
}

func TestBodyBeyondTheLimit(t *testing.T) {
	p := start(t, "--max-body", "1MiB")
	body := strings.Repeat(" ", 1<<20-2) + "{}"
	require.Equal(t, 400, p.post(t, body).status, "a body of the maximum size")
	require.Equal(t, 413, p.post(t, " "+body).status)
	require.Equal(t, 413, p.do(t, "POST", "/useradd", io.MultiReader(strings.NewReader(" "+body))).status, "a body of unknown length")
	require.Equal(t, 413, p.post(t, strings.Repeat(" ", 20<<20)).status)
	require.Equal(t, []code{
		{400, "POST", noneCreated}, {413, "POST", broken}, {413, "POST", broken}, {413, "POST", broken},
	}, p.codes(t))
	require.Equal(t, 200, p.post(t, person("a", `"phone":"9000000001"`)).status, "the server continues")
}

func TestUnknownContentEncoding(t *testing.T) {
	p := start(t)
	require.Equal(t, 415, p.post(t, "\x1f\x8b", "Content-Encoding", "br").status)
	require.Equal(t, []code{{415, "POST", broken}}, p.codes(t))
}

// A client that closes its side of the connection in the middle of the body gets an error, and no one is registered.
func TestCutConnection(t *testing.T) {
	p := start(t)
	whole := person("a", `"phone":"9000000001"`)
	for _, c := range []struct {
		name string
		head string
	}{
		{"known length", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(whole)+10, whole)},
		{"chunks", fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(whole), whole)},
		{"the beginning of a chunk", "Transfer-Encoding: chunked\r\n\r\nff\r\n" + whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			require.NoError(t, err)
			_, err = io.WriteString(conn, "POST /useradd HTTP/1.1\r\nHost: localhost\r\n"+c.head)
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.Contains(t, string(answer), "HTTP/1.1 400 ")
			require.Contains(t, string(answer), broken)
			conn.Close()
		})
	}
	require.Zero(t, p.count(t, "users"))
	require.Equal(t, []code{{400, "POST", broken}, {400, "POST", broken}, {400, "POST", broken}}, p.codes(t))
}
