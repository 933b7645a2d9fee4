package acceptance_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An account lives by JSON as the document describes it, and the audit has each change.
func TestLifeOfAnAccount(t *testing.T) {
	document := readAPI(t)
	p := start(t, "--useradd-access", "token")
	p.operator(t)
	importer, writer := p.token(t, "importer"), p.token(t, "writer", "--scope", "users:write,users:read")
	got := p.post(t, person("boris", `"phone":"9000000001","group":"7А"`), "Authorization", "Bearer "+importer)
	require.Equal(t, 200, got.status, got.body)

	etag := ""
	send := func(status int, method, path, body string, headers ...string) (fields map[string]any) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+writer)
		if body != "" {
			request.Header.Set("Content-Type", "application/merge-patch+json")
		}
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, status, response.StatusCode, string(text))
		response.Body = io.NopCloser(bytes.NewReader(text))
		if status != http.StatusNoContent {
			_, errs := document.validator.ValidateHttpResponse(request, response)
			for _, err := range errs {
				t.Errorf("%s %s: %v\n%s", method, path, err, text)
			}
			require.NoError(t, json.Unmarshal(text, &fields))
		}
		etag = response.Header.Get("ETag")
		return fields
	}
	account := send(200, http.MethodGet, "/users/2", "")
	require.Equal(t, "never_signed_in", account["status"])
	require.EqualValues(t, 1, account["import"])
	require.Equal(t, "7А", account["group"])
	first := etag
	listed := send(200, http.MethodGet, "/users?q=boris&group=7%D0%B0&import=1&status=never_signed_in&sort=-last_sign_in", "")["users"].([]any)
	require.Equal(t, []any{account}, listed)
	require.Equal(t, map[string]any{"count": 2.0, "more": false}, send(200, http.MethodGet, "/users/count?registered_from=2020-01-01", ""))
	require.Equal(t, "filter", send(400, http.MethodGet, "/users?status=asleep", "")["code"])
	require.Equal(t, "place", send(400, http.MethodGet, "/users?after=elsewhere", "")["code"])
	file := p.do(t, http.MethodGet, "/users/export/csv?import=1", nil, "Authorization", "Bearer "+writer)
	require.Equal(t, 200, file.status, file.body)
	require.Contains(t, file.body, `"boris","","'+79000000001","","7А","never_signed_in",`)
	require.Equal(t, "Ли", send(200, http.MethodPatch, "/users/2", `{"last_name":"Ли","email":"b@example.com"}`, "If-Match", first)["last_name"])
	require.Equal(t, "precondition_failed", send(412, http.MethodPatch, "/users/2", `{"last_name":"Ким"}`, "If-Match", first)["code"])
	require.Equal(t, "refused", send(422, http.MethodPatch, "/users/2", `{"last_name":"7"}`)["code"])
	require.Equal(t, "patch", send(400, http.MethodPatch, "/users/2", `{"id":7}`)["code"])

	made := send(200, http.MethodPost, "/users/2/password", "")
	b := p.browser(t)
	require.Equal(t, "/account/password", b.SignIn(t, "b@example.com", made["password"].(string)).Location())
	require.Equal(t, 303, b.Submit(t, "/account/password", map[string]string{"old": made["password"].(string), "psw": goodPassword}).Status)
	account = send(200, http.MethodGet, "/users/2", "")
	require.Equal(t, "active", account["status"])
	require.NotNil(t, account["last_sign_in"])

	require.Equal(t, "suspended", send(200, http.MethodPost, "/users/2/suspend", "")["status"])
	require.False(t, b.IsSignedIn(t))
	require.Equal(t, 403, b.SignIn(t, "boris", goodPassword).Status)
	require.Equal(t, "active", send(200, http.MethodPost, "/users/2/restore", "")["status"])
	require.Equal(t, 303, b.SignIn(t, "boris", goodPassword).Status)
	send(200, http.MethodPost, "/users/2/end-sessions", "")
	require.False(t, b.IsSignedIn(t))
	require.Equal(t, 303, b.SignIn(t, "boris", goodPassword).Status)
	send(200, http.MethodPost, "/users/2/require-change", "")
	require.False(t, b.IsSignedIn(t))
	require.Equal(t, "/account/password", b.SignIn(t, "boris", goodPassword).Location())

	require.Equal(t, "last_operator", send(409, http.MethodDelete, "/users/1", "")["code"])
	require.Equal(t, "last_operator", send(409, http.MethodPost, "/users/1/suspend", "")["code"])
	send(204, http.MethodDelete, "/users/2", "")
	require.Equal(t, "not_found", send(404, http.MethodGet, "/users/2", "")["code"])

	var actions []string
	for _, entry := range p.audited(t, "--action", "account") {
		require.Equal(t, "token writer", entry.Actor)
		require.EqualValues(t, 2, entry.User)
		actions = append(actions, strings.TrimPrefix(entry.Action, "account.")+entry.After)
	}
	require.Equal(t, []string{
		`edited{"fields":["last_name","email"]}`, "password_replaced", "suspended", "restored", "sessions_ended", "change_required", "deleted",
	}, actions)
}
