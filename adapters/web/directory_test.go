package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/test/visitor"
)

// class imports people with logins user001 and so on, and returns the browser of an operator.
func (s *site) class(t *testing.T, people int) *visitor.Browser {
	t.Helper()
	s.operator(t)
	b := s.browser(t)
	require.Equal(t, http.StatusSeeOther, b.SignIn(t, "anna", goodPassword).Status)
	var records []string
	for n := range people {
		records = append(records, fmt.Sprintf(
			`{"last_name":"Ли","first_name":"Яна","patronymic":"Петровна","login":"user%03d","email":"user%03d@example.com","group":"%dБ"}`, n+1, n+1, n%2+7))
	}
	got := s.post(t, "["+strings.Join(records, ",")+"]")
	require.Equal(t, http.StatusOK, got.status, got.body)
	return b
}

// rows returns the logins on a page of the directory.
func rows(page *visitor.Page) (logins []string) {
	for _, row := range page.Find(".people tbody .login").EachIter() {
		logins = append(logins, row.Text())
	}
	return logins
}

func TestDirectoryPage(t *testing.T) {
	s := serve(t)
	b := s.class(t, 2)
	page := b.Get(t, "/users")
	require.Equal(t, http.StatusOK, page.Status)
	require.Equal(t, "People", page.Text("h1"))
	require.Equal(t, []string{"anna", "user001", "user002"}, rows(page))
	require.Equal(t, "Found: 3", page.Text(".found [role=status]"))
	require.Empty(t, page.Find(".paging, [data-count]").Nodes)
	row := page.Find(".people tbody tr").Eq(1)
	for place, text := range []string{"Ли Яна Петровнаuser001", "user001@example.com", "7Б", "Never signed in"} {
		require.Equal(t, text, strings.TrimSpace(row.Find("td").Eq(place).Text()))
	}
	require.Contains(t, row.Find("td").Eq(4).Text(), "Import No. 1")
	require.Equal(t, "–", strings.TrimSpace(row.Find("td").Eq(5).Text()))
	for link, address := range map[string]string{".who a": "/users/2", "td:nth-child(5) a": "/useradd/imports/1"} {
		require.Equal(t, address, row.Find(link).AttrOr("href", ""))
	}
	require.Equal(t, []string{"user001"}, rows(b.Get(t, row.Find("td:nth-child(3) a").AttrOr("href", ""))), "the people of a group")
	require.NotEmpty(t, page.Find(".people tbody tr").First().Find("td:last-child time").Nodes, "Anna has signed in")
	require.Equal(t, "Люди", b.Get(t, "/users?lang=ru").Text("h1"))
	for _, path := range []string{"/users", "/audit"} {
		require.NotEmpty(t, page.Find(`nav.account a[href="`+path+`"]`).Nodes, "the menu leads to it")
	}
}

