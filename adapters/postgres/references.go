package postgres

import (
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
)

// The rows that an import copies refer to rows of its own transaction: profiles to users, and rejected records to the import. For each
// of them PostgreSQL looks up the row that it refers to, and locks it. Where the role may set session_replication_role, an import
// copies without these lookups, and checks its references by counts before it commits. README.md says why that is as safe.

// errDangling is a defect: a copied row does not refer to a row of its import.
var errDangling = errors.New("a copied row refers to a row that the import has not stored")

// mayCheckOnceSQL returns a query of whether the import may check its references itself. It may not if rows of these tables have any
// other insert trigger (type bit 4), such as one of the administrator's, because that one would not fire either.
func mayCheckOnceSQL(conn *pgx.Conn) string {
	maySet := "has_parameter_privilege('session_replication_role', 'set')"
	var version int
	_, err := fmt.Sscanf(conn.PgConn().ParameterStatus("server_version"), "%d", &version)
	if err != nil || version < 15 { // which has no privileges on parameters
		maySet = "current_setting('is_superuser')::bool"
	}
	return "select " + maySet + ` and not exists (
		select from pg_trigger t left join pg_constraint c on c.oid = t.tgconstraint
		where t.tgrelid in ('profiles'::regclass, 'bad_users'::regclass) and t.tgtype & 4 <> 0
			and (c.contype = 'f' and c.conname in ('profiles_user_id_fkey', 'bad_users_code_id_fkey')) is not true)`
}

// withoutTriggers returns statements that run a COPY without the triggers of its table. An error undoes the setting, because it undoes the
// transaction to a savepoint before it.
func withoutTriggers(copySQL string) string {
	return "set local session_replication_role = replica; " + copySQL + "; set local session_replication_role = default"
}

const (
	// countProfiles counts those of consecutive ids that a user has, and those that a profile has. Both are unique, so each id has both if
	// there are as many as ids. A join would say the same, but in a table that has just grown the planner may compare each row with each.
	countProfiles = `
		select least((select count(*) from users where id between $1 and $2), (select count(*) from profiles where user_id between $1 and $2))`

	countBadUsers = "select count(*) from bad_users where code_id = $1 and exists (select from codes where id = $1)"
)

// queueProfileCheck queues the check that each of the users has a profile. As many profiles were copied, so none of them refers to
// another user.
func (tx *importTx) queueProfileCheck(users []int64) {
	for first, last := range runs(users) {
		tx.queueCheck(int(last-first+1), countProfiles, first, last)
	}
}

// queueRejectionCheck queues the check that the import's row in codes exists, and that all copied rejections refer to it.
func (tx *importTx) queueRejectionCheck() {
	if tx.copiedRejections > 0 {
		tx.queueCheck(tx.copiedRejections, countBadUsers, tx.id)
	}
}

// queueCheck queues a query that must return a number. If it returns another, send returns errDangling.
func (tx *importTx) queueCheck(want int, sql string, args ...any) {
	tx.queue.Queue(sql, args...).QueryRow(func(row pgx.Row) error {
		var found int
		err := row.Scan(&found)
		tx.dangling = tx.dangling || found != want
		return err
	})
}

// runs yields the first and the last number of each run of consecutive numbers. Numbers are in ascending order. Ids have gaps where
// others took ids in between.
func runs(numbers []int64) iter.Seq2[int64, int64] {
	return func(yield func(int64, int64) bool) {
		first := 0
		for i := range numbers {
			if i+1 < len(numbers) && numbers[i+1] == numbers[i]+1 {
				continue
			}
			if !yield(numbers[first], numbers[i]) {
				return
			}
			first = i + 1
		}
	}
}
