package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// Directory stores what operators change in accounts.
type Directory struct{ db *DB }

// NewDirectory returns the store in db.
func NewDirectory(db *DB) *Directory { return &Directory{db} }

// SignIns implements ports.DirectoryStore.
func (d *Directory) SignIns(ctx context.Context, id int64) ([]domain.SignIn, error) {
	rows, err := d.db.pool.Query(ctx, "select at, address, browser from sign_ins where user_id = $1 order by at desc limit $2", id, domain.KeptSignIns)
	if err != nil {
		return nil, fmt.Errorf("read sign-ins: %w", unavailable(err))
	}
	signIns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s domain.SignIn, err error) {
		err = row.Scan(&s.Time, &s.Address, &s.Browser)
		s.Time = s.Time.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("read sign-ins: %w", unavailable(err))
	}
	return signIns, nil
}

// maxChangeAttempts bounds how often a change is attempted that another transaction undoes.
const maxChangeAttempts = 4

// Change implements ports.DirectoryStore. A change of the same account waits for the one before. So does one that could leave no operator.
func (d *Directory) Change(ctx context.Context, id int64, decide func(*domain.User) (ports.AccountChange, error)) error {
	return retry(ctx, maxChangeAttempts, func(int) (next, error) {
		err := d.change(ctx, id, decide)
		switch sqlState(err) {
		case uniqueViolation, deadlockDetected, serializationFailure: // a unique violation is a registration that came first
			return again, unavailable(err)
		}
		return stop, err
	})
}

func (d *Directory) change(ctx context.Context, id int64, decide func(*domain.User) (ports.AccountChange, error)) error {
	tx, err := d.db.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // without effect after a commit

	var batch pgx.Batch
	batch.Queue("select set_config('lock_timeout', $1, true)", giveWay)
	batch.Queue("select pg_advisory_xact_lock($1)", int64(lockRoles))
	err = tx.SendBatch(ctx, &batch).Close()
	if err != nil {
		return fmt.Errorf("lock: %w", unavailable(err))
	}
	user, err := readUser(ctx, tx, selectUser+"where u.id = $1 for update of u", id)
	if err != nil {
		return err
	}
	change, err := decide(user)
	if err != nil {
		return err
	}
	err = d.apply(ctx, tx, user, &change)
	if err != nil {
		return err
	}
	err = tx.Commit(ctx)
	if err != nil {
		return fmt.Errorf("commit change: %w", unavailable(err))
	}
	return nil
}

// apply makes a change.
func (d *Directory) apply(ctx context.Context, tx pgx.Tx, user *domain.User, change *ports.AccountChange) error {
	if change.Deleted || !change.Suspended.IsZero() {
		err := checkLastOperator(ctx, tx, user.ID)
		if err != nil {
			return err
		}
	}
	if change.Person != nil {
		err := checkTaken(ctx, tx, user.ID, change.Person)
		if err != nil {
			return err
		}
	}
	var batch pgx.Batch
	queueChange(&batch, user.ID, change)
	if change.Action != "" {
		entry := domain.AuditEntry{Action: change.Action, User: user.ID}
		if change.Fields != nil {
			entry.After = map[string]any{"fields": change.Fields}
		}
		batch.Queue(recordSQL, noteArgs(ports.OriginOf(ctx), &entry)...)
	}
	err := tx.SendBatch(ctx, &batch).Close()
	if err != nil {
		return fmt.Errorf("change account: %w", mark(err))
	}
	return nil
}

// mark marks an error as unavailable, except those after which a change is attempted again.
func mark(err error) error {
	switch sqlState(err) {
	case uniqueViolation, deadlockDetected, serializationFailure:
		return err
	}
	return unavailable(err)
}

func checkLastOperator(ctx context.Context, tx pgx.Tx, id int64) error {
	var isLast bool
	err := tx.QueryRow(ctx, "select array[$1::bigint] = array("+operatorsSQL+")", id).Scan(&isLast)
	switch {
	case err != nil:
		return fmt.Errorf("look for other operators: %w", unavailable(err))
	case isLast:
		return domain.ErrLastOperator
	}
	return nil
}

