package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/test/visitor"
)

// imported imports Boris, and returns the address of his account and his temporary password.
func (s *site) imported(t *testing.T) (address, password string) {
	t.Helper()
	got := s.post(t, person("boris", `"email":"boris@example.com","birthday":"28/02/1990","group":"7А"`))
	require.Equal(t, http.StatusOK, got.status, got.body)
	var made []struct{ Password string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &made))
	return "/users/2", made[0].Password
}

// token creates a token with scopes, and returns the value of its header.
func (s *site) token(t *testing.T, scopes ...domain.Scope) string {
	t.Helper()
	secret, _, err := s.tokens.CreateToken(t.Context(), "crm", 0, scopes...)
	require.NoError(t, err)
	return "Bearer " + secret
}

// user returns the JSON of an answer.
func user(t *testing.T, got answer) (fields map[string]any) {
	t.Helper()
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.NoError(t, json.Unmarshal([]byte(got.body), &fields))
	return fields
}

func TestPageOfAPerson(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	address, password := s.imported(t)
	page := operator.Get(t, address)
	require.Equal(t, "Ким Анна Петровна", page.Text("h1"))
	require.Equal(t, "Never signed in", page.Text(".lead strong"))
	for _, text := range []string{"Loginboris", "Emailboris@example.com", "Birthday 28 February 1990", "Group7А", "Phonenot given", "Import No. 1"} {
		require.Contains(t, strings.ReplaceAll(page.Text(".data"), " ", ""), strings.ReplaceAll(text, " ", ""))
	}
	require.Equal(t, "/useradd/imports/1", page.Find(".data a").AttrOr("href", ""))
	require.Contains(t, page.Text(".sign-ins"), "None recorded.")
	require.Equal(t, "Входов ещё не было", operator.Get(t, address+"?lang=ru").Text(".lead strong"))

	boris := s.browser(t, "User-Agent", "Firefox <b>")
	require.Equal(t, http.StatusSeeOther, boris.SignIn(t, "boris", password).Status)
	page = operator.Get(t, address+"?lang=en")
	require.Equal(t, "Temporary password", page.Text(".lead strong"))
	require.Contains(t, page.Text(".sign-ins li"), "127.0.0.1 · Firefox <b>")
	require.Contains(t, operator.Get(t, "/users/1").Text(".data"), "the person, with a browser")

	require.Equal(t, http.StatusSeeOther, boris.Submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword}).Status)
	require.Equal(t, "Active", operator.Get(t, address).Text(".lead strong"))
	require.Equal(t, "This page is for operators", boris.Get(t, address).Text("h1"))
	require.Equal(t, "/login?next=%2Fusers%2F2", s.browser(t).Get(t, address).Location())
	for _, missing := range []string{"/users/3", "/users/0", "/users/x", "/users/3/edit", "/users/3/delete", "/users/99999999999999999999"} {
		require.Equal(t, http.StatusNotFound, operator.Get(t, missing).Status, missing)
	}
}

func TestSessionsOfAPerson(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	address, password := s.imported(t)
	page := operator.Get(t, address)
	require.Contains(t, page.Text("[aria-labelledby=sessions]"), "None.")
	require.Empty(t, page.Find("form[action$=end-sessions]").Nodes)

	boris, phone := s.browser(t, "User-Agent", "Firefox <b>"), s.browser(t, "User-Agent",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36")
	require.Equal(t, http.StatusSeeOther, boris.SignIn(t, "boris", password).Status)
	require.Equal(t, http.StatusSeeOther, boris.Submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword}).Status)
	require.Equal(t, http.StatusSeeOther, phone.SignIn(t, "boris", goodPassword).Status)
	sessions := operator.Get(t, address).Find("[aria-labelledby=sessions] li")
	require.Equal(t, 2, sessions.Length(), "the session that began with the temporary password is over")
	require.Contains(t, sessions.First().Text(), "127.0.0.1 · Chrome 131, Android")
	require.Contains(t, sessions.First().Find("[title]").AttrOr("title", ""), "AppleWebKit/537.36")
	require.Contains(t, sessions.Last().Text(), "127.0.0.1 · Firefox <b>")
	phone.SignOut(t)
	page = operator.Get(t, address)
	require.Equal(t, 1, page.Find("[aria-labelledby=sessions] li").Length())

	require.Equal(t, address, operator.Send(t, address+"/end-sessions", page, nil).Location())
	page = operator.Get(t, address)
	require.Contains(t, page.Text("[role=status]"), "All sessions of the account have ended.")
	require.Empty(t, page.Find("[aria-labelledby=sessions] li").Nodes)
	require.False(t, boris.IsSignedIn(t))
	require.Equal(t, http.StatusSeeOther, boris.SignIn(t, "boris", goodPassword).Status, "the password stays")

	token := s.token(t, domain.ScopeUsersWrite)
	require.Equal(t, http.StatusOK, s.do(t, http.MethodPost, address+"/end-sessions", "", "Authorization", token).status)
	require.False(t, boris.IsSignedIn(t))
	require.Contains(t, s.log.String(), "event=account outcome=sessions_ended account=2 by=token:1")
}

