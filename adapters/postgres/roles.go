package postgres

import (
	"context"
	"fmt"
	"iter"

	"rollcall/domain"
	"rollcall/ports"
)

// Roles keeps who has which role.
type Roles struct{ db *DB }

// NewRoles makes the store.
func NewRoles(db *DB) *Roles { return &Roles{db} }

// The statements that change roles tell whether there is the user. A user who is being deleted is waited for.
const (
	grantSQL = `
		with found as (select id from users where login_key = $1 for key share),
			granted as (insert into roles (user_id, role) select id, $2 from found on conflict do nothing)
		select exists (select from found)`
	revokeSQL = `
		with found as (select id from users where login_key = $1),
			revoked as (delete from roles using found where user_id = id and role = $2)
		select exists (select from found)`
)

// Grant implements ports.Roles.
func (r *Roles) Grant(ctx context.Context, login domain.Login, role domain.Role) error {
	return r.change(ctx, grantSQL, login, role)
}

// Revoke implements ports.Roles.
func (r *Roles) Revoke(ctx context.Context, login domain.Login, role domain.Role) error {
	return r.change(ctx, revokeSQL, login, role)
}

func (r *Roles) change(ctx context.Context, statement string, login domain.Login, role domain.Role) error {
	var found bool
	err := r.db.pool.QueryRow(ctx, statement, login.Key(), role).Scan(&found)
	switch {
	case err != nil:
		return fmt.Errorf("change role: %w", unavailable(err))
	case !found:
		return ports.ErrNotFound
	}
	return nil
}

// List implements ports.Roles.
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
