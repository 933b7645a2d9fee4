package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
)

// A clash is a group of users of which one can keep a value. The first one keeps it.
type clash struct {
	field  domain.Field
	first  clashing
	others []clashing

	contact domain.Field // what the login of one user is for the other one: an email or a phone; empty for a clash of one field
	losers  domain.Field // the field that others lose
}

// A clashing is a user in a clash.
type clashing struct {
	id    int64
	login string
	value string // of the field that clashes
}

// resolveClashes adds the unique keys of users. If they clash, it finds all clashes, and resolves them if the first ones keep their
// values. Renamed users can clash again, so it repeats this.
func (t *takeover) resolveClashes(ctx context.Context) error {
	for {
		err := t.exec(ctx, "savepoint clashes")
		if err != nil {
			return err
		}
		err = t.addUnique(ctx, "users")
		var clashes []clash
		switch {
		case sqlState(err) == uniqueViolation:
			err = t.exec(ctx, "rollback to savepoint clashes")
			if err == nil {
				clashes, err = t.clashingKeys(ctx)
			}
		case err == nil:
			clashes, err = t.clashingLogins(ctx)
		}
		if err != nil {
			return err
		}
		if len(clashes) == 0 {
			return nil
		}
		err = t.report(clashes)
		if err != nil {
			return err
		}
		if !t.cfg.KeepFirst {
			return t.withoutKeepFirst(ctx, clashes)
		}
		err = t.exec(ctx, "rollback to savepoint clashes") // without the keys, changes are faster
		if err == nil {
			err = t.resolve(ctx, clashes)
		}
		if err != nil {
			return err
		}
	}
}

// withoutKeepFirst ends a takeover. A check continues, but first finds the logins that are contacts of others.
func (t *takeover) withoutKeepFirst(ctx context.Context, clashes []clash) error {
	if clashes[0].contact == "" {
		more, err := t.clashingLogins(ctx)
		err = errors.Join(err, t.report(more))
		if err != nil {
			return err
		}
	}
	t.clashed = true
	if !t.cfg.Check {
		return ErrClashes
	}
	return nil
}

