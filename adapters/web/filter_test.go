package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web/problem"
)

// Dates are read in the notations of files, and shown as date pickers need them.
func TestFilterReadsDates(t *testing.T) {
	s := serveAt(t, time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))
	b := s.operator(t)
	s.post(t, person("boris", `"phone":"9161000007"`))
	for _, date := range []string{"2026-11-26", "26.11.2026", " 26/11/2026 ", "26 ноября 2026 г.", "Nov 26, 2026"} {
		t.Run(date, func(t *testing.T) {
			query := "?" + url.Values{"from": {date}, "until": {date}}.Encode()
			page := b.Get(t, "/profile"+query)
			require.Equal(t, http.StatusOK, page.Status)
			require.Equal(t, "2026-11-26", page.Find("#from").AttrOr("value", ""))
			require.Equal(t, 1, page.Find(".imports > tbody").Length())
			require.Equal(t, 0, b.Get(t, "/profile?from=27.11.2026").Find(".imports > tbody").Length())
			require.Contains(t, b.Get(t, "/useradd/export/csv"+query).HTML, "2026-11-26 12:00:00")
		})
	}
}

// A filter that makes no sense selects nothing: exports answer with a problem, and the page with an error beside the field, which keeps
// what was entered.
func TestInvalidFilter(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	s.post(t, person("boris", `"phone":"9161000007"`))
	program := s.browser(t, "Accept", "application/problem+json")
	program.Client.Jar = b.Client.Jar
	for _, c := range []struct{ query, field, code, message string }{
		{"from=abc", "from", "invalid", "“From” is not a date: use one such as 2026-12-31 or 31.12.2026."},
		{"until=31.11.2026", "until", "invalid", "“To” is not a date: use one such as 2026-12-31 or 31.12.2026."},
		{"from=2026-11-27&until=26.11.2026", "until", "reversed", "“To” is before “From”: swap the dates."},
		{"status=x", "status", "invalid", "The status code is not valid: use a number from 100 to 999."},
		{"status=1000", "status", "invalid", "The status code is not valid: use a number from 100 to 999."},
		{"reason=login:stolen", "reason", "invalid", "The reason is unknown: choose one from the list, or use a field and a code, such as login:taken."},
		{"reason=taken", "reason", "invalid", "The reason is unknown: choose one from the list, or use a field and a code, such as login:taken."},
		{"login=%ff", "login", "invalid", "Login has characters that are not allowed in a login, such as a space, or is a number that a spreadsheet has rounded."},
		{"sort=random", "sort", "parameter", "The parameter “sort” has an unknown value."},
		{"after=-1", "after", "parameter", "The parameter “after” has an unknown value."},
		{"open=x", "open", "parameter", "The parameter “open” has an unknown value."},
		{"import=0", "import", "parameter", "The parameter “import” has an unknown value."},
		{"table=users", "table", "parameter", "The parameter “table” has an unknown value."},
		{"till=2026-11-26", "till", "unknown_parameter", "The address has an unknown parameter, “till”: check its spelling."},
		{"status=200&status=400", "status", "repeated", "status is given more than once."},
		{"from=2026-11-26&from=abc", "from", "repeated", "from is given more than once."},
		{"import=1&import=2", "import", "repeated", "import is given more than once."},
	} {
		t.Run(c.query, func(t *testing.T) {
			for _, format := range []string{"xlsx", "txt", "csv", "json", "rejected.json"} {
				got := program.Get(t, "/useradd/export/"+format+"?"+c.query)
				require.Equal(t, http.StatusBadRequest, got.Status)
				var answered problem.Problem
				require.NoError(t, json.Unmarshal([]byte(got.HTML), &answered))
				require.Equal(t, "filter", answered.Code)
				require.Equal(t, "The filter is invalid. "+c.message, answered.Detail)
				require.Len(t, answered.Violations, 1)
				require.Equal(t, []string{c.field, c.code, c.message}, []string{string(answered.Violations[0].Field), string(answered.Violations[0].Code), answered.Violations[0].Message})
			}
			rejected := b.Get(t, "/useradd/export/csv?"+c.query)
			require.Contains(t, rejected.Text("main"), c.message, "for a browser")
			require.Equal(t, "/profile?"+c.query, rejected.Find(".actions a").AttrOr("href", ""), "which leads to the filter")
			page := b.Get(t, "/profile?"+c.query)
			if page.Find("#"+c.field).Length() == 0 {
				require.Equal(t, http.StatusOK, page.Status)
				require.NotEmpty(t, page.Find(".imports tbody").Nodes, "it selects nothing")
				require.Contains(t, page.Text("[role=alert]"), c.message)
				return
			}
			require.Equal(t, http.StatusBadRequest, page.Status)
			require.Equal(t, c.message, page.Text("#"+c.field+"-error"))
			require.Equal(t, "#"+c.field, page.Find("[role=alert] li a").AttrOr("href", ""))
			require.Equal(t, "true", page.Find("#"+c.field).AttrOr("aria-invalid", ""))
			require.Empty(t, page.Find(".imports tbody, a[href*=export]").Nodes, "nothing is selected")
			require.NotEmpty(t, page.Find(".figures").Nodes)
		})
	}
}