// The page of a person has the latest changes of the account, without sign-ins, and leads to all entries.
func TestHistoryOfAPerson(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	s.imported(t)
	require.Contains(t, operator.Get(t, "/users/2").Text("[aria-labelledby=history]"), "No change is recorded.")
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionAccountEdited, User: 2, After: map[string]any{"fields": []string{"phone"}}})
	s.record(t, domain.UserActor(2), domain.AuditEntry{Action: domain.ActionSignedIn, User: 2})
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionSuspended, User: 1})
	page := operator.Get(t, "/users/2")
	entry := page.Find("[aria-labelledby=history] tbody tr")
	require.Equal(t, 1, entry.Length())
	require.Contains(t, entry.Text(), "Edited an account")
	require.Contains(t, entry.Text(), "Phone")
	link := page.Find("[aria-labelledby=history] .more a").AttrOr("href", "")
	require.Equal(t, "/audit?person=boris", link)
	require.Equal(t, 2, operator.Get(t, link).Find(".audit tbody tr").Length())
	for range 25 {
		s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionRestored, User: 2})
	}
	require.Equal(t, 20, operator.Get(t, "/users/2").Find("[aria-labelledby=history] tbody tr").Length())
}

// A registration signs the person in, and so does one that comes again.
func TestRegistrationCountsAsASignIn(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	token := s.token(t, domain.ScopeUsersRead)
	require.NotNil(t, user(t, s.do(t, http.MethodGet, "/users/1", "", "Authorization", token))["last_sign_in"])
	require.Equal(t, 1, operator.Get(t, "/users/1").Find("[aria-labelledby=sign-ins] li").Length())
	require.Equal(t, http.StatusSeeOther, s.browser(t).Submit(t, "/register", anna()).Status)
	require.Equal(t, 2, operator.Get(t, "/users/1").Find("[aria-labelledby=sign-ins] li").Length())
}

