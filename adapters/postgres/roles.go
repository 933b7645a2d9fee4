package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// Roles stores the roles of users.
type Roles struct{ db *DB }

// NewRoles returns the store in db.
func NewRoles(db *DB) *Roles { return &Roles{db} }

// The statements that change roles return whether the user exists, and whether the user is the last operator. They wait for a concurrent
// deletion of the user.
var (
	// operatorsSQL selects the operators who can sign in. One remains at any time.
	operatorsSQL = "select user_id from roles join users on users.id = user_id where role = 'operator' and suspended_at is null"

	grantSQL = `
		with found as (select id from users where login_key = $1 for key share),
			granted as (insert into roles (user_id, role) select id, $2 from found on conflict do nothing returning user_id),
			noted as (` + note{first: 3, from: "granted", user: "user_id"}.sql() + `)
		select exists (select from found), false`
	revokeSQL = `
		with found as (select id from users where login_key = $1),
			last as (select from found where $2 = 'operator' and array[id] = array(` + operatorsSQL + `)),
			revoked as (delete from roles using found where user_id = id and role = $2 and not exists (select from last) returning user_id),
			noted as (` + note{first: 3, from: "revoked", user: "user_id"}.sql() + `)
		select exists (select from found), exists (select from last)`
)

// Grant implements ports.RoleStore.
func (r *Roles) Grant(ctx context.Context, login domain.Login, role domain.Role) error {
	return r.change(ctx, grantSQL, login, role, &domain.AuditEntry{Action: domain.ActionRoleGranted, After: roleFacts(role)})
}

// Revoke implements ports.RoleStore.
func (r *Roles) Revoke(ctx context.Context, login domain.Login, role domain.Role) error {
	return r.change(ctx, revokeSQL, login, role, &domain.AuditEntry{Action: domain.ActionRoleRevoked, Before: roleFacts(role)})
}

// roleFacts returns what an audit entry says about a role.
func roleFacts(role domain.Role) map[string]any { return map[string]any{"role": role} }

func (r *Roles) change(ctx context.Context, statement string, login domain.Login, role domain.Role, entry *domain.AuditEntry) error {
	var found, last bool
	args := append([]any{login.Key(), role}, noteArgs(ports.OriginOf(ctx), entry)...)
	err := r.db.changeRoles(ctx, statement, args, &found, &last)
	switch {
	case err != nil:
		return fmt.Errorf("change role: %w", unavailable(err))
	case !found:
		return ports.ErrNotFound
	case last:
		return domain.ErrLastOperator
	}
	return nil
}

// changeRoles runs a statement that depends on the roles of other users. One such statement runs at a time, and sees the changes of those
// before it. The lock and the statement are one round trip, which is one transaction.
func (db *DB) changeRoles(ctx context.Context, statement string, args []any, result ...any) error {
	var batch pgx.Batch
	batch.Queue("select pg_advisory_xact_lock($1)", int64(lockRoles))
	batch.Queue(statement, args...).QueryRow(func(row pgx.Row) error { return row.Scan(result...) })
	return db.pool.SendBatch(ctx, &batch).Close()
}

// List implements ports.RoleStore.
func (r *Roles) List(ctx context.Context, role domain.Role) iter.Seq2[ports.UserRoles, error] {
	return func(yield func(ports.UserRoles, error) bool) {
		rows, err := r.db.pool.Query(ctx, `
			select login, array(select role from roles where user_id = id order by role) from users
			where $1 = '' or exists (select from roles where user_id = id and role = $1) order by login_key`, role)
		if err != nil {
			yield(ports.UserRoles{}, fmt.Errorf("list users: %w", unavailable(err)))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var user ports.UserRoles
			err = rows.Scan(&user.Login, &user.Roles)
			if err != nil {
				break
			}
			if !yield(user, nil) {
				return
			}
		}
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			yield(ports.UserRoles{}, fmt.Errorf("list users: %w", unavailable(err)))
		}
	}
}