func (t *takeover) report(clashes []clash) error {
	for _, c := range clashes {
		for _, other := range c.others {
			err := t.found(Finding{
				Kind: FindingClash, ID: other.id, Login: other.login, Field: c.field, Value: string(c.contact), Other: c.first.id, OtherLogin: c.first.login,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// clashingKeys returns the groups of users with the same key.
func (t *takeover) clashingKeys(ctx context.Context) (clashes []clash, err error) {
	for _, key := range []struct {
		field         domain.Field
		column, value string
	}{
		{domain.FieldLogin, "login_key", "login"},
		{domain.FieldEmail, "email_key", "email"},
		{domain.FieldPhone, "phone", "phone"},
	} {
		rows, err := t.conn.Query(ctx, fmt.Sprintf(`
			select %[1]s, id, login, %[2]s
			from users
			where %[1]s in (select %[1]s from users where %[1]s is not null group by %[1]s having count(*) > 1)
			order by %[1]s, id`, key.column, key.value))
		if err != nil {
			return nil, err
		}
		var last, text string
		var user clashing
		group := -1
		_, err = pgx.ForEachRow(rows, []any{&text, &user.id, &user.login, &user.value}, func() error {
			if group < 0 || text != last {
				clashes = append(clashes, clash{field: key.field, losers: key.field, first: user})
				group, last = len(clashes)-1, text
				return nil
			}
			clashes[group].others = append(clashes[group].others, user)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return clashes, nil
}

// clashingLogins returns the pairs of a user whose login reads as an email or phone, and the user who has it. By this name the program
// would find only the second one.
func (t *takeover) clashingLogins(ctx context.Context) (clashes []clash, err error) {
	ids, emails, phones := make([]int64, 0, len(t.claims)), make([]string, 0, len(t.claims)), make([]string, 0, len(t.claims))
	for id, claim := range t.claims {
		ids, emails, phones = append(ids, id), append(emails, claim.Email), append(phones, claim.Phone)
	}
	for _, contact := range []struct {
		field           domain.Field
		column, column2 string
	}{
		{domain.FieldEmail, "email_key", "email"},
		{domain.FieldPhone, "phone", "phone"},
	} {
		rows, err := t.conn.Query(ctx, fmt.Sprintf(`
			select a.id, a.login, u.id, u.login, u.%[2]s
			from unnest($1::bigint[], $2::text[], $3::text[]) c (id, email_key, phone)
				join users u on u.%[1]s = nullif(c.%[1]s, '') and u.id <> c.id
				join users a on a.id = c.id
			order by a.id, u.id`, contact.column, contact.column2), ids, emails, phones)
		if err != nil {
			return nil, err
		}
		var named, owner clashing
		_, err = pgx.ForEachRow(rows, []any{&named.id, &named.login, &owner.id, &owner.login, &owner.value}, func() error {
			c := clash{field: domain.FieldLogin, contact: contact.field, first: owner, others: []clashing{named}, losers: domain.FieldLogin}
			if named.id < owner.id {
				c.first, c.others, c.losers = named, []clashing{owner}, contact.field
			}
			clashes = append(clashes, c)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return clashes, nil
}

// resolve takes from the later users what clashes, and gives them other logins.
func (t *takeover) resolve(ctx context.Context, clashes []clash) error {
	type loss struct {
		field domain.Field
		id    int64
	}
	lost, isLost := map[domain.Field][]clashing{}, map[loss]bool{}
	for _, c := range clashes {
		for _, loser := range c.others {
			if one := (loss{c.losers, loser.id}); !isLost[one] {
				isLost[one] = true
				lost[c.losers] = append(lost[c.losers], loser)
			}
		}
	}
	for _, contact := range []struct {
		field     domain.Field
		statement string
	}{
		{domain.FieldEmail, "update users set email = null, email_key = null where id = any($1)"},
		{domain.FieldPhone, "update users set phone = null where id = any($1)"},
	} {
		var ids []int64
		for _, user := range lost[contact.field] {
			ids = append(ids, user.id)
			t.claim(user.id, user.login) // the contact that it reads as may have been the user's own
			err := t.found(Finding{Kind: FindingContactLost, ID: user.id, Login: user.login, Field: contact.field, Value: user.value})
			if err != nil {
				return err
			}
		}
		_, err := t.conn.Exec(ctx, contact.statement, ids)
		if err != nil {
			return err
		}
	}
	return t.rename(ctx, lost[domain.FieldLogin])
}

// claim sets the contacts that a user's login reads as.
func (t *takeover) claim(user int64, login string) {
	delete(t.claims, user)
	read := domain.NewIdentity(login, t.cfg.Rules.Region)
	if read.Email != "" || read.Phone != "" {
		t.claims[user] = read
	}
}

// rename gives users their logins with -2 at the end, or with the next number that is free.
func (t *takeover) rename(ctx context.Context, users []clashing) error {
	given := map[string]bool{} // keys
	for number := 2; len(users) > 0; number++ {
		keys := make([]string, len(users))
		for i, user := range users {
			keys[i] = domain.RestoreLogin(fmt.Sprintf("%s-%d", user.login, number)).Key()
		}
		rows, err := t.conn.Query(ctx, "select login_key from users where login_key = any($1)", keys)
		if err != nil {
			return err
		}
		taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, key := range taken {
			given[key] = true
		}
		var ids []int64
		var logins, newKeys []string
		var rest []clashing
		for i, user := range users {
			if given[keys[i]] {
				rest = append(rest, user)
				continue
			}
			given[keys[i]] = true
			login := fmt.Sprintf("%s-%d", user.login, number)
			ids, logins, newKeys = append(ids, user.id), append(logins, login), append(newKeys, keys[i])
			err = t.found(Finding{Kind: FindingRenamed, ID: user.id, Login: user.login, Value: login})
			if err != nil {
				return err
			}
			t.claim(user.id, login)
		}
		_, err = t.conn.Exec(ctx, `
			update users set login = given.login, login_key = given.login_key
			from unnest($1::bigint[], $2::text[], $3::text[]) given (id, login, login_key)
			where users.id = given.id`, ids, logins, newKeys)
		if err != nil {
			return err
		}
		users = rest
	}
	return nil
}
