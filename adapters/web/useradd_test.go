package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	noneCreated = "Bad request! Users haven't been created."
	broken      = "Bad request! JSON file is empty or broken."
)

// recorded is an import as it is stored.
type recorded struct {
	status      int
	description string
}

func (s *site) recorded() (all []recorded) {
	for _, it := range s.store.Recorded() {
		all = append(all, recorded{it.Status, it.Description})
	}
	return all
}

func TestUseraddAnswers(t *testing.T) {
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
		{"an empty object in UTF-16", "\xff\xfe{\x00}\x00", 400, noneCreated, noneCreated},
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
			s := serve(t, func(use *settings) { use.web.MaxBody = 16 << 20 })
			got := s.post(t, c.body)
			require.Equal(t, c.status, got.status)
			if c.status == 400 {
				require.Equal(t, c.answer, got.body)
				require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
				require.Empty(t, s.store.Accounts())
			}
			require.Equal(t, []recorded{{c.status, c.description}}, s.recorded())
		})
	}
}

// A client that prefers the representation gets the names and groups of registered people.
func TestUseraddNamesPeople(t *testing.T) {
	s := serve(t)
	file := pupil(1, "eva", "7 «Б»", "Ким") + pupil(2, "eva", "7", "Ли")
	for prefer, applied := range map[string]string{
		"return=representation": "return=representation", `Return="representation"; x=y, wait=5`: "return=representation",
		"return=minimal, return=representation": "", "": "",
	} {
		got := s.post(t, file, "Accept", "application/x-ndjson", "Prefer", prefer, "Idempotency-Key", "one")
		require.Equal(t, 200, got.status)
		require.Equal(t, applied, got.header.Get("Preference-Applied"), prefer)
		person := ""
		if applied != "" {
			person = `,"last_name":"Ким","first_name":"Анна","patronymic":"Петровна","group":"7 «Б»"`
		}
		require.Contains(t, got.body, `{"object_id":1,"status":"created","login":"eva"`+person+`,"password":"password-`)
		require.Contains(t, got.body, `{"object_id":2,"line":2,"status":"rejected","login":"eva","violations":`)
	}
	got := s.post(t, pupil(3, "ada", "", "Ким")+pupil(4, "ada", "", "Ли"), "Accept", "application/x-ndjson", "Prefer", "handling=strict, return=representation")
	require.Equal(t, "handling=strict, return=representation", got.header.Get("Preference-Applied"))
	require.Contains(t, got.body, `{"object_id":1,"status":"skipped","login":"ada"}`)
}

func TestUseraddCutAtEveryByte(t *testing.T) {
	s := serve(t)
	whole := "[" + person(`a\u00e9`, `"phone":9000000001,"x":[1.5e3,{"y":null}]`) + "]"
	for length := range len(whole) {
		got := s.post(t, whole[:length])
		require.Equal(t, 400, got.status)
		require.Equal(t, broken, got.body, "cut at byte %d", length)
	}
	require.Empty(t, s.store.Accounts())
	require.Equal(t, 200, s.post(t, whole).status)
	require.Len(t, s.store.Recorded(), len(whole)+1)
}

// A rejectedImport is the RFC 9457 problem of an import that registered no one.
type rejectedImport struct {
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
	s := serve(t)
	for _, accept := range []string{"application/problem+json", "text/html, Application/Problem+JSON;q=0.5", "application/json,application/problem+json"} {
		got := s.post(t, `[{"login":"a\u0000b"},null]`, "Accept", accept)
		require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		var it rejectedImport
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
			{"patronymic", "required", "Patronymic is required: if people may have none, the administrator can set --patronymic optional."},
			{"login", "control", "Login has control characters, such as a line break: remove them."},
			{"email", "contact_required", "An email or a phone number is required."},
		}, it.Rejections[0].Violations)
		require.Nil(t, it.Rejections[1].Login)
		require.Equal(t, "not_object", it.Rejections[1].Violations[0].Code)
	}
	for _, accept := range []string{"*/*", "application/json", "application/problem+json;q=0", "application/problem", ""} {
		require.Equal(t, noneCreated, s.post(t, "{}", "Accept", accept).body, accept)
	}
	got := s.post(t, `[{},{"login":}]`, "Accept", "application/problem+json")
	var it rejectedImport
	require.NoError(t, json.Unmarshal([]byte(got.body), &it))
	require.Equal(t, "broken_file", it.Code)
	require.Equal(t, "The file cannot be read at byte 13, in record 2: expected a value.", it.Detail)

	got = s.do(t, http.MethodGet, "/nowhere", "", "Accept", "application/problem+json")
	require.NoError(t, json.Unmarshal([]byte(got.body), &it))
	require.Equal(t, 404, it.Status)
	require.Equal(t, "not_found", it.Code)
}

func TestUseraddAcceptsPOSTOnly(t *testing.T) {
	s := serve(t)
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		got := s.do(t, method, "/useradd", "")
		require.Equal(t, 405, got.status, method)
		require.Equal(t, "POST", got.header.Get("Allow"), method)
	}
	require.Empty(t, s.store.Recorded())
}

func TestUnknownContentEncoding(t *testing.T) {
	s := serve(t)
	require.Equal(t, 415, s.post(t, "\x1f\x8b", "Content-Encoding", "br").status)
	require.Equal(t, []recorded{{415, broken}}, s.recorded())
}
