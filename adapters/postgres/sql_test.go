package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// explained returns, for each file of sql, arguments and the indexes that its plan must use. Arguments that are not named are null.
func explained() map[string]struct {
	args    pgx.NamedArgs
	indexes []string
} {
	page := func(more pgx.NamedArgs) pgx.NamedArgs {
		args := pgx.NamedArgs{"lowest": 1, "highest": 15_000, "limit": 25}
		maps.Copy(args, more)
		return args
	}
	status := page(pgx.NamedArgs{"status": 413})
	reason := page(pgx.NamedArgs{"field": "email", "code": "taken", "reason": `[{"field": "email", "code": "taken"}]`, "status": 200})
	login := page(pgx.NamedArgs{
		"login": "common", "field": "login", "code": "taken", "reason": `[{"field": "login", "code": "taken"}]`, "status": 200,
	})
	rejections := pgx.NamedArgs{"import": hugeImport, "after": 100, "limit": 25, "login": "rare", "violations": true, "originals": true}
	period := pgx.NamedArgs{"from": largeDate(9000), "until": largeDate(9100), "violations": true, "originals": true}
	days := pgx.NamedArgs{"first": 20_500, "last": 20_529}
	const loginKey, reasonKey, statusKey = "bad_users_login_key", "code_reasons_pkey", "codes_code"
	return map[string]struct {
		args    pgx.NamedArgs
		indexes []string
	}{
		"imports_newest":              {page(nil), []string{"codes_pkey"}},
		"imports_oldest":              {page(nil), []string{"codes_pkey"}},
		"imports_by_status_newest":    {status, []string{statusKey}},
		"imports_by_status_oldest":    {status, []string{statusKey}},
		"imports_by_reason_newest":    {reason, []string{reasonKey, statusKey, "codes_pkey"}},
		"imports_by_reason_oldest":    {reason, []string{reasonKey, statusKey, "codes_pkey"}},
		"imports_by_login_newest":     {login, []string{loginKey, reasonKey, statusKey, "codes_pkey"}},
		"imports_by_login_oldest":     {login, []string{loginKey, reasonKey, statusKey, "codes_pkey"}},
		"period":                      {period, []string{"codes_date"}},
		"import":                      {rejections, []string{"codes_pkey", "users_pkey"}},
		"rejections":                  {rejections, []string{"bad_users_code_id_object_id_key"}},
		"rejections_by_login":         {rejections, []string{loginKey}},
		"statistics_by_day":           {days, []string{"codes_uncounted", "statistics_pkey"}},
		"statistics_by_reason":        {days, []string{"codes_uncounted", "code_reasons_code_id", "reason_statistics_pkey"}},
		"statistics_total":            {nil, []string{"codes_uncounted"}},
		"statuses":                    {nil, []string{statusKey}},
		"roll_up":                     {pgx.NamedArgs{"limit": 1000}, []string{"codes_uncounted", "codes_pkey", "code_reasons_code_id"}},
		"export_imports":              {period, []string{"codes_"}},
		"export_imports_by_login":     {pgx.NamedArgs{"login": "rare"}, []string{loginKey, "codes_pkey"}},
		"export_imports_by_reason":    {pgx.NamedArgs{"field": "email", "code": "taken"}, []string{reasonKey, "codes_pkey"}},
		"export_rejections":           {pgx.NamedArgs{"login": "rare"}, []string{loginKey}},
		"export_rejections_of_import": {rejections, []string{"bad_users_", "codes_pkey"}},
		"export_rejections_by_import": {period, []string{"codes_", "bad_users_"}},
	}
}

var seqScan = regexp.MustCompile(`Seq Scan on (codes|bad_users|code_reasons)\b`)

// No query reads a large table whole, neither with a plan for its arguments nor, on pages, with one for any arguments.
// The log has the plans (go test -run TestQueryPlans -v).
func TestQueryPlans(t *testing.T) {
	url := pgtest.New(t)
	fillLarge(t, url)
	db := open(t, url)
	files, err := os.ReadDir("sql")
	require.NoError(t, err)
	cases := explained()
	require.Len(t, cases, len(files), "every file has a case")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("sql/" + name + ".sql")
			require.NoError(t, err)
			sql, args, err := c.args.RewriteQuery(t.Context(), nil, string(text), nil)
			require.NoError(t, err)
			for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
				isExport := strings.HasPrefix(name, "export_")
				if isExport && mode == "force_generic_plan" {
					continue // its plan is for its arguments
				}
				plan := explain(t, db.Pool(), sql, args, mode, !isExport)
				t.Logf("%s:\n%s", mode, plan)
				require.NotRegexp(t, seqScan, plan)
				for _, index := range c.indexes {
					require.Contains(t, plan, index)
				}
			}
		})
	}
}

type beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// explain executes a query and returns its plan, which is then rolled back. Without analyze PostgreSQL does not show the plans of the
// steps of a recursion. A page's transaction avoids sequential scans, as Reports does.
func explain(t *testing.T, db beginner, sql string, args []any, mode string, isPage bool) string {
	t.Helper()
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	run := func(sql string) {
		_, err := tx.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	if isPage {
		run("set local enable_seqscan = off")
	}
	run("set local plan_cache_mode = " + mode)
	run("prepare explained as " + sql)
	literals := make([]string, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case nil:
			literals[i] = "null"
		case time.Time:
			literals[i] = "'" + arg.Format(time.RFC3339) + "'"
		default:
			literals[i] = fmt.Sprintf("'%v'", arg)
		}
	}
	execute := "execute explained"
	if len(literals) > 0 {
		execute += "(" + strings.Join(literals, ", ") + ")"
	}
	rows, err := tx.Query(t.Context(), "explain (analyze, costs off, timing off, summary off) "+execute)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	run("deallocate explained")
	return strings.Join(lines, "\n")
}
