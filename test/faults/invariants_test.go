package faults_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// inconsistencies find rows that no fault may leave in the database.
var inconsistencies = map[string]string{
	"users without exactly one profile":     `select u.id::text from users u left join profiles p on p.user_id = u.id group by u.id having count(p.id) <> 1`,
	"profiles without a user":               `select p.id::text from profiles p left join users u on u.id = p.user_id where u.id is null`,
	"rejected records that are not counted": `select c.id::text from codes c left join bad_users b on b.code_id = c.id group by c.id having count(b.id) <> c.refused - c.unkept`,
	"rejected records without an import":    `select b.id::text from bad_users b left join codes c on c.id = b.code_id where c.id is null`,
	"statistics that differ from the imports": `
		select 'x' where
			(select (count(*)::numeric, coalesce(sum(created), 0)::numeric, coalesce(sum(refused), 0)::numeric) from codes where uncounted_day is null) is distinct from
			(select (coalesce(sum(requests), 0)::numeric, coalesce(sum(created), 0)::numeric, coalesce(sum(refused), 0)::numeric) from statistics)`,
	"reasons that differ from the imports": `
		select field || ':' || code from (
			select r.field, r.code, objects from code_reasons r join codes c on c.id = r.code_id where c.uncounted_day is null
			union all select field, code, -objects from reason_statistics) r
		group by field, code having sum(objects) <> 0`,
	"imports and audit entries that differ": `
		select coalesce(c.id, a.import_id)::text from codes c full join (
			select import_id, count(*) as entries, max((after ->> 'registered')::bigint) as registered from audit where action like 'import.%' group by import_id) a
			on a.import_id = c.id
		where c.id is null or a.entries is distinct from 1 or a.registered <> c.created`,
	"temporary tables":             `select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname like 'pg\_temp%' and c.relkind = 'r'`,
	"transactions left open":       `select pid::text from pg_stat_activity where state like 'idle in transaction%' and state_change < now() - interval '30 s'`,
	"deleted users that are found": `select d.user_id::text from directory d left join users u on u.id = d.user_id where u.id is null`,
	"users that are never found": `
		select u.id::text from users u left join directory d on d.user_id = u.id and d.name_key is not null
			left join codes c on c.id = u.code_id and u.id > c.unlisted_after and u.id <= c.unlisted_until
		where d.user_id is null and c.id is null`,
	"answers without an import": `select k.key::text from idempotency_keys k left join codes c on c.id = k.code_id where c.id is null and k.code_id is not null`,
}

// isConsistent checks that the database has none of the inconsistencies.
func isConsistent(t *testing.T, url string) {
	t.Helper()
	for what, sql := range inconsistencies {
		found := pgtest.Query[struct{ What string }](t, url, sql)
		require.Empty(t, found, what)
	}
}

// isWhole checks that there are as many users as the imports registered, and others from elsewhere.
func isWhole(t *testing.T, url string, others int) {
	t.Helper()
	found := pgtest.Query[struct{ Users, Created int }](t, url, `select (select count(*)::int from users), (select coalesce(sum(created), 0)::int from codes)`)
	require.Equal(t, found[0].Created+others, found[0].Users, "registered users")
}

// isThere checks that every acknowledged login has an account.
func isThere(t *testing.T, url string, acknowledged []string) {
	t.Helper()
	missing := pgtest.Query[struct{ Login string }](t, url, "select unnest($1::text[]) except select login from users", acknowledged)
	require.Empty(t, missing, "of %d acknowledged registrations, the last %s", len(acknowledged), acknowledged[len(acknowledged)-1])
}
