package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"rollcall/domain"
	"rollcall/ports"
)

// Accounts stores the accounts of users.
type Accounts struct{ db *DB }

// NewAccounts returns the store in db.
func NewAccounts(db *DB) *Accounts { return &Accounts{db} }

// rolesOfUser are the roles of one user.
const rolesOfUser = "array(select role from roles where roles.user_id = u.id order by role)"

// selectUser reads a user with profile and roles in one round trip, because every page reads its user. The tables allow a user without
// a profile.
var selectUser = fmt.Sprintf(`
	select u.id, u.reg_date, coalesce(u.code_id, 0), u.code_id is not distinct from 0, u.suspended_at, coalesce(u.must_change, false), u.password_date, u.password_used_by, `+rolesOfUser+`, %s, %s
	from users u left join profiles p on p.user_id = u.id `, columnReads("u", userColumns), columnReads("p", profileColumns))

// selectUsers reads many users. It reads all roles once, because few users have one.
var selectUsers = strings.NewReplacer(
	rolesOfUser, "r.roles",
	"from users u", "from users u left join (select user_id, array_agg(role order by role) as roles from roles group by user_id) r on r.user_id = u.id",
).Replace(selectUser)

// Find implements ports.AccountStore.
func (a *Accounts) Find(ctx context.Context, identity domain.Identity) (*domain.User, error) {
	return readUser(ctx, a.db.pool, selectUser+`
		where u.login_key = nullif($1, '') or u.email_key = nullif($2, '') or u.phone = nullif($3, '')
		order by (u.email_key = $2) is true desc, (u.phone = $3) is true desc
		limit 1`, identity.Login, identity.Email, identity.Phone)
}

// Owners implements ports.AccountStore.
func (a *Accounts) Owners(ctx context.Context, identities []domain.Identity) ([]int64, error) {
	logins, emails, phones := make([]string, len(identities)), make([]string, len(identities)), make([]string, len(identities))
	for i, identity := range identities {
		logins[i], emails[i], phones[i] = identity.Login, identity.Email, identity.Phone
	}
	rows, err := a.db.pool.Query(ctx, `
		select coalesce((
			select u.id from users u
			where u.login_key = nullif(i.login, '') or u.email_key = nullif(i.email, '') or u.phone = nullif(i.phone, '')
			order by (u.email_key = i.email) is true desc, (u.phone = i.phone) is true desc
			limit 1), 0)
		from unnest($1::text[], $2::text[], $3::text[]) with ordinality as i(login, email, phone, place)
		order by i.place`, logins, emails, phones)
	if err == nil {
		var ids []int64
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		if err == nil {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("find owners: %w", unavailable(err))
}

// User implements ports.AccountStore.
func (a *Accounts) User(ctx context.Context, id int64) (*domain.User, error) {
	return readUser(ctx, a.db.pool, selectUser+"where u.id = $1", id)
}

// querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func readUser(ctx context.Context, db querier, sql string, args ...any) (*domain.User, error) {
	u, err := scanUser(db.QueryRow(ctx, sql, args...))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read account: %w", unavailable(err))
	}
	return u, nil
}

// scanUser reads the columns of selectUser.
func scanUser[R pgx.Row](row R) (*domain.User, error) { return newUserScanner().scan(row) }

// A userScanner reads the columns of selectUser, and others after them, from one row after another.
type userScanner struct {
	user      domain.User
	suspended *time.Time
	targets   []any
	texts     []byte // of the current row
}

func newUserScanner(others ...any) *userScanner {
	s := &userScanner{}
	u := &s.user
	s.targets = slices.Concat(
		[]any{&u.ID, &u.Registered, &u.Import, &u.Self, &s.suspended, &u.ChangeRequired, &u.Password.Made, &u.PasswordUsedBy, &u.Roles},
		columnTargets(userColumns, u), columnTargets(profileColumns, u), others)
	return s
}

func (s *userScanner) scan(row pgx.Row) (*domain.User, error) {
	s.user = domain.User{}
	err := row.Scan(s.targets...)
	return s.current(), err
}

