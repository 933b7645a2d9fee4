package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/test/pgtest"
)

// EraseOriginals erases old originals and nothing else, in several transactions.
func TestEraseOriginals(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewReports(open(t, url))
	const many = 2*postgres.EraseRows + 1
	pgtest.Query[struct{}](t, url, fmt.Sprintf(`do $$ begin
		insert into codes (id, code, date, description, refused, originals) values
			(1, 400, '2026-01-01Z', 'many', %[1]d, true), (2, 400, '2026-01-02Z', 'none', 1, false),
			(3, 400, '2026-01-03Z', 'some', 2, true), (4, 200, '2026-01-04Z', 'not yet', 1, true);
		insert into bad_users (code_id, object_id, login, login_key, description, violations, original)
		select case when n <= %[1]d then 1 when n <= %[1]d + 2 then 3 else 4 end, 3 * n, 'A' || n, 'a' || n, 'x', '[]',
			case when n %% 7 > 0 or n > %[1]d then '{"a": 1}'::jsonb end
		from generate_series(1, %[1]d + 3) n; end $$`, many))
	type row struct {
		ID                    int64
		Rows, Originals       int
		Marked                bool
		Refused               int
		Logins, Keys, Objects int
	}
	count := func() []row {
		return pgtest.Query[row](t, url, `
			select c.id, count(b), count(b.original), originals, refused, count(distinct b.login), count(distinct login_key), count(distinct object_id)
			from codes c left join bad_users b on code_id = c.id group by c.id order by c.id`)
	}
	want := count()
	require.Equal(t, []row{
		{1, many, many - many/7, true, many, many, many, many},
		{2, 0, 0, false, 1, 0, 0, 0},
		{3, 2, 2, true, 2, 2, 2, 2},
		{4, 1, 1, true, 1, 1, 1, 1},
	}, want)
	erase := func(before string) {
		at, err := time.Parse(time.DateOnly, before)
		require.NoError(t, err)
		require.NoError(t, store.EraseOriginals(t.Context(), at))
		require.Equal(t, want, count())
	}
	erase("2026-01-01")
	want[0].Originals, want[0].Marked = 0, false
	erase("2026-01-03")
	want[2].Originals, want[2].Marked = 0, false
	erase("2026-01-04")
	erase("2026-01-04")
	perTransaction := pgtest.Query[struct{ Rows int }](t, url, `
		select count(*) from bad_users where code_id = 1 and object_id % 21 > 0 group by xmin::text order by 1 desc`)
	require.Len(t, perTransaction, 2)
	require.LessOrEqual(t, perTransaction[0].Rows, postgres.EraseRows)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.EraseOriginals(ctx, time.Now()), context.Canceled)
	require.Equal(t, want, count())
}
