package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// The values of directory.standing. A user has one of them.
const (
	standsSuspended = iota
	standsUnused    // has a temporary password, and has never signed in
	standsTemporary // has used a temporary password
	standsChosen
)

// standingSQL returns the columns of directory from import on, in their order, for a user. The last sign-in remains when the list of
// sign-ins drops it.
const standingSQL = `
	nullif(u.code_id, 0), u.reg_date, s.at,
	case when u.suspended_at is not null then 0 when not starts_with(u.password_hash, '` + ports.TemporaryScheme + `') then 3
		when u.password_used_by is null and s.at is null then 1 else 2 end::smallint,
	case when starts_with(u.password_hash, '` + ports.TemporaryScheme + `') then u.password_date end`

const lastSignInSQL = "left join lateral (select max(at) from sign_ins where sign_ins.user_id = u.id) s (at) on true"

// relistSQL returns the statement that brings directory up to date with the users of a condition over u, except for their keys. A user who
// is not in it yet gets a row, which is found once List has added the keys: List and the change see each other by that row.
func relistSQL(condition string) string {
	return `insert into directory as d (user_id, import, registered, last_sign_in, standing, temporary_since)
		select u.id, ` + standingSQL + " from users u " + lastSignInSQL + " where " + condition + `
		on conflict (user_id) do update set last_sign_in = greatest(d.last_sign_in, excluded.last_sign_in),
			standing = excluded.standing, temporary_since = excluded.temporary_since
		where (d.last_sign_in, d.standing, d.temporary_since) is distinct from (excluded.last_sign_in, excluded.standing, excluded.temporary_since)`
}

var (
	relistUser  = relistSQL("u.id = $1")
	relistUsers = relistSQL("u.id = any($1)")
)

// relistPasswords records new passwords that nothing has used yet, with the time at which a temporary one was made, null for another one. It
// reads only the users who are not in directory.
var relistPasswords = `
	with listed as (
		update directory d set temporary_since = c.since,
			standing = case when d.standing = 0 then 0 when c.since is null then 3 when d.last_sign_in is null then 1 else 2 end
		from unnest($1::bigint[], $2::timestamptz[]) c (id, since) where d.user_id = c.id
		returning d.user_id
	) ` + relistSQL("u.id = any(array(select unnest($1::bigint[]) except select user_id from listed))")

// rekeyUser sets the keys of a user who is in directory.
const rekeyUser = `
	update directory set name_key = $1, first_key = $2, further_key = nullif($3, ''), group_key = nullif($4, '') where user_id = $5`

func keyArgs(registration *domain.Registration) []any {
	keys := keysOf(&domain.User{
		LastName: registration.Name.Last.String(), FirstName: registration.Name.First.String(),
		Patronymic: registration.Name.Patronymic.String(), Group: registration.Group.String(),
	})
	return []any{keys[0], keys[1], keys[2], keys[3]}
}

func groupKeys(groups []string) []string {
	keys := make([]string, len(groups))
	for i, group := range groups {
		keys[i] = domain.GroupKey(group)
	}
	return keys
}

// keysOf returns the keys by which a user is found: name_key, first_key, further_key and group_key.
func keysOf(user *domain.User) [4]string {
	return [4]string{domain.NameKey(user), domain.FirstNameKey(user), domain.FurtherNameKey(user), domain.GroupKey(user.Group)}
}

const listInto = `
	insert into directory as d (user_id, name_key, first_key, further_key, group_key, import, registered, last_sign_in, standing, temporary_since)
	select u.id, k.name_key, k.first_key, nullif(k.further_key, ''), nullif(k.group_key, ''), ` + standingSQL

// listRegistered adds a user who registers, found by the login.
const listRegistered = listInto + " from users u " + lastSignInSQL + ", (select $1::text, $2::text, $3::text, $4::text) k (name_key, first_key, further_key, group_key) where u.login_key = $5"