// Few unknown parameters of a long address are named, and none of the language switch.
func TestUnknownParameters(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	s.post(t, person("boris", `"phone":"9161000007"`))
	require.Empty(t, b.Get(t, "/profile?lang=en&status=200").Text("[role=alert]"))
	require.Equal(t, http.StatusOK, b.Get(t, "/useradd/export/csv?lang=en").Status)
	page := b.Get(t, "/profile?"+strings.Repeat("%00%ff%3Cb%3E=1&", 100)+"a&b&c&d&e&f="+strings.Repeat("x", 100))
	require.Equal(t, 5, strings.Count(page.Text("[role=alert]"), "unknown parameter"))
	require.Contains(t, page.Text("[role=alert]"), "<b>”")
	require.Contains(t, b.Get(t, "/profile?"+strings.Repeat("x", 100)).Text("[role=alert]"), "“"+strings.Repeat("x", 50)+"…”")
	for path, status := range map[string]int{"/audit?login=x": 200, "/audit/export/csv?login=x": 400, "/users?login=x": 200, "/users/export/csv?login=x": 400} {
		got := b.Get(t, path)
		require.Equal(t, status, got.Status)
		require.Contains(t, got.Text("main"), "unknown parameter, “login”")
	}
	require.Equal(t, "/audit?login=x", b.Get(t, "/audit/export/csv?login=x").Find(".actions a").AttrOr("href", ""))
	for _, query := range []string{"login=x", "after=x"} {
		require.Equal(t, http.StatusBadRequest, b.Get(t, "/audit?"+query, "Accept", "application/json").Status)
	}
}

// The summary of errors links to the field, which an empty report does not have otherwise.
func TestInvalidFilterOfAnEmptyReport(t *testing.T) {
	s := serve(t)
	page := s.operator(t).Get(t, "/profile?from=soon")
	require.Equal(t, http.StatusBadRequest, page.Status)
	require.Equal(t, "soon", page.Find("#from").AttrOr("value", ""))
}

func TestInvalidFilterKeepsWhatWasEntered(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	s.post(t, person("boris", `"phone":"9161000007"`))
	query := "from=soon&until=2026-11-26&status=20&reason=login:stolen&login=Boris&sort=oldest"
	page := b.Get(t, "/profile?"+query)
	require.Equal(t, "soon", page.Find("#from").AttrOr("value", ""))
	require.Equal(t, "text", page.Find("#from").AttrOr("type", ""), "a date picker would not show it")
	require.Equal(t, "2026-11-26", page.Find("#until[type=date]").AttrOr("value", ""))
	require.Equal(t, "20", page.Find("#status [selected]").AttrOr("value", ""))
	require.Equal(t, "login:stolen", page.Find("#reason [selected]").AttrOr("value", ""))
	require.Equal(t, "Boris", page.Find("#login").AttrOr("value", ""))
	require.Equal(t, "oldest", page.Find("[name=sort]").AttrOr("value", ""))
	require.Equal(t, 3, page.Find(".filter .error").Length())
	switched := b.Get(t, "/profile"+page.Find("[hreflang=ru], [lang=ru]").AttrOr("href", ""))
	require.Equal(t, "soon", switched.Find("#from").AttrOr("value", ""), "the language switch keeps it, too")
	require.Contains(t, switched.Text("#from-error"), "не дата")
}
