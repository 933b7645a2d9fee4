package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// maxCreateRuns bounds how often an account is stored when the database undoes it.
const maxCreateRuns = 4

// Registrations takes people in one at a time.
type Registrations struct{ db *DB }

// NewRegistrations makes the store.
func NewRegistrations(db *DB) *Registrations { return &Registrations{db} }

// Taken implements ports.RegistrationStore.
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

// Create implements ports.RegistrationStore.
func (r *Registrations) Create(ctx context.Context, account domain.Account) (int64, error) {
	lost := false
	for run := 1; ; run++ {
		conn, err := r.db.pool.Acquire(ctx)
		if err != nil {
			return 0, fmt.Errorf("connect: %w", unavailable(err))
		}
		id, err := insertAccount(ctx, conn.Conn(), &account)
		conn.Release()
		state := sqlState(err)
		switch {
		case err == nil:
			return id, nil
		case state == uniqueViolation && lost:
			return r.find(ctx, &account)
		case state == uniqueViolation:
			return 0, ports.ErrTaken
		case run < maxCreateRuns && isAway(err): // it may be stored all the same
			lost = true
		case run < maxCreateRuns && (state == deadlockDetected || state == serializationFailure):
		default:
			return 0, fmt.Errorf("create account: %w", unavailable(err))
		}
	}
}

// insertAccount makes one round trip. What is sent in one is one transaction, which has ended when the answer is here.
func insertAccount(ctx context.Context, conn *pgx.Conn, account *domain.Account) (id int64, err error) {
	reg := &account.Registration
	var birthday *domain.Date
	if date, given := reg.Birthday.Date(); given {
		birthday = &date
	}
	var batch pgx.Batch
	batch.Queue("select set_config('lock_timeout', $1, true)", giveWay)
	batch.Queue(`
		with u as (
			insert into users (login, login_key, password_hash, email, email_key, phone)
			values ($1, $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, '')) returning id)
		insert into profiles (fname, lname, patr, birthday, user_id)
		select $7, $8, $9, date '1970-01-01' + $10::int, id from u returning user_id`,
		reg.Login.String(), reg.Login.Key(), account.PasswordHash, reg.Email.String(), reg.Email.Key(), reg.Phone.String(),
		reg.Name.First.String(), reg.Name.Last.String(), reg.Name.Patronymic.String(), birthday).
		QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
	return id, conn.SendBatch(ctx, &batch).Close()
}

// find finds the account that was stored by a run whose answer was lost, and is in the way of the next. Hashes are salted:
// no other account has this one.
func (r *Registrations) find(ctx context.Context, account *domain.Account) (id int64, err error) {
	err = r.db.pool.QueryRow(ctx, "select id from users where login_key = $1 and password_hash = $2",
		account.Registration.Login.Key(), account.PasswordHash).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ports.ErrTaken
	}
	if err != nil {
		return 0, fmt.Errorf("find created account: %w", unavailable(err))
	}
	return id, settle(ctx, r.db.pool)
}