// listSQL adds users with their keys. A row that a change has added meanwhile gets the keys alone. The subquery makes PostgreSQL look up each
// user: after an import into an almost empty table, its planner may expect one user, and would compare all users with all keys.
const listSQL = listInto + `
	from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) k (user_id, name_key, first_key, further_key, group_key)
		cross join lateral (
			select id, code_id, reg_date, suspended_at, password_hash, password_date, password_used_by from users where id = k.user_id offset 0
		) u ` + lastSignInSQL + `
	on conflict (user_id) do update set name_key = excluded.name_key, first_key = excluded.first_key, further_key = excluded.further_key,
		group_key = excluded.group_key
		where d.name_key is null`

// listUsers is the number of users that List adds in a transaction. It takes about a tenth of a second, for which changes by operators wait.
const listUsers = 2000

// listImports is the largest number of imports whose users List adds in a transaction.
const listImports = 1000

const (
	namesSQL = "coalesce(p.lname, ''), coalesce(p.fname, ''), coalesce(p.patr, ''), coalesce(p.group_name, '')"

	// profileSQL looks up each profile as listSQL looks up each user.
	profileSQL = "left join lateral (select lname, fname, patr, group_name from profiles where user_id = u.id offset 0) p on true"

	// unlistedSQL reads users of imports, those of the smallest import first. An import without any has one row.
	unlistedSQL = `
		select c.id, u.id, ` + namesSQL + `
		from (
				select id, created, unlisted_after, unlisted_until, sum(created) over (order by created, id) - created as before
				from (select id, created, unlisted_after, unlisted_until from codes where unlisted_until is not null order by created, id limit $1) c
			) c left join lateral (
				select id from users where id > c.unlisted_after and id <= c.unlisted_until and code_id = c.id order by id limit least($2, c.created)
			) u on true
			` + profileSQL + `
		where c.before < $2
		order by c.created, c.id, u.id limit $2`

	// listedSQL records that all users of some imports are listed, and those of another one up to an id.
	listedSQL = `
		update codes set unlisted_after = case when id = $2 then $3 else unlisted_after end,
			unlisted_until = case when id = $2 then unlisted_until end
		where id = any($1) or id = $2`

	// countUnlistedSQL counts no more users than the imports registered: other imports may have ids in between.
	countUnlistedSQL = `
		select coalesce(sum(least(created, unlisted_until - unlisted_after)), 0)::bigint from codes where unlisted_until is not null`
)

// List implements ports.UserStore. Instances take turns.
func (s *Users) List(ctx context.Context) (unlisted int, err error) {
	err = s.list(ctx, listUsers, "0")
	if err == nil {
		err = s.db.pool.QueryRow(ctx, countUnlistedSQL).Scan(&unlisted)
	}
	if err != nil {
		return 0, fmt.Errorf("list users: %w", unavailable(err))
	}
	return unlisted, nil
}

// list adds the users of imports, up to a number. It waits for locks for at most a lock_timeout, 0 for no limit.
func (s *Users) list(ctx context.Context, limit int, lockTimeout string) error {
	return s.fill(ctx, lockTimeout, func(tx pgx.Tx) (users []keyed, err error) {
		var listed []int64 // imports all of whose users are listed
		var last, to int64 // the import of the last row, and its last user; 0 for none
		rows, err := tx.Query(ctx, unlistedSQL, listImports, limit)
		if err != nil {
			return nil, err
		}
		var codeID int64
		var id *int64
		var user domain.User
		count := 0
		_, err = pgx.ForEachRow(rows, []any{&codeID, &id, &user.LastName, &user.FirstName, &user.Patronymic, &user.Group}, func() error {
			count++
			if codeID != last {
				listed, last, to = append(listed, codeID), codeID, 0
			}
			if id != nil {
				users, to = append(users, keyed{*id, keysOf(&user)}), *id
			}
			return nil
		})
		if err != nil || count == 0 {
			return nil, err
		}
		var partly int64
		if count == limit && to != 0 {
			listed, partly = listed[:len(listed)-1], last
		}
		_, err = tx.Exec(ctx, listedSQL, listed, partly, to)
		return users, err
	})
}