func TestDirectoryFilters(t *testing.T) {
	s := serve(t)
	b := s.class(t, 4)
	for query, logins := range map[string]string{
		"q=%D0%9B%D0%B8": "user001 user002 user003 user004", "q=user003": "user003", "group=8%D0%B1": "user002 user004", "import=1&group=7%D0%91": "user001 user003",
		"import=2": "", "status=active": "anna", "status=never_signed_in&q=user001": "user001", "status=&group=&q=": "anna user001 user002 user003 user004",
		"registered_from=01.01.2100": "", "registered_to=2100-01-01&status=active": "anna", "signed_in_before=2100-01-01&import=1&sort=-registered": "user004 user003 user002 user001",
		"signed_in_before=2020-01-01&status=active": "",
	} {
		t.Run(query, func(t *testing.T) {
			page := b.Get(t, "/users?"+query)
			require.Equal(t, http.StatusOK, page.Status)
			require.Equal(t, logins, strings.Join(rows(page), " "))
			if logins == "" {
				require.Equal(t, "/users", page.Find(".nothing a").AttrOr("href", ""), "an empty list leads out of the filter")
			}
		})
	}
	require.Zero(t, b.Get(t, "/users?q=user&sort=name").Find(".chosen").Length(), "the form always sends an order")
	chosen := b.Get(t, "/users?q=user&group=7%D0%91&status=never_signed_in&registered_from=01.02.2026&sort=name").Find(".chosen a")
	var names []string
	for _, link := range chosen.EachIter() {
		names = append(names, link.Text())
	}
	require.Equal(t, []string{
		"Remove the filter Status: Never signed in ×", "Remove the filter Group: 7Б ×", "Remove the filter Registered from: 1 February 2026 ×",
	}, names)
	require.Equal(t, "/users?q=user&registered_from=2026-02-01&sort=name&status=never_signed_in", chosen.Eq(1).AttrOr("href", ""))
	for query, wrong := range map[string]struct{ field, message string }{
		"q=%00":                    {"q", "The search has control characters or a damaged encoding: enter the text again."},
		"q=%ff":                    {"q", "The search has control characters or a damaged encoding: enter the text again."},
		"status=asleep":            {"status", "The status is unknown: choose one from the list, or use one such as active or never_signed_in."},
		"sort=login":               {"sort", "The order is unknown: choose one from the list, or use name, -registered or -last_sign_in."},
		"group=--":                 {"group", "Group is not valid: it needs a letter or a digit."},
		"import=last":              {"import", "The import is not a number: enter one such as 17."},
		"import=-1":                {"import", "The import is not a number: enter one such as 17."},
		"import=1&import=2":        {"import", "import is given more than once."},
		"registered_from=soon":     {"registered_from", "“Registered from” is not a date: use one such as 2026-12-31 or 31.12.2026."},
		"registered_to=32.01.2026": {"registered_to", "“Registered to” is not a date: use one such as 2026-12-31 or 31.12.2026."},
		"signed_in_before=x":       {"signed_in_before", "“No sign-in since” is not a date: use one such as 2026-12-31 or 31.12.2026."},
		"registered_from=2026-02-02&registered_to=2026-01-01": {"registered_to", "“Registered to” is before “Registered from”: swap the dates."},
	} {
		t.Run(query, func(t *testing.T) {
			page := b.Get(t, "/users?"+query)
			require.Equal(t, http.StatusBadRequest, page.Status)
			require.Equal(t, wrong.message, page.Text("#"+wrong.field+"-error"))
			require.Empty(t, page.Find(".people, a[href*=export]").Nodes, "nothing is selected")
			for _, path := range []string{"/users?", "/users/count?", "/users/export/csv?"} {
				got := b.Get(t, path+query, "Accept", "application/json")
				require.Equal(t, http.StatusBadRequest, got.Status)
				require.Contains(t, got.HTML, `"code":"filter"`)
				require.Contains(t, got.HTML, `"field":"`+wrong.field+`"`)
			}
		})
	}
	page := b.Get(t, "/users?after=elsewhere&group=7%D0%91")
	require.Equal(t, http.StatusBadRequest, page.Status)
	require.Contains(t, page.Text("[role=alert]"), "Start from the first page.")
	require.Equal(t, "7Б", page.Find("#group").AttrOr("value", ""))
	require.Contains(t, b.Get(t, "/users?after=elsewhere", "Accept", "application/json").HTML, `"code":"place"`)
}