// scanMany is a faster scan of many rows in binary form. The texts of a user share one piece of memory.
func (s *userScanner) scanMany(row pgx.CollectableRow, types *pgtype.Map) (_ *domain.User, err error) {
	s.user, s.texts = domain.User{}, s.texts[:0]
	values := row.RawValues()
	for i, target := range s.targets {
		if _, isText := target.(*string); isText {
			s.texts = append(s.texts, values[i]...)
		}
	}
	texts := string(s.texts)
	for i, target := range s.targets {
		value := values[i]
		switch target := target.(type) {
		case *string:
			*target, texts = texts[:len(value)], texts[len(value):]
		case *int64:
			*target = int64(binary.BigEndian.Uint64(value))
		case *bool:
			*target = value[0] != 0
		case *time.Time:
			*target = timeIn(value)
		case **time.Time:
			*target = nil
			if value != nil {
				*target = new(timeIn(value))
			}
		case **domain.Date:
			if value != nil {
				*target = new(domain.Date(binary.BigEndian.Uint32(value)))
			}
		default: // a value that few users have
			if value != nil {
				column := &row.FieldDescriptions()[i]
				err = errors.Join(err, types.Scan(column.DataTypeOID, column.Format, value, target))
			}
		}
	}
	return s.current(), err
}

// timeIn returns a time in binary form.
func timeIn(value []byte) time.Time {
	return time.UnixMicro(postgresEpoch.Time().UnixMicro() + int64(binary.BigEndian.Uint64(value))).UTC()
}

// current returns the user of the row that was read.
func (s *userScanner) current() *domain.User {
	u := s.user
	u.Registered, u.Suspended, u.Password.Made = u.Registered.UTC(), timeOf(s.suspended), u.Password.Made.UTC()
	if len(u.Roles) == 0 {
		u.Roles = nil
	}
	return &u
}

// UsePassword implements ports.AccountStore.
func (a *Accounts) UsePassword(ctx context.Context, id int64, hash string, browser []byte) error {
	var usedBy []byte
	err := a.relisting(ctx, id, `
		update users set password_used_by = coalesce(password_used_by, $3) where id = $1 and password_hash = $2
		returning password_used_by`, []any{id, hash, browser}, &usedBy)
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

var signedInSQL = `
	with account as (select id from users where id = $1 and password_hash = $2 and suspended_at is null for share),
		recorded as (insert into sign_ins (user_id, at, address, browser) select id, $3, $4, $5 from account returning user_id),
		forgotten as (
			delete from sign_ins using account
			where user_id = id and ctid = any(array(select ctid from sign_ins where user_id = $1 order by at desc offset $6))),
		noted as (` + note{first: 7, from: "recorded", user: "recorded.user_id"}.sql() + `)
	select exists (select from recorded)`

// SignedIn implements ports.AccountStore. It locks the account until the sign-in is recorded.
func (a *Accounts) SignedIn(ctx context.Context, id int64, hash string, signIn domain.SignIn) error {
	var recorded bool
	args := append([]any{id, hash, signIn.Time, signIn.Address, signIn.Browser, domain.KeptSignIns - 1},
		noteArgs(ports.OriginOf(ctx), &domain.AuditEntry{Action: domain.ActionSignedIn})...)
	err := a.relisting(ctx, id, signedInSQL, args, &recorded)
	switch {
	case err != nil:
		return fmt.Errorf("record sign-in: %w", unavailable(err))
	case !recorded:
		return ports.ErrChanged
	}
	return nil
}

var setPasswordSQL = `
	with was as (select id, password_date from users where id = $1 and password_hash = $2 for update),
		changed as (
			update users set password_hash = $3, password_date = $4, password_used_by = null,
				must_change = case when users.password_date = $4 then must_change end from was where users.id = was.id
			returning was.id, was.password_date),
		noted as (` + note{first: 5, from: "changed where password_date <> $4", user: "id"}.sql() + `)
	select exists (select from changed)`

// SetPassword implements ports.AccountStore.
func (a *Accounts) SetPassword(ctx context.Context, id int64, oldHash string, password domain.StoredPassword) error {
	var changed bool
	args := append([]any{id, oldHash, password.Hash, password.Made},
		noteArgs(ports.OriginOf(ctx), &domain.AuditEntry{Action: domain.ActionPasswordChanged})...)
	err := a.relisting(ctx, id, setPasswordSQL, args, &changed)
	switch {
	case err != nil:
		return fmt.Errorf("set password: %w", unavailable(err))
	case !changed:
		return ports.ErrChanged
	}
	return nil
}

// relisting scans the one value of a statement that changes an account, and brings directory up to date, in one round trip and one
// transaction.
func (a *Accounts) relisting(ctx context.Context, id int64, sql string, args []any, value any) error {
	var batch pgx.Batch
	batch.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(value) })
	batch.Queue(relistUser, id)
	return a.db.pool.SendBatch(ctx, &batch).Close()
}