func TestPersonAsJSON(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	address, password := s.imported(t)
	token := s.token(t, domain.ScopeUsersRead)
	got := s.do(t, http.MethodGet, address, "", "Authorization", token)
	fields := user(t, got)
	require.NotEmpty(t, fields["registered"])
	delete(fields, "registered")
	require.Equal(t, map[string]any{
		"id": 2.0, "login": "boris", "last_name": "Ким", "first_name": "Анна", "patronymic": "Петровна", "email": "boris@example.com",
		"phone": nil, "birthday": "1990-02-28", "group": "7А", "status": "never_signed_in", "last_sign_in": nil, "import": 1.0,
	}, fields)
	etag := got.header.Get("ETag")
	require.Regexp(t, `^"[\w-]{22}"$`, etag)
	require.Equal(t, got.body, operator.Get(t, address, "Accept", "application/json").Text("body"), "for an operator's session, too")
	require.Equal(t, etag, s.do(t, http.MethodGet, address, "", "Authorization", token).header.Get("ETag"))
	require.Equal(t, http.StatusSeeOther, s.browser(t).SignIn(t, "boris", password).Status)
	got = s.do(t, http.MethodGet, address, "", "Authorization", token)
	require.NotEqual(t, etag, got.header.Get("ETag"))
	require.NotEmpty(t, user(t, got)["last_sign_in"])
	self := user(t, s.do(t, http.MethodGet, "/users/1", "", "Authorization", token))
	require.Equal(t, "+79123456789", self["phone"])
	require.Nil(t, self["import"])

	for _, c := range []struct {
		name, method, path, token string
		status                    int
		code                      string
	}{
		{"NoToken", http.MethodGet, address, "", 401, "unauthorized"},
		{"UnknownToken", http.MethodGet, address, "Bearer x", 401, "token_invalid"},
		{"AnotherScope", http.MethodPatch, address, token, 403, "token_scope"},
		{"AnotherScopeOfDelete", http.MethodDelete, address, token, 403, "token_scope"},
		{"AnotherScopeOfPassword", http.MethodPost, address + "/password", token, 403, "token_scope"},
		{"PageOfOperators", http.MethodPost, address + "/delete", token, 401, "unauthorized"},
		{"NoAccount", http.MethodGet, "/users/7", token, 404, "not_found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.do(t, c.method, c.path, "", "Authorization", c.token)
			require.Equal(t, c.status, got.status)
			require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
			require.Contains(t, got.body, `"code":"`+c.code+`"`)
		})
	}
	require.Contains(t, s.log.String(), "event=token outcome=used")
}

