package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// maxCreateAttempts bounds how often a registration is attempted that the database undoes.
const maxCreateAttempts = 4

// Registrations registers one user at a time.
type Registrations struct{ db *DB }

// NewRegistrations returns the store in db.
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
func (r *Registrations) Create(ctx context.Context, account domain.Account) (id int64, err error) {
	mayExist := false // an attempt may have created the account, and its answer was lost
	err = retry(ctx, maxCreateAttempts, func(int) (next, error) {
		conn, err := r.db.pool.Acquire(ctx)
		if err != nil {
			return stop, fmt.Errorf("connect: %w", unavailable(err))
		}
		id, err = insertAccount(ctx, conn.Conn(), &account)
		conn.Release()
		if err == nil {
			return stop, nil
		}
		state := sqlState(err)
		if state == uniqueViolation {
			if !mayExist {
				return stop, ports.ErrTaken
			}
			id, _, err = r.db.findStored(ctx, &account)
			return stop, err
		}
		mayExist = mayExist || isAway(err)
		failed := fmt.Errorf("create account: %w", unavailable(err))
		if isAway(err) || state == deadlockDetected || state == serializationFailure {
			return again, failed
		}
		return stop, failed
	})
	return id, err
}

var noteRegistrationSQL = note{first: 2, from: "users where login_key = $1", user: "id"}.sql()

// insertAccount inserts an account in one round trip, which is one transaction.
func insertAccount(ctx context.Context, conn *pgx.Conn, account *domain.Account) (id int64, err error) {
	accounts := []domain.Account{*account}
	var batch pgx.Batch
	batch.Queue("select set_config('lock_timeout', $1, true)", giveWay)
	batch.Queue(insertUsers, append(arrayArgs(userColumns, accounts), 0)...)
	batch.Queue(insertProfiles+" returning user_id", arrayArgs(profileArrays, accounts)...).
		QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
	batch.Queue(listRegistered, append(keyArgs(&account.Registration), account.Registration.Login.Key())...)
	batch.Queue(noteRegistrationSQL, append([]any{account.Registration.Login.Key()},
		noteArgs(ports.OriginOf(ctx), &domain.AuditEntry{Action: domain.ActionRegistered})...)...)
	return id, conn.SendBatch(ctx, &batch).Close()
}

// findStored returns the ids of an account and of its import, if an attempt stored them whose answer was lost. Otherwise it returns
// ports.ErrTaken. Hashes are salted, so no other account has the same one.
func (db *DB) findStored(ctx context.Context, account *domain.Account) (id, importID int64, err error) {
	err = db.pool.QueryRow(ctx, "select id, code_id from users where login_key = $1 and password_hash = $2",
		account.Registration.Login.Key(), account.PasswordHash).Scan(&id, &importID)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, ports.ErrTaken
	}
	if err != nil {
		return 0, 0, fmt.Errorf("find stored account: %w", unavailable(err))
	}
	return id, importID, settle(ctx, db.pool)
}