func TestDirectoryPagesAndJSON(t *testing.T) {
	s := serve(t)
	b := s.class(t, 120)
	const query = "import=1&sort=-registered"
	page := b.Get(t, "/users?"+query)
	require.Equal(t, "descending", page.Find("th[aria-sort]").AttrOr("aria-sort", ""))
	require.Equal(t, "/users/count?import=1", page.Find("[data-count]").AttrOr("data-count", ""))
	counted := b.Get(t, page.Find("[data-count]").AttrOr("href", ""))
	require.Equal(t, "Found: 120", counted.Text(".found [role=status]"))
	require.Empty(t, counted.Text("[role=alert]"))
	require.Equal(t, "The address has an unknown parameter, “klass”: check its spelling.", b.Get(t, "/users?klass=7").Text("[role=alert]"))
	read := rows(page)
	for page.Find("[rel=next]").Length() == 1 {
		page = b.Get(t, page.Find("[rel=next]").AttrOr("href", ""))
		require.Equal(t, "/users?"+query, page.Find(".paging a").First().AttrOr("href", ""), "back to the first page")
		read = append(read, rows(page)...)
	}
	require.Len(t, read, 120)
	require.Equal(t, "user120 user001", read[0]+" "+read[119])

	token := s.token(t, domain.ScopeUsersRead)
	var logins []string
	var first json.RawMessage
	for next := "/users?" + query; next != ""; {
		got := s.do(t, http.MethodGet, next, "", "Authorization", token)
		require.Equal(t, http.StatusOK, got.status, got.body)
		require.Equal(t, "application/json", got.header.Get("Content-Type"))
		var answer struct {
			Users []json.RawMessage
			Next  *string
		}
		require.NoError(t, json.Unmarshal([]byte(got.body), &answer))
		for _, it := range answer.Users {
			var user struct{ Login string }
			require.NoError(t, json.Unmarshal(it, &user))
			logins = append(logins, user.Login)
		}
		first, next = answer.Users[0], ""
		if answer.Next != nil {
			next = "/users?" + query + "&after=" + *answer.Next
		}
	}
	require.Equal(t, read, logins)
	require.Equal(t, string(first), s.do(t, http.MethodGet, "/users/21", "", "Authorization", token).body, "the user is as at the user's own address")
	require.JSONEq(t, `{"count":120,"more":false}`, s.do(t, http.MethodGet, "/users/count?import=1", "", "Authorization", token).body)
	require.JSONEq(t, `{"users":[]}`, s.do(t, http.MethodGet, "/users?import=2", "", "Authorization", token).body)
}

func TestDirectoryIsForOperators(t *testing.T) {
	s := serve(t)
	b := s.registered(t)
	other := s.token(t, domain.ScopeUseradd, domain.ScopeUsersWrite)
	for _, path := range []string{"/users", "/users/count", "/users/export/csv"} {
		t.Run(path, func(t *testing.T) {
			require.Equal(t, "/login?next="+strings.ReplaceAll(path, "/", "%2F"), s.browser(t).Get(t, path).Location())
			require.Equal(t, http.StatusForbidden, b.Get(t, path).Status)
			require.Equal(t, http.StatusUnauthorized, s.do(t, http.MethodGet, path, "").status)
			require.Equal(t, http.StatusForbidden, s.do(t, http.MethodGet, path, "", "Authorization", other).status)
		})
	}
	require.Empty(t, b.Get(t, "/profile").Find(`a[href="/users"]`).Nodes)
}

func TestDirectoryExport(t *testing.T) {
	s := serve(t)
	b := s.class(t, 120)
	got := s.post(t, person("=boris", `"phone":"8 916 100-00-06","birthday":"28/02/1990"`))
	require.Equal(t, http.StatusOK, got.status, got.body)
	page := b.Get(t, "/users?import=1&sort=-registered")
	address := page.Find(`.found a[href*=csv]`).AttrOr("href", "")
	require.Equal(t, "/users/export/csv?import=1&sort=-registered", address)
	file := b.Get(t, address)
	require.Equal(t, http.StatusOK, file.Status)
	require.Equal(t, "text/csv; charset=utf-8", file.Header.Get("Content-Type"))
	require.Regexp(t, `^attachment; filename="rollcall-users-\d{4}-\d\d-\d\d\.csv"$`, file.Header.Get("Content-Disposition"))
	lines := strings.Split(strings.TrimSuffix(file.HTML, "\r\n"), "\r\n")
	require.Equal(t, "\ufeff"+`"id","last_name","first_name","patronymic","login","email","phone","birthday","group","status","registered","last_sign_in","time_zone","import"`, lines[0])
	require.Len(t, lines, 121, "the users of every page")
	require.Regexp(t, `^"121","Ли","Яна","Петровна","user120","user120@example.com","","","8Б","never_signed_in","[\d-]+ [\d:]+","","UTC[^"]*","1"$`, lines[1])
	require.Contains(t, b.Get(t, "/users/export/csv?import=2").HTML, `"'=boris","","'+79161000006","1990-02-28",`)
	require.Equal(t, []string{"users.csv", "Import number: 2"}, eachText(b.Get(t, "/audit"), ".audit tbody tr:first-child .what span"))

	token := s.token(t, domain.ScopeUsersRead)
	got = s.do(t, http.MethodGet, "/users/export/json?q=user00", "", "Authorization", token)
	require.Equal(t, http.StatusOK, got.status, got.body)
	var exported, listed []json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(got.body), &exported))
	require.Len(t, exported, 9)
	var answer struct{ Users []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(s.do(t, http.MethodGet, "/users?q=user00", "", "Authorization", token).body), &answer))
	listed = answer.Users
	require.Equal(t, listed, exported)
	require.Equal(t, http.StatusOK, b.Get(t, "/users/export/xlsx").Status)
	for _, path := range []string{"/users/export/txt", "/users/export/x"} {
		require.Equal(t, http.StatusNotFound, b.Get(t, path).Status)
	}
	require.Equal(t, "/login?next=%2Fusers%2Fexport%2Fcsv%3Fgroup%3D7", s.browser(t).Get(t, "/users/export/csv?group=7").Location())
}

