package web_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/test/fake"
	"rollcall/test/visitor"
)

// confirmChange opens the page that confirms a change and sends its form with more fields. It returns the page of the result.
func confirmChange(t *testing.T, b *visitor.Browser, address string, fields map[string]string) *visitor.Page {
	t.Helper()
	page := b.Get(t, address)
	require.Equal(t, http.StatusOK, page.Status)
	result := b.Send(t, changeForm(t, page), page, fields)
	require.Equal(t, http.StatusSeeOther, result.Status, result.HTML)
	return awaitChange(t, b, result.Location())
}

// changeForm returns the address to which the form of a page that confirms a change is sent.
func changeForm(t *testing.T, page *visitor.Page) string {
	t.Helper()
	form := page.Find("form[method=post][action^='/users/change/']")
	require.Equal(t, 1, form.Length(), page.Text("main"))
	return form.AttrOr("action", "")
}

// awaitChange returns the page of a change that is over.
func awaitChange(t *testing.T, b *visitor.Browser, address string) (page *visitor.Page) {
	t.Helper()
	require.Eventually(t, func() bool {
		page = b.Get(t, address)
		return page.Find("[data-watch]").Length() == 0
	}, 10*time.Second, 10*time.Millisecond)
	return page
}

func textOf(_ int, s *goquery.Selection) string { return strings.TrimSpace(s.Text()) }

