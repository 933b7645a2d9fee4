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
		insert into bad_users (code_id, object_id, login, login_key, description, violations, original)
		select $1, object_id, nullif(login, ''), nullif(login_key, ''), description, violations::jsonb, nullif(original, '')::jsonb
		from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
			b (object_id, login, login_key, description, violations, original)`

	// The database supplies an id and a date that are null. User 0 is a sender without an account.
	insertCode = `
		insert into codes (id, date, code, description, created, refused, originals, uncounted_day, token, unkept, user_id)
		values (coalesce($1, nextval('codes_id_seq')), coalesce($2, clock_timestamp()), $3, $4, $5, $6, $7,
			date '1970-01-01' + $8::int, nullif($9, ''), $10, nullif($11::bigint, 0))`

	insertReasons = `
		insert into code_reasons (field, code, code_id, objects)
		select field, code, $1, objects from unnest($2::text[], $3::text[], $4::bigint[]) r (field, code, objects)`
)

func columnsOf(reasons map[domain.Reason]int) (fields, codes []string, objects []int) {
	for reason, count := range reasons {
		fields, codes, objects = append(fields, string(reason.Field)), append(codes, string(reason.Code)), append(objects, count)
	}
	return fields, codes, objects
}

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
		texts := columns(5, n)
		objects := make([]int64, n)
		for i := range rejections {
			r := &rejections[i]
			objects[i] = int64(r.Object)
			for column, text := range [...]string{
				r.Login, domain.LoginKey(r.Login), r.Description, string(appendViolations(nil, r.Violations)), string(original(r)),
			} {
				texts[column][i] = text
			}
		}
		tx.queue.Queue(insertBadUsers, tx.id, objects, texts[0], texts[1], texts[2], texts[3], texts[4])
	}
}

func columns(count, rows int) [][]string {
	all := make([][]string, count)
	for i := range all {
		all[i] = make([]string, rows)
	}
	return all
}
