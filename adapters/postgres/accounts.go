package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// Accounts stores the accounts of users.
type Accounts struct{ db *DB }

// NewAccounts returns the store in db.
func NewAccounts(db *DB) *Accounts { return &Accounts{db} }

// selectUser reads a user with profile and roles in one round trip, because every page reads its user. The tables allow a user without
// a profile.
var selectUser = fmt.Sprintf(`
	select u.id, u.reg_date, u.password_date, u.password_used_by, array(select role from roles where roles.user_id = u.id order by role), %s, %s
	from users u left join profiles p on p.user_id = u.id `, columnReads("u", userColumns), columnReads("p", profileColumns))

// Find implements ports.AccountStore.
func (a *Accounts) Find(ctx context.Context, identity domain.Identity) (*domain.User, error) {
	return a.readUser(ctx, selectUser+`
		where u.login_key = nullif($1, '') or u.email_key = nullif($2, '') or u.phone = nullif($3, '')
		order by (u.email_key = $2) is true desc, (u.phone = $3) is true desc
		limit 1`, identity.Login, identity.Email, identity.Phone)
}

// User implements ports.AccountStore.
func (a *Accounts) User(ctx context.Context, id int64) (*domain.User, error) {
	return a.readUser(ctx, selectUser+"where u.id = $1", id)
}

func (a *Accounts) readUser(ctx context.Context, sql string, args ...any) (*domain.User, error) {
	var u domain.User
	err := a.db.pool.QueryRow(ctx, sql, args...).Scan(slices.Concat(
		[]any{&u.ID, &u.Registered, &u.Password.Made, &u.PasswordUsedBy, &u.Roles}, columnTargets(userColumns, &u), columnTargets(profileColumns, &u),
	)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read account: %w", unavailable(err))
	}
	u.Registered, u.Password.Made = u.Registered.UTC(), u.Password.Made.UTC()
	if len(u.Roles) == 0 {
		u.Roles = nil
	}
	return &u, nil
}

// UsePassword implements ports.AccountStore.
func (a *Accounts) UsePassword(ctx context.Context, id int64, hash string, browser []byte) error {
	var usedBy []byte
	err := a.db.pool.QueryRow(ctx, `
		update users set password_used_by = coalesce(password_used_by, $3) where id = $1 and password_hash = $2
		returning password_used_by`, id, hash, browser).Scan(&usedBy)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return ports.ErrChanged
	case err != nil:
		return fmt.Errorf("use password: %w", unavailable(err))
	case !bytes.Equal(usedBy, browser):
		return domain.ErrPasswordUsed
	}
	return nil
}

var setPasswordSQL = `
	with was as (select id, password_date from users where id = $1 and password_hash = $2 for update),
		changed as (
			update users set password_hash = $3, password_date = $4, password_used_by = null from was where users.id = was.id
			returning was.id, was.password_date),
		noted as (` + note{first: 5, from: "changed where password_date <> $4", user: "id"}.sql() + `)
	select exists (select from changed)`

// SetPassword implements ports.AccountStore.
func (a *Accounts) SetPassword(ctx context.Context, id int64, oldHash string, password domain.StoredPassword) error {
	var changed bool
	args := append([]any{id, oldHash, password.Hash, password.Made},
		noteArgs(ports.OriginOf(ctx), &domain.AuditEntry{Action: domain.ActionPasswordChanged})...)
	err := a.db.pool.QueryRow(ctx, setPasswordSQL, args...).Scan(&changed)
	switch {
	case err != nil:
		return fmt.Errorf("set password: %w", unavailable(err))
	case !changed:
		return ports.ErrChanged
	}
	return nil
}