// table returns the rows of a CSV file, by the names of their columns.
func table(t *testing.T, body string) (rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, cell := range cells {
			row[all[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func TestNewPasswordsForAllThatAFilterFinds(t *testing.T) {
	s := serve(t)
	b := s.class(t, 4)
	list := b.Get(t, "/users?import=1&group=7%D0%91")
	form := list.Find("#change")
	require.Equal(t, "1", form.Find("[name=import]").AttrOr("value", ""))
	require.Equal(t, "/users/change/password", form.Find("button").First().AttrOr("formaction", ""))
	require.Equal(t, 2, list.Find("[name=id][form=change]").Length())

	page := b.Get(t, "/users/change/password?import=1&group=7%D0%91")
	require.Equal(t, "New temporary passwords", page.Text("h1"))
	require.Equal(t, "2 people", page.Text(".lead"))
	require.Contains(t, page.Text(".selected"), "7Б")
	require.Equal(t, "New temporary passwords: 2 people", page.Text("form button[type=submit].button:not(.quiet)"))
	require.Equal(t, "/users?group=7%D0%91&import=1", page.Find(".submit a").AttrOr("href", ""))

	done := confirmChange(t, b, "/users/change/password?import=1&group=7%D0%91", nil)
	require.Equal(t, "Done", done.Text("h1"))
	require.Contains(t, done.Text(".lead"), "New temporary passwords: 2 people")
	require.Equal(t, "/users?group=7%D0%91&import=1", done.Find(".more a").AttrOr("href", ""))
	require.Contains(t, done.Text(".credentials"), "After that they can't be recovered")
	require.Equal(t, []string{"2", "2", "0"}, done.Find(".tally dd").Map(textOf))
	credentials := b.Get(t, done.Find("a[href$='credentials.csv']").AttrOr("href", ""))
	rows := table(t, credentials.HTML)
	require.Len(t, rows, 2)
	for _, row := range rows {
		require.Equal(t, "7Б", row["group"])
		require.NotEmpty(t, row["password"])
		other := s.browser(t)
		require.Equal(t, http.StatusSeeOther, other.SignIn(t, row["login"], row["password"]).Status, row["login"])
	}
	results := table(t, b.Get(t, done.Find("a[href$='results.csv']").AttrOr("href", "")).HTML)
	require.Equal(t, "New temporary password", results[0]["result"])
	require.NotContains(t, results[0], "password")
	require.Equal(t, http.StatusOK, b.Get(t, done.Find("a[href$='/slips']").AttrOr("href", "")).Status)
	require.Equal(t, http.StatusOK, b.Get(t, done.Find("a[href$='results.xlsx']").AttrOr("href", "")).Status)
	require.Equal(t, http.StatusOK, b.Get(t, "/profile").Status, "the operator is still signed in")
	require.Contains(t, b.Get(t, "/useradd/uploads").Text("main"), "New temporary passwords")
}

func TestChangesOfTickedPeople(t *testing.T) {
	for _, c := range []struct {
		action string
		fields map[string]string
		result string
		holds  func(t *testing.T, b *visitor.Browser) // of user001, whose id is 2
	}{
		{"suspend", nil, "Suspended", func(t *testing.T, b *visitor.Browser) {
			require.Equal(t, []string{"user001"}, rows(b.Get(t, "/users?status=suspended")))
		}},
		{"group", map[string]string{"new_group": " 9В "}, "Group set", func(t *testing.T, b *visitor.Browser) {
			require.Equal(t, []string{"user001"}, rows(b.Get(t, "/users?group=9%D0%92")))
		}},
		{"group", map[string]string{"new_group": " "}, "Group set", func(t *testing.T, b *visitor.Browser) {
			require.NotContains(t, b.Get(t, "/users/2").Text(".data"), "7Б")
		}},
		{"require-change", nil, "Must choose a new password", func(t *testing.T, b *visitor.Browser) {
			require.Contains(t, b.Get(t, "/users/2").Text("main"), "must choose a new password")
		}},
		{"delete", nil, "Deleted", func(t *testing.T, b *visitor.Browser) {
			require.Equal(t, http.StatusNotFound, b.Get(t, "/users/2").Status)
		}},
	} {
		t.Run(c.action+c.fields["new_group"], func(t *testing.T) {
			s := serve(t)
			b := s.class(t, 2)
			page := b.Get(t, "/users/change/"+c.action+"?id=2&id=2&id=99")
			require.Equal(t, "2 people", page.Text(".lead"))
			require.Contains(t, page.Text(".selected"), "user001")
			done := confirmChange(t, b, "/users/change/"+c.action+"?id=2&id=2&id=99", c.fields)
			require.Equal(t, "Done", done.Text("h1"))
			require.Equal(t, []string{"2", "1", "1"}, done.Find(".tally dd").Map(textOf))
			require.Contains(t, done.Text(".credentials"), "Changed: Ли Яна Петровна (user001)")
			require.Contains(t, done.Text(".rejections"), "deleted in the meantime")
			require.Empty(t, done.Find("a[href*=credentials], a[href*=slips]").Nodes)
			results := table(t, b.Get(t, done.Find("a[href$='results.csv']").AttrOr("href", "")).HTML)
			require.Equal(t, "user001", results[0]["login"])
			require.Equal(t, c.result, results[0]["result"])
			require.Equal(t, "Left out", results[1]["result"])
			c.holds(t, b)
		})
	}
}

func TestRestoringTickedPeople(t *testing.T) {
	s := serve(t)
	b := s.class(t, 2)
	confirmChange(t, b, "/users/change/suspend?id=2", nil)
	done := confirmChange(t, b, "/users/change/restore?id=2&id=3", nil)
	require.Contains(t, done.Text(".rejections"), "user002")
	require.Contains(t, done.Text(".rejections"), "not suspended")
	require.Empty(t, rows(b.Get(t, "/users?status=suspended")))
}

// Operators and the operator who asks remain.
func TestChangesLeaveOutOperators(t *testing.T) {
	s := serve(t)
	b := s.class(t, 2)
	login, _ := domain.NewLogin("user002")
	require.NoError(t, fake.Roles{Store: s.store}.Grant(t.Context(), login, domain.RoleOperator))
	for _, action := range []string{"password", "suspend", "require-change", "delete"} {
		t.Run(action, func(t *testing.T) {
			require.Contains(t, b.Get(t, "/users/change/"+action).Text("main"), "Operators are left out")
			done := confirmChange(t, b, "/users/change/"+action, nil)
			require.Contains(t, done.Text(".rejections"), "This is your own account")
			require.Contains(t, done.Text(".rejections"), "The user is an operator")
			require.Equal(t, http.StatusOK, b.Get(t, "/users").Status)
		})
	}
	require.Equal(t, []string{"anna", "user002"}, rows(b.Get(t, "/users")))
}

// If the number of people has changed since the page was opened, the operator confirms the new one.
func TestChangedNumberIsConfirmedAgain(t *testing.T) {
	s := serve(t)
	b := s.class(t, 2)
	page := b.Get(t, "/users/change/suspend?import=1")
	confirmChange(t, b, "/users/change/delete?id=2", nil)
	again := b.Send(t, changeForm(t, page), page, nil)
	require.Equal(t, http.StatusSeeOther, again.Status)
	page = b.Get(t, again.Location())
	require.Contains(t, page.Text("main"), "The number of people has changed meanwhile")
	require.Equal(t, "1 person", page.Text(".lead"))
	require.Empty(t, rows(b.Get(t, "/users?status=suspended")))
}

func post(t *testing.T, b *visitor.Browser, address, form string) *visitor.Page {
	t.Helper()
	return b.Do(t, http.MethodPost, address, form, "Content-Type", "application/x-www-form-urlencoded")
}

func TestInvalidChanges(t *testing.T) {
	s := serve(t)
	b := s.class(t, 2)
	for address, status := range map[string]int{
		"/users/change/promote":                http.StatusNotFound,
		"/users/change/suspend?id=x":           http.StatusBadRequest,
		"/users/change/suspend?id=-1":          http.StatusBadRequest,
		"/users/change/suspend?status=unheard": http.StatusBadRequest,
		"/users/change/suspend?imprt=1":        http.StatusBadRequest,
	} {
		t.Run(address, func(t *testing.T) {
			require.Equal(t, status, b.Get(t, address).Status)
			require.Equal(t, status, post(t, b, address, "users=1").Status)
		})
	}
	require.Contains(t, b.Get(t, "/users/change/suspend").Text("main"), "Everyone in the directory")
	require.NotContains(t, b.Get(t, "/users/change/suspend?id=99").Text("main"), "Everyone", "the person who was ticked is deleted")

	none := b.Get(t, "/users/change/suspend?group=none")
	require.Equal(t, "0 people", none.Text(".lead"))
	require.Empty(t, none.Find("form[method=post][action^='/users/change/']").Nodes)

	page := post(t, b, "/users/change/group?id=2", "users=1&new_group=--")
	require.Equal(t, http.StatusUnprocessableEntity, page.Status)
	require.Equal(t, "--", page.Find("[name=new_group]").AttrOr("value", ""))
	require.NotEmpty(t, page.Text(".field.invalid"))
}
