package postgres

import (
	"fmt"

	"rollcall/adapters/internal/jsontext"
	"rollcall/domain"
)

// The statements of imports that insert their rows, beside insertUsers and insertProfiles. An empty text stands for null, and days are
// counted from 1970-01-01.
var (
	insertBadUsers = `
		insert into bad_users (code_id, object_id, sheet, line, login, login_key, description, violations, original)
		select ` + fmt.Sprintf(importID, 1) + `, object_id, nullif(sheet, ''), nullif(line, 0), nullif(login, ''), nullif(login_key, ''), description, violations::jsonb,
			nullif(original, '')::jsonb
		from unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
			b (object_id, sheet, line, login, login_key, description, violations, original)`

	// The database supplies an id and a date that are null. User 0 is a sender without an account. If the import has users ($12), their
	// ids come after $13, up to the last one that the session has got. An import that inserts this row before its users has null for $13:
	// their ids soon follow the last one of all sessions.
	insertCode = `
		insert into codes (id, date, code, description, created, refused, originals, uncounted_day, token, unkept, user_id, unlisted_after, unlisted_until)
		values (coalesce($1, nextval('codes_id_seq')), coalesce($2, clock_timestamp()), $3, $4, $5, $6, $7,
			date '1970-01-01' + $8::int, nullif($9, ''), $10, nullif($11::bigint, 0),
			case when $12::boolean then coalesce($13::bigint, pg_sequence_last_value('users_id_seq'), 0) end,
			case when not $12 then null when $13 is not null then currval('users_id_seq')
				else coalesce(pg_sequence_last_value('users_id_seq'), 0) + $5 + 100000 end)`

	insertReasons = `
		insert into code_reasons (field, code, code_id, objects)
		select field, code, ` + fmt.Sprintf(importID, 1) + `, objects from unnest($2::text[], $3::text[], $4::bigint[]) r (field, code, objects)`
)

// importID is the id of an import, a parameter. If it is null, it is the id that the same transaction has inserted into codes.
const importID = "coalesce($%d::bigint, currval('codes_id_seq'))"

// insertImport inserts an import with its audit entry, and returns its id. The arguments are those of insertCode and of a note.
var insertImport = "with imported as (" + insertCode + " returning id), noted as (" +
	note{first: 14, from: "imported", importID: "id"}.sql() + ") select id from imported"

func reasonColumns(reasons map[domain.Reason]int) (fields, codes []string, records []int) {
	for reason, count := range reasons {
		fields, codes, records = append(fields, string(reason.Field)), append(codes, string(reason.Code)), append(records, count)
	}
	return fields, codes, records
}

// queueInserts queues a batch. COPY would take four more round trips, which for one record is most of the work.
func (tx *importTx) queueInserts(accounts []domain.Account, rejections []domain.Rejection) {
	if len(accounts) > 0 {
		tx.proof = new(accounts[0])
		tx.queue.Queue(insertUsers, append(arrayArgs(userColumns, accounts), tx.knownID())...)
		tx.queue.Queue(insertProfiles, arrayArgs(profileArrays, accounts)...)
	}
	if n := len(rejections); n > 0 {
		numbers, sheets, lines := make([]int64, n), make([]string, n), make([]int64, n)
		logins, keys, descriptions := make([]string, n), make([]string, n), make([]string, n)
		violations, originals := make([]string, n), make([]string, n)
		for i := range rejections {
			r := &rejections[i]
			numbers[i], sheets[i], lines[i] = int64(r.Record), r.Sheet, int64(r.Line)
			logins[i], keys[i], descriptions[i] = r.Login, domain.LoginKey(r.Login), r.Description
			violations[i], originals[i] = string(jsontext.AppendViolations(nil, r.Violations)), string(original(r))
		}
		tx.queue.Queue(insertBadUsers, tx.knownID(), numbers, sheets, lines, logins, keys, descriptions, violations, originals)
	}
}
