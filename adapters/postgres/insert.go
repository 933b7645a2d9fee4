package postgres

import (
	"rollcall/domain"
)

// The statements of imports that are not exclusive. An empty text stands for NULL, and days are counted from 1970.
const (
	insertUsers = `
		insert into users (login, login_key, password_hash, email, email_key, phone)
		select login, login_key, hash, nullif(email, ''), nullif(email_key, ''), nullif(phone, '')
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
			u (login, login_key, hash, email, email_key, phone)`

	insertProfiles = `
		insert into profiles (fname, lname, patr, birthday, user_id)
		select fname, lname, patr, date '1970-01-01' + days, (select id from users where users.login_key = p.login_key)
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[]) p (login_key, fname, lname, patr, days)`

	insertBadUsers = `
		insert into bad_users (code_id, object_id, login, description, violations)
		select $1, object_id, nullif(login, ''), description, violations::jsonb
		from unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) b (object_id, login, description, violations)`
)

// queueInserts stores a batch with the next statements that are sent: COPY would take four round trips more, which for one
// object is most of the work.
func (tx *importTx) queueInserts(accounts []domain.Account, rejections []domain.Rejection) {
	if n := len(accounts); n > 0 {
		texts := columns(9, n)
		days := make([]*domain.Date, n)
		for i := range accounts {
			reg := &accounts[i].Registration
			for column, text := range [...]string{
				reg.Login.String(), reg.Login.Key(), accounts[i].PasswordHash, reg.Email.String(), reg.Email.Key(), reg.Phone.String(),
				reg.Name.First.String(), reg.Name.Last.String(), reg.Name.Patronymic.String(),
			} {
				texts[column][i] = text
			}
			if date, given := reg.Birthday.Date(); given {
				days[i] = &date
			}
		}
		tx.queue.Queue(insertUsers, texts[0], texts[1], texts[2], texts[3], texts[4], texts[5])
		tx.queue.Queue(insertProfiles, texts[1], texts[6], texts[7], texts[8], days)
	}
	if n := len(rejections); n > 0 {
		texts := columns(3, n)
		objects := make([]int64, n)
		for i := range rejections {
			r := &rejections[i]
			objects[i], texts[0][i], texts[1][i] = int64(r.Object), r.Login, r.Description
			texts[2][i] = string(appendViolations(nil, r.Violations))
		}
		tx.queue.Queue(insertBadUsers, tx.id, objects, texts[0], texts[1], texts[2])
	}
}

func columns(count, rows int) [][]string {
	all := make([][]string, count)
	for i := range all {
		all[i] = make([]string, rows)
	}
	return all
}
