package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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

// maxChangeAttempts is the number of attempts at a change that conflicts with other transactions.
const maxChangeAttempts = 4

// Change implements ports.DirectoryStore. Changes of the same account wait for each other. So do changes that could leave no operator.
func (d *Directory) Change(ctx context.Context, id int64, decide func(*domain.User) (ports.AccountChange, error)) error {
	return retry(ctx, maxChangeAttempts, func(int) (next, error) {
		err := d.change(ctx, id, decide)
		switch sqlState(err) {
		case uniqueViolation, deadlockDetected, serializationFailure: // a unique violation is a registration that came first
			return again, unavailable(err)
		case lockNotAvailable:
			return stop, fmt.Errorf("%w: %w", ports.ErrLocked, err)
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
	var users []*domain.User
	batch.Queue(lockUsers, []int64{id})
	queueRead(&batch, tx.Conn(), []int64{id}, &users)
	err = tx.SendBatch(ctx, &batch).Close()
	if err != nil {
		return fmt.Errorf("lock user: %w", mark(err))
	}
	if len(users) == 0 {
		return ports.ErrNotFound
	}
	change, err := decide(users[0])
	if err != nil {
		return err
	}
	err = d.apply(ctx, tx, users[0].ID, &change)
	if err != nil {
		return err
	}
	err = tx.Commit(ctx)
	if err != nil {
		return fmt.Errorf("commit change: %w", unavailable(err))
	}
	return nil
}

// lockUsers locks users in the order of their ids.
const lockUsers = "select from users where id = any($1) order by id for update"

// queueRead queues a query for users in the order of their ids. It is no part of lockUsers, because a statement does not see all that others
// have committed before the lock.
func queueRead(batch *pgx.Batch, conn *pgx.Conn, ids []int64, users *[]*domain.User) {
	batch.Queue(selectUsers+"where u.id = any($1) order by u.id", ids).Query(func(rows pgx.Rows) (err error) {
		scanner := newUserScanner()
		*users, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*domain.User, error) { return scanner.scanMany(row, conn.TypeMap()) })
		return err
	})
}

// apply makes a change.
func (d *Directory) apply(ctx context.Context, tx pgx.Tx, id int64, change *ports.AccountChange) error {
	if change.Deleted || !change.Suspended.IsZero() {
		err := checkLastOperator(ctx, tx, id)
		if err != nil {
			return err
		}
	}
	if change.Person != nil {
		err := checkTaken(ctx, tx, id, change.Person)
		if err != nil {
			return err
		}
	}
	var batch pgx.Batch
	if change.Person != nil {
		queuePerson(&batch, id, change.Person)
	}
	queueChanges(&batch, ports.OriginOf(ctx), []int64{id}, []ports.AccountChange{*change})
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

// queuePerson queues the statements that replace a person's data.
func queuePerson(batch *pgx.Batch, id int64, person *domain.Registration) {
	account := []domain.Account{{Registration: *person}}
	batch.Queue(updateUser, append(arrayArgs(userColumns, account), id)...)
	batch.Queue(updateProfile, append(arrayArgs(profileColumns, account), id)...)
	batch.Queue(againstList, int64(lockDirectory))
	batch.Queue(relistUsers, []int64{id})
	batch.Queue(rekeyUser, append(keyArgs(person), id)...)
}

// changed holds the users whom one statement changes, and its values.
type changed struct {
	ids    []int64
	texts  []string
	times  []time.Time
	fields []domain.Field
}

// temporarySince returns when each password was made, nil for those that are not temporary.
func temporarySince(passwords *changed) []*time.Time {
	since := make([]*time.Time, len(passwords.times))
	for i, hash := range passwords.texts {
		if strings.HasPrefix(hash, ports.TemporaryScheme) {
			since[i] = &passwords.times[i]
		}
	}
	return since
}

// queueChanges queues the statements that change users, except for those that replace a person's data. Each statement changes all of its
// users.
func queueChanges(batch *pgx.Batch, origin ports.Origin, ids []int64, changes []ports.AccountChange) {
	var groups, passwords, ended, over, required, suspended, restored, deleted changed
	notes := map[domain.Action]*changed{}
	for i := range changes {
		change, id := &changes[i], ids[i]
		if change.Group != nil {
			groups.ids, groups.texts = append(groups.ids, id), append(groups.texts, change.Group.String())
		}
		if change.Password != nil {
			passwords.ids, passwords.texts = append(passwords.ids, id), append(passwords.texts, change.Password.Hash)
			passwords.times = append(passwords.times, change.Password.Made)
		}
		if change.EndsSessions {
			ended.ids = append(ended.ids, id)
		}
		if change.EndsSessions || change.Password != nil || change.Deleted {
			over.ids = append(over.ids, id)
		}
		if change.ChangeRequired {
			required.ids = append(required.ids, id)
		}
		switch {
		case !change.Suspended.IsZero():
			suspended.ids, suspended.times = append(suspended.ids, id), append(suspended.times, change.Suspended)
		case change.Restored:
			restored.ids = append(restored.ids, id)
		case change.Deleted:
			deleted.ids = append(deleted.ids, id)
		}
		if change.Action != "" {
			if notes[change.Action] == nil {
				notes[change.Action] = &changed{fields: change.Fields}
			}
			notes[change.Action].ids = append(notes[change.Action].ids, id)
		}
	}
	queue := func(of *changed, statement string, more ...any) {
		if of.ids != nil {
			batch.Queue(statement, append([]any{of.ids}, more...)...)
		}
	}
	batch.Queue(againstList, int64(lockDirectory))
	queue(&groups, `update profiles set group_name = nullif(c.group_name, '') from unnest($1::bigint[], $2::text[]) c (id, group_name)
		where user_id = c.id`, groups.texts)
	queue(&passwords, `update users set password_hash = c.hash, password_date = c.made, password_used_by = null, must_change = null
		from unnest($1::bigint[], $2::text[], $3::timestamptz[]) c (id, hash, made) where users.id = c.id`, passwords.texts, passwords.times)
	// The date changes by so little that a temporary password expires when it would have.
	queue(&ended, "update users set password_date = password_date + interval '1 microsecond' where id = any($1)")
	queue(&over, "delete from sessions where user_id = any($1)") // which the other password_date ends already
	queue(&required, "update users set must_change = true where id = any($1)")
	queue(&suspended, `update users set suspended_at = c.at from unnest($1::bigint[], $2::timestamptz[]) c (id, at)
		where users.id = c.id`, suspended.times)
	queue(&suspended, "update uploads set cancelled = true where user_id = any($1) and job is not null")
	queue(&suspended, "delete from uploads where user_id = any($1) and job is null and state <> $2", domain.UploadImported)
	queue(&restored, "update users set suspended_at = null where id = any($1)")
	queueForgetting(batch, deleted.ids)
	queue(&passwords, relistPasswords, temporarySince(&passwords))
	queue(&changed{ids: slices.Concat(ended.ids, suspended.ids, restored.ids)}, relistUsers)
	queue(&groups, `update directory set group_key = nullif(c.group_key, '') from unnest($1::bigint[], $2::text[]) c (id, group_key)
		where user_id = c.id and name_key is not null`, groupKeys(groups.texts))
	for action, note := range notes {
		entry := domain.AuditEntry{Action: action}
		if note.fields != nil {
			entry.After = map[string]any{"fields": note.fields}
		}
		batch.Queue(noteUsersSQL, append(noteArgs(origin, &entry), note.ids)...)
	}
}

// noteUsersSQL adds an entry for each of many users.
var noteUsersSQL = note{first: 1, from: "unnest($11::bigint[]) changed (id)", user: "changed.id"}.sql()

// forgetSQL returns the statement that deletes the answers of a condition. Their keys stay until they expire: a request that is repeated must not
// register the person again.
func forgetSQL(condition string) string {
	return `with forgotten as (
			update idempotency_keys set forgotten = true, fingerprint = '', salt = '', notes = '{}', users = null where not forgotten and ` + condition + `
			returning key
		)
		delete from outcomes using forgotten where outcomes.key = forgotten.key`
}

// queueForgetting queues the deletion of accounts, and of what names their persons elsewhere.
func queueForgetting(batch *pgx.Batch, ids []int64) {
	if ids == nil {
		return
	}
	batch.Queue(forgetSQL("code_id in (select code_id from users where id = any($1))"), ids)
	batch.Queue(forgetSQL(`users is not null
		and key in (select key from idempotency_keys k, unnest(k.users) named (id) join unnest($1::bigint[]) d (id) using (id) where k.users is not null)`), ids)
	batch.Queue("update bad_users set original = null from users where users.id = any($1) and bad_users.login_key = users.login_key", ids)
	batch.Queue("delete from users where id = any($1)", ids)
	batch.Queue("delete from directory where user_id = any($1)", ids)
}
