package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// Registrations takes people in one at a time.
type Registrations struct{ db *DB }

// NewRegistrations makes the store.
func NewRegistrations(db *DB) *Registrations { return &Registrations{db} }

// Taken implements ports.Registrations.
func (r *Registrations) Taken(ctx context.Context, registration *domain.Registration) (*domain.Taken, error) {
	taken := domain.NewTaken()
	rows, err := r.db.pool.Query(ctx, takenSQL,
		[]string{registration.Login.Key()}, []string{registration.Email.Key()}, []string{registration.Phone.String()})
	if err == nil {
		_, err = addTaken(rows, taken)
	}
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", unavailable(err))
	}
	return taken, nil
}

// Create implements ports.Registrations.
func (r *Registrations) Create(ctx context.Context, account domain.Account) (int64, error) {
	var id int64
	err := pgx.BeginFunc(ctx, r.db.pool, func(tx pgx.Tx) error {
		var batch pgx.Batch
		reg := &account.Registration
		batch.Queue("select set_config('lock_timeout', $1, true)", giveWay)
		batch.Queue(`
			insert into users (login, login_key, password_hash, email, email_key, phone)
			values ($1, $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, '')) returning id`,
			reg.Login.String(), reg.Login.Key(), account.PasswordHash, reg.Email.String(), reg.Email.Key(), reg.Phone.String()).
			QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
		var birthday *domain.Date
		if date, given := reg.Birthday.Date(); given {
			birthday = &date
		}
		batch.Queue(`
			insert into profiles (fname, lname, patr, birthday, user_id)
			values ($1, $2, $3, date '1970-01-01' + $4::int, (select id from users where login_key = $5))`,
			reg.Name.First.String(), reg.Name.Last.String(), reg.Name.Patronymic.String(), birthday, reg.Login.Key())
		return tx.SendBatch(ctx, &batch).Close()
	})
	if sqlState(err) == uniqueViolation {
		return 0, ports.ErrTaken
	}
	if err != nil {
		return 0, fmt.Errorf("create account: %w", unavailable(err))
	}
	return id, nil
}
