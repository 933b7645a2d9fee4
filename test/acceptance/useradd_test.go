package acceptance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
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

// isHeld reports whether an import waits for a lock of a table. Other locks, such as those of a sweep, do not count.
func (p *program) isHeld(t *testing.T, table string) bool {
	t.Helper()
	const waiting = "pg_locks join pg_database d on d.oid = database where datname = current_database() and not granted and relation = '%s'::regclass"
	return p.count(t, fmt.Sprintf(waiting, table)) > 0
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
	var problem struct{ Rejections []struct{} }
	require.NoError(t, json.Unmarshal([]byte(got.body), &problem))
	require.Len(t, problem.Rejections, records)
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