// keyed holds the keys of a user.
type keyed struct {
	id   int64
	keys [4]string
}

// fill adds the users that pick returns. Its lock blocks deletions and changes of names.
func (s *Users) fill(ctx context.Context, lockTimeout string, pick func(pgx.Tx) ([]keyed, error)) error {
	return pgx.BeginFunc(ctx, s.db.pool, func(tx pgx.Tx) error {
		var batch pgx.Batch
		batch.Queue("select set_config('lock_timeout', $1, true)", lockTimeout)
		batch.Queue("select pg_advisory_xact_lock($1)", int64(lockDirectory))
		batch.Queue(byIndex)
		err := tx.SendBatch(ctx, &batch).Close()
		if err != nil {
			return err
		}
		users, err := pick(tx)
		if err != nil || len(users) == 0 {
			return err
		}
		ids, keys := make([]int64, len(users)), [4][]string{}
		for i, user := range users {
			ids[i] = user.id
			for k, key := range user.keys {
				keys[k] = append(keys[k], key)
			}
		}
		_, err = tx.Exec(ctx, listSQL, ids, keys[0], keys[1], keys[2], keys[3])
		return err
	})
}

// againstList keeps List from adding users until the end of a transaction that deletes users or changes names or groups.
const againstList = "select pg_advisory_xact_lock_shared($1)"

const (
	// staleSQL finds the users of a range of ids who are not in directory, or not as they are: the takeover and the previous version of
	// the program do not write it.
	staleSQL = `
		select u.id from users u left join directory d on d.user_id = u.id left join (select user_id, max(at) from sign_ins group by 1) s (user_id, at) on s.user_id = u.id,
			lateral (select ` + standingSQL + `) n (import, registered, last_sign_in, standing, temporary_since)
		where d.name_key is null or d.last_sign_in < n.last_sign_in
			or (d.standing, d.temporary_since, d.last_sign_in is null) is distinct from (n.standing, n.temporary_since, n.last_sign_in is null)
		order by u.id limit $1`

	goneSQL = "delete from directory d where not exists (select from users where id = d.user_id)"
)

// staleUsers is the number of stale users from one reading of all users.
const staleUsers = 200_000

// Reconcile adds to the directory all users that it lacks, and removes those that are deleted.
func (s *Users) Reconcile(ctx context.Context) error {
	for {
		rows, err := s.db.pool.Query(ctx, staleSQL, staleUsers)
		if err != nil {
			return fmt.Errorf("find users that are not listed: %w", unavailable(err))
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("find users that are not listed: %w", unavailable(err))
		}
		for at := 0; at < len(ids); at += listUsers {
			err = s.listAgain(ctx, ids[at:min(at+listUsers, len(ids))])
			if err != nil {
				return fmt.Errorf("list users again: %w", unavailable(err))
			}
		}
		if len(ids) < staleUsers {
			break
		}
	}
	_, err := s.db.pool.Exec(ctx, goneSQL)
	if err != nil {
		return fmt.Errorf("remove deleted users: %w", unavailable(err))
	}
	return nil
}

func (s *Users) listAgain(ctx context.Context, ids []int64) error {
	return s.fill(ctx, "0", func(tx pgx.Tx) ([]keyed, error) {
		_, err := tx.Exec(ctx, relistUsers, ids)
		if err != nil {
			return nil, err
		}
		rows, err := tx.Query(ctx, "select u.id, "+namesSQL+" from users u "+profileSQL+" where u.id = any($1)", ids)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, func(row pgx.CollectableRow) (k keyed, err error) {
			var user domain.User
			err = row.Scan(&k.id, &user.LastName, &user.FirstName, &user.Patronymic, &user.Group)
			k.keys = keysOf(&user)
			return k, err
		})
	})
}