func TestPersonIsPatched(t *testing.T) {
	s := serve(t)
	s.operator(t)
	address, _ := s.imported(t)
	token := s.token(t, domain.ScopeUsersRead, domain.ScopeUsersWrite)
	patch := func(body string, headers ...string) answer {
		t.Helper()
		return s.do(t, http.MethodPatch, address, body, append([]string{"Authorization", token, "Content-Type", "application/merge-patch+json"}, headers...)...)
	}
	got := s.do(t, http.MethodGet, address, "", "Authorization", token)
	before, etag := got.body, got.header.Get("ETag")
	got = patch(`{"last_name":"Ли","email":null,"phone":"8 (900) 000-00-01","birthday":"01.03.1991","group":null}`, "If-Match", etag)
	fields := user(t, got)
	for name, want := range map[string]any{
		"last_name": "Ли", "first_name": "Анна", "login": "boris", "email": nil, "phone": "+79000000001", "birthday": "1991-03-01", "group": nil,
	} {
		require.Equal(t, want, fields[name], name)
	}
	require.NotEqual(t, etag, got.header.Get("ETag"))
	require.Equal(t, got.body, s.do(t, http.MethodGet, address, "", "Authorization", token).body)
	now := got.header.Get("ETag")

	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
		part       string
	}{
		{"OldETag", `{"last_name":"Ким"}`, []string{"If-Match", etag}, 412, `"code":"precondition_failed"`},
		{"WeakETag", `{"last_name":"Ким"}`, []string{"If-Match", "W/" + now}, 412, `"code":"precondition_failed"`},
		{"Violations", `{"last_name":"","login":"two words","phone":7}`, nil, 422, `{"field":"last_name","code":"empty"`},
		{"Required", `{"patronymic":null}`, nil, 422, `{"field":"patronymic","code":"required"`},
		{"NoContact", `{"phone":null}`, nil, 422, `{"field":"email","code":"contact_required"`},
		{"Taken", `{"login":"ANNA","email":"Anna@example.com"}`, nil, 422, `{"field":"email","code":"taken"`},
		{"Type", `{"login":["x"]}`, nil, 422, `{"field":"login","code":"type"`},
		{"ReadOnly", `{"status":"active"}`, nil, 400, `{"field":"status","code":"read_only"`},
		{"UnknownField", `{"lastname":"Ким"}`, nil, 400, `{"field":"lastname","code":"read_only"`},
		{"RepeatedUnknownField", `{"lastname":"Ким","lastname":"Ли"}`, nil, 400, `{"field":"lastname","code":"read_only"`},
		{"RepeatedField", `{"last_name":"Ким","last_name":"Ли"}`, nil, 422, `{"field":"last_name","code":"repeated"`},
		{"AfterTheObject", `{"last_name":"Ким"}{}`, nil, 400, `"code":"patch"`},
		{"AcceptOfABrowser", `{"status":"active"}`, []string{"Accept", "text/html"}, 400, `{"field":"status","code":"read_only"`},
		{"NoObject", `["last_name"]`, nil, 400, `"code":"patch"`},
		{"Null", `null`, nil, 400, `"code":"patch"`},
		{"Broken", `{"last_name":`, nil, 400, `"code":"patch"`},
		{"NoBody", ``, nil, 400, `"code":"patch"`},
		{"MediaType", `last_name=x`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, `"code":"patch_type"`},
		{"TooLarge", `{"last_name":"` + strings.Repeat("x", 70<<10) + `"}`, nil, 413, `"code":"too_large"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := patch(c.body, c.headers...)
			require.Equal(t, c.status, got.status, got.body)
			require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
			require.Contains(t, got.body, c.part)
			require.Equal(t, now, s.do(t, http.MethodGet, address, "", "Authorization", token).header.Get("ETag"), "nothing has changed")
		})
	}
	require.Equal(t, "application/merge-patch+json, application/json", patch("x", "Content-Type", "text/plain").header.Get("Accept-Patch"))
	for _, headers := range [][]string{nil, {"If-Match", "*"}, {"If-Match", `"other", ` + now}} {
		require.Equal(t, now, patch(`{}`, headers...).header.Get("ETag"))
	}
	require.Equal(t, now, patch(s.do(t, http.MethodGet, address, "", "Authorization", token).body).header.Get("ETag"), "a program may send back all that it read")
	require.Equal(t, http.StatusBadRequest, patch(before[:len(before)-1]+`,"id":3}`).status)
	require.Contains(t, s.log.String(), "event=account outcome=edited account=2 by=token:1")
	require.NotContains(t, s.log.String(), "boris")
}

// opened returns a page with the form of another page, and the fields that the form shows.
func opened(t *testing.T, b *visitor.Browser, address string) (page *visitor.Page, fields map[string]string) {
	t.Helper()
	page, fields = b.Get(t, address), map[string]string{}
	require.Equal(t, http.StatusOK, page.Status)
	for _, name := range []string{"lname", "fname", "patr", "birthday", "email", "phone", "login", "group"} {
		fields[name] = page.Find("input[name="+name+"]").AttrOr("value", "")
	}
	return page, fields
}

func TestPersonIsEdited(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	address, _ := s.imported(t)
	page, fields := opened(t, operator, address+"/edit")
	require.Equal(t, map[string]string{
		"lname": "Ким", "fname": "Анна", "patr": "Петровна", "birthday": "1990-02-28", "email": "boris@example.com", "phone": "", "login": "boris", "group": "7А",
	}, fields)

	fields["lname"], fields["login"] = "Ли", "anna"
	rejected := operator.Send(t, address+"/edit", page, fields)
	require.Equal(t, http.StatusUnprocessableEntity, rejected.Status)
	require.Contains(t, rejected.Text(".field.invalid"), "Login")
	require.Equal(t, "Ли", rejected.Find("input[name=lname]").AttrOr("value", ""), "nothing typed is lost")

	fields["login"] = "boris2"
	for range 2 { // a form that is sent twice does what it does once
		saved := operator.Send(t, address+"/edit", rejected, fields)
		require.Equal(t, address, saved.Location(), saved.Text("main"))
	}
	page = operator.Get(t, address)
	require.Equal(t, "Ли Анна Петровна", page.Text("h1"))
	require.Contains(t, page.Text("[role=status]"), "The account has been saved.")
}

// The second of two operators who edit a person learns what the first one changed.
func TestTwoOperatorsEditAPerson(t *testing.T) {
	s := serve(t)
	first := s.operator(t)
	second := first.Clone(t)
	address, _ := s.imported(t)
	page, fields := opened(t, second, address+"/edit")
	firstPage, firstFields := opened(t, first, address+"/edit")
	firstFields["lname"], firstFields["group"] = "Ли", ""
	require.Equal(t, address, first.Send(t, address+"/edit", firstPage, firstFields).Location())

	fields["fname"] = "Инна"
	conflict := second.Send(t, address+"/edit", page, fields)
	require.Equal(t, http.StatusConflict, conflict.Status)
	require.Contains(t, conflict.Text("[role=alert]"), "Someone else has changed the account")
	require.Equal(t, "Last name: it was Ким, now it is Ли. Group: it was 7А, now it is not given.", conflict.Text(".changes"))
	require.Equal(t, "Инна", conflict.Find("input[name=fname]").AttrOr("value", ""))
	require.Equal(t, "Ли Анна Петровна", second.Get(t, address).Text("h1"))

	require.Equal(t, address, second.Send(t, address+"/edit", conflict, fields).Location(), "who has read it may replace it")
	require.Equal(t, "Ким Инна Петровна", second.Get(t, address).Text("h1"))
}

func TestNewTemporaryPassword(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	address, old := s.imported(t)
	boris := s.browser(t)
	require.Equal(t, http.StatusSeeOther, boris.SignIn(t, "boris", old).Status)
	require.Equal(t, http.StatusSeeOther, boris.Submit(t, "/account/password", map[string]string{"old": old, "psw": goodPassword}).Status)
	require.True(t, boris.IsSignedIn(t))

	page := operator.Get(t, address+"/password")
	require.Contains(t, page.Text("main"), "shown once")
	shown := operator.Send(t, address+"/password", page, nil)
	password := shown.Text(".urgent code")
	require.NotEmpty(t, password)
	require.Equal(t, password, operator.Send(t, address+"/password", page, nil).Text(".urgent code"), "a form that is sent twice does what it does once")
	slip := operator.Send(t, address+"/password", shown, map[string]string{"slip": "1"})
	require.Contains(t, slip.Text("section"), "Ким Анна Петровна")
	require.Contains(t, slip.Text("section"), password)
	require.NotContains(t, operator.Get(t, address).HTML, password)
	require.Equal(t, "Temporary password", operator.Get(t, address).Text(".lead strong"))

	require.False(t, boris.IsSignedIn(t), "sessions end")
	require.Equal(t, http.StatusUnauthorized, s.browser(t).SignIn(t, "boris", goodPassword).Status)
	again := s.browser(t)
	require.Equal(t, "/account/password", again.SignIn(t, "boris", password).Location())
	require.Equal(t, http.StatusSeeOther, again.Submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword}).Status)
	late := operator.Send(t, address+"/password", page, nil)
	require.Equal(t, address+"/password", late.Location(), "an old form does not replace a newer password")
	require.True(t, again.IsSignedIn(t))

	got := s.do(t, http.MethodPost, address+"/password", "", "Authorization", s.token(t, domain.ScopeUsersWrite))
	made := user(t, got)
	require.Equal(t, "boris", made["login"])
	require.Equal(t, "/account/password", s.browser(t).SignIn(t, "boris", made["password"].(string)).Location())
	require.NotContains(t, s.log.String(), password)
}

func TestSuspension(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	address, password := s.imported(t)
	boris := s.browser(t)
	require.Equal(t, http.StatusSeeOther, boris.SignIn(t, "boris", password).Status)
	require.Equal(t, http.StatusSeeOther, boris.Submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword}).Status)
	for range 2 {
		require.Equal(t, address, operator.Submit(t, address+"/suspend", nil).Location())
	}
	page := operator.Get(t, address)
	require.Equal(t, "Suspended", page.Text(".lead strong"))
	require.False(t, boris.IsSignedIn(t))
	refused := boris.SignIn(t, "boris", goodPassword)
	require.Equal(t, http.StatusForbidden, refused.Status)
	require.Contains(t, refused.Text("[role=alert]"), "This account is suspended")
	require.Equal(t, http.StatusUnauthorized, boris.SignIn(t, "boris", "wrong").Status, "who does not know the password learns nothing")
	require.Equal(t, http.StatusBadRequest, s.post(t, person("boris", `"phone":"9000000009"`)).status, "the login is still taken")

	require.Equal(t, address, operator.Send(t, address+"/restore", page, nil).Location())
	require.False(t, boris.IsSignedIn(t), "no session comes back")
	require.Equal(t, http.StatusSeeOther, boris.SignIn(t, "boris", goodPassword).Status)

	for _, action := range []string{"suspend", "delete"} {
		last := operator.Submit(t, "/users/1/"+action, nil)
		require.Equal(t, http.StatusConflict, last.Status)
		require.Equal(t, "This is the last operator", last.Text("h1"))
	}
	token := s.token(t, domain.ScopeUsersRead, domain.ScopeUsersWrite)
	require.Equal(t, "suspended", user(t, s.do(t, http.MethodPost, address+"/suspend", "", "Authorization", token))["status"])
	require.Equal(t, "active", user(t, s.do(t, http.MethodPost, address+"/restore", "", "Authorization", token))["status"])
	got := s.do(t, http.MethodPost, "/users/1/suspend", "", "Authorization", token)
	require.Equal(t, http.StatusConflict, got.status)
	require.Contains(t, got.body, `"code":"last_operator"`)
	got = s.do(t, http.MethodPost, address+"/suspend", "", "Authorization", token, "If-Match", `"old"`)
	require.Equal(t, http.StatusPreconditionFailed, got.status)
}

func TestDeletion(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	address, password := s.imported(t)
	boris := s.browser(t)
	require.Equal(t, http.StatusSeeOther, boris.SignIn(t, "boris", password).Status)
	page := operator.Get(t, address+"/delete")
	require.Contains(t, page.Text("main"), "Kept: the figures of reports")
	for range 2 {
		require.Equal(t, "/users", operator.Send(t, address+"/delete", page, nil).Location())
	}
	require.Contains(t, operator.Get(t, "/users").Text("[role=status]"), "The account has been deleted.")
	require.Equal(t, http.StatusNotFound, operator.Get(t, address).Status)
	require.Equal(t, "/login?next=%2Faccount%2Fpassword", boris.Get(t, "/account/password").Location())
	require.Equal(t, http.StatusUnauthorized, boris.SignIn(t, "boris", password).Status)

	s.imported(t) // everything is free again
	token := s.token(t, domain.ScopeUsersRead, domain.ScopeUsersWrite)
	require.Equal(t, http.StatusNoContent, s.do(t, http.MethodDelete, "/users/3", "", "Authorization", token).status)
	require.Equal(t, http.StatusNotFound, s.do(t, http.MethodDelete, "/users/3", "", "Authorization", token).status)
}

func TestRequiredChangeOfPassword(t *testing.T) {
	s := serve(t)
	operator := s.operator(t)
	b := s.browser(t)
	require.Equal(t, http.StatusSeeOther, b.Submit(t, "/register", anna("login", "vera", "email", "v@example.com", "phone", "")).Status)
	page := operator.Get(t, "/users/2")
	for range 2 {
		require.Equal(t, "/users/2", operator.Send(t, "/users/2/require-change", page, nil).Location())
	}
	require.Contains(t, operator.Get(t, "/users/2").Text("main"), "must choose a new password")
	require.False(t, b.IsSignedIn(t))
	require.Equal(t, "/account/password", b.SignIn(t, "vera", goodPassword).Location())
	require.Contains(t, b.Get(t, "/account/password").Text("main"), "An operator asks you to choose a new password.")
	require.Equal(t, "/account/password", b.Get(t, "/profile").Location())
	require.Equal(t, "/profile", b.Submit(t, "/account/password", map[string]string{"old": goodPassword, "psw": goodPassword + " 2"}).Location())
	require.True(t, b.IsSignedIn(t))
	token := s.token(t, domain.ScopeUsersWrite)
	require.Equal(t, http.StatusOK, s.do(t, http.MethodPost, "/users/2/require-change", "", "Authorization", token).status)
	require.False(t, b.IsSignedIn(t))
}