// checkTaken returns a *domain.RejectedError if a key of a person belongs to another account.
func checkTaken(ctx context.Context, tx pgx.Tx, id int64, person *domain.Registration) error {
	rows, err := tx.Query(ctx, `
		select 'login' from users where login_key = $2 and id <> $1 union all
		select 'email' from users where email_key = nullif($3, '') and id <> $1 union all
		select 'phone' from users where phone = nullif($4, '') and id <> $1`,
		id, person.Login.Key(), person.Email.Key(), person.Phone.String())
	if err != nil {
		return fmt.Errorf("look up keys: %w", unavailable(err))
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[domain.Field])
	if err != nil {
		return fmt.Errorf("look up keys: %w", unavailable(err))
	}
	if len(taken) == 0 {
		return nil
	}
	rejected := &domain.RejectedError{}
	for _, field := range taken {
		rejected.Violations = append(rejected.Violations, domain.Violation{Field: field, Code: domain.CodeTaken})
	}
	return rejected
}

// The statements that replace a person's data, given as columnArrays of one account, with the user's id as the last parameter.
var (
	updateUser    = updateSQL("users", "id", userColumns, func(c *accountColumn) bool { return c.name != "password_hash" })
	updateProfile = updateSQL("profiles", "user_id", profileColumns, func(*accountColumn) bool { return true })
)

// updateSQL returns the statement that sets columns of the row whose key is the last parameter.
func updateSQL(table, key string, columns []accountColumn, isSet func(*accountColumn) bool) string {
	var names, values []string
	for i := range columns {
		if isSet(&columns[i]) {
			names, values = append(names, columns[i].name), append(values, columnValues(columns[i:i+1]))
		}
	}
	return fmt.Sprintf("update %s set (%s) = (select %s from %s) where %s = $%d",
		table, strings.Join(names, ", "), strings.Join(values, ", "), columnArrays(columns), key, len(columns)+1)
}

// queueChange queues the statements of a change.
func queueChange(batch *pgx.Batch, id int64, change *ports.AccountChange) {
	if change.Person != nil {
		person := []domain.Account{{Registration: *change.Person}}
		batch.Queue(updateUser, append(arrayArgs(userColumns, person), id)...)
		batch.Queue(updateProfile, append(arrayArgs(profileColumns, person), id)...)
	}
	if change.Password != nil {
		batch.Queue("update users set password_hash = $2, password_date = $3, password_used_by = null, must_change = null where id = $1",
			id, change.Password.Hash, change.Password.Made)
	}
	if change.EndsSessions { // the date changes by so little that a temporary password expires when it would have
		batch.Queue("update users set password_date = password_date + interval '1 microsecond' where id = $1", id)
	}
	if change.EndsSessions || change.Password != nil || change.Deleted { // which the other password_date ends already
		batch.Queue("delete from sessions where user_id = $1", id)
	}
	if change.ChangeRequired {
		batch.Queue("update users set must_change = true where id = $1", id)
	}
	switch {
	case !change.Suspended.IsZero():
		batch.Queue("update users set suspended_at = $2 where id = $1", id, change.Suspended)
		batch.Queue("update uploads set cancelled = true where user_id = $1 and job is not null", id)
		batch.Queue("delete from uploads where user_id = $1 and job is null and state <> $2", id, domain.UploadImported)
	case change.Restored:
		batch.Queue("update users set suspended_at = null where id = $1", id)
	case change.Deleted:
		batch.Queue("delete from idempotency_keys using users where users.id = $1 and idempotency_keys.code_id = users.code_id", id)
		batch.Queue("update bad_users set original = null from users where users.id = $1 and bad_users.login_key = users.login_key", id)
		batch.Queue("delete from users where id = $1", id)
	}
}
