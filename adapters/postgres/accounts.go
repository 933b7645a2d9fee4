package postgres

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"rollcall/domain"
	"rollcall/ports"
)

// Accounts keeps the accounts of people.
type Accounts struct{ db *DB }

// NewAccounts makes the store.
func NewAccounts(db *DB) *Accounts { return &Accounts{db} }

// userRow is a row of users with the one of profiles that belongs to it.
type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID             int64 `bun:",pk"`
	Login          string
	Email          string // empty for null, as Bun reads it
	Phone          string
	RegDate        time.Time
	PasswordHash   string
	PasswordDate   time.Time
	PasswordUsedBy []byte
	Roles          []domain.Role `bun:",array,scanonly"`
	Profile        *profileRow   `bun:"rel:has-one,join:id=user_id"`
}

type profileRow struct {
	bun.BaseModel `bun:"table:profiles"`

	UserID   int64
	Fname    string
	Lname    string
	Patr     string
	Birthday *time.Time `bun:"type:date"`
}

func (row *userRow) user() *domain.User {
	profile := cmp.Or(row.Profile, &profileRow{}) // the tables do not ask for one
	user := &domain.User{
		ID: row.ID, Login: row.Login, FirstName: profile.Fname, LastName: profile.Lname, Patronymic: profile.Patr,
		Email: row.Email, Phone: row.Phone, Registered: row.RegDate.UTC(),
		Password:       domain.StoredPassword{Hash: row.PasswordHash, Made: row.PasswordDate.UTC()},
		PasswordUsedBy: row.PasswordUsedBy,
	}
	if len(row.Roles) > 0 {
		user.Roles = row.Roles
	}
	if profile.Birthday != nil {
		date := domain.DateOf(*profile.Birthday)
		user.Birthday = &date
	}
	return user
}

// selectUsers reads rows of users, whole: as few round trips as there can be, since every page asks who it is for.
func (a *Accounts) selectUsers(rows any) *bun.SelectQuery {
	return a.db.bun.NewSelect().Model(rows).Relation("Profile").
		ColumnExpr("?TableColumns").ColumnExpr("array(select role from roles where roles.user_id = u.id order by role) as roles")
}

// Find implements ports.Accounts.
func (a *Accounts) Find(ctx context.Context, identity domain.Identity) (*domain.User, error) {
	var row userRow
	err := a.selectUsers(&row).
		Where("login_key = NULLIF(?, '')", identity.Login).
		WhereOr("email_key = NULLIF(?, '')", identity.Email).
		WhereOr("phone = NULLIF(?, '')", identity.Phone).
		OrderExpr("email_key = ? IS TRUE DESC, phone = ? IS TRUE DESC", identity.Email, identity.Phone).Limit(1).
		Scan(ctx)
	return row.found(err)
}

// User implements ports.Accounts.
func (a *Accounts) User(ctx context.Context, id int64) (*domain.User, error) {
	var row userRow
	err := a.selectUsers(&row).Where("u.id = ?", id).Scan(ctx)
	return row.found(err)
}

// found returns the user of a row that was read, unless there was an error.
func (row *userRow) found(err error) (*domain.User, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read account: %w", unavailable(err))
	}
	return row.user(), nil
}

// UsePassword implements ports.Accounts.
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

// SetPassword implements ports.Accounts.
func (a *Accounts) SetPassword(ctx context.Context, id int64, oldHash string, password domain.StoredPassword) error {
	result, err := a.db.bun.NewUpdate().Table("users").
		Set("password_hash = ?, password_date = ?, password_used_by = null", password.Hash, password.Made).
		Where("id = ? AND password_hash = ?", id, oldHash).Exec(ctx)
	if err != nil {
		return fmt.Errorf("set password: %w", unavailable(err))
	}
	if changed, _ := result.RowsAffected(); changed == 0 { // which pgx always knows
		return ports.ErrChanged
	}
	return nil
}