// The files of a directory can be imported, as after a move to another server.
func TestDirectoryExportIsImported(t *testing.T) {
	from := serve(t)
	b := from.class(t, 3)
	for _, format := range []string{"csv", "xlsx", "json"} {
		t.Run(format, func(t *testing.T) {
			to := serve(t)
			got := to.post(t, b.Get(t, "/users/export/"+format+"?import=1").HTML)
			require.Equal(t, http.StatusOK, got.status, got.body)
			to.operator(t)
			token := to.token(t, domain.ScopeUsersRead)
			for id, login := range map[string]string{"/users/1": "user001", "/users/3": "user003"} {
				fields := user(t, to.do(t, http.MethodGet, id, "", "Authorization", token))
				require.Equal(t, []any{login, login + "@example.com", "Ли", "7Б"}, []any{fields["login"], fields["email"], fields["last_name"], fields["group"]})
			}
		})
	}
}

// The page of an import leads operators to its people, and rejected records to the accounts that have their login, email or phone.
func TestImportLeadsToPeople(t *testing.T) {
	s := serve(t, func(use *settings) { use.imports.KeepOriginals = true })
	b := s.class(t, 2)
	got := s.post(t, "["+strings.Join([]string{
		person("USER001", `"email":"new@example.com"`), person("three", `"email":"User002@example.com","phone":"8 (912) 345-67-89"`), person("four", `"phone":79123456789`),
		person("anna", `"email":"anna@example.com"`), person("five", `"phone":null`), person("six", `"phone":"8 916 100-00-06"`),
	}, ",")+"]")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Equal(t, "/useradd/imports/2", b.Get(t, "/profile?import=2").Location())
	page := b.Get(t, "/useradd/imports/2")
	require.Equal(t, "1 registered person", page.Text(`.more a[href="/users?import=2"]`))
	require.Equal(t, []string{"six"}, rows(b.Get(t, "/users?import=2")))
	var links []string
	for _, row := range page.Find(".rejections tbody tr").EachIter() {
		line := []string{row.Find("td").Eq(1).Text() + ":"}
		for _, link := range row.Find("a").EachIter() {
			line = append(line, link.Text(), link.AttrOr("href", ""))
		}
		links = append(links, strings.Join(line, " "))
	}
	require.Equal(t, []string{
		"USER001: USER001 /users/2", "three: The account with this email /users/3 The account with this phone /users/1", "four: The account with this phone /users/1",
		"anna: anna /users/1", "five:",
	}, links)
	other := s.browser(t)
	require.Equal(t, http.StatusSeeOther, other.Submit(t, "/register", anna("login", "other", "email", "other@example.com", "phone", "")).Status)
	require.Equal(t, http.StatusOK, other.Get(t, "/useradd/imports/2").Status)
	require.Empty(t, other.Get(t, "/useradd/imports/2").Find(`a[href^="/users"]`).Nodes, "other readers learn nothing of accounts")
}
