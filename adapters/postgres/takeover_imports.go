package postgres

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"rollcall/domain"
)

// A sourceImport is an import of the first service.
type sourceImport struct {
	id          int64
	status      int64
	hasStatus   bool
	method      string
	date        timestamp
	hasDate     bool
	description string
	rejected    int64 // rows in bad_users

	registered, unkept int64
}

// withoutImport is the description of the import that the takeover adds for rejected records that have none.
const withoutImport = "Rejected records of the first service without an import"

// copyImports copies imports. The statistics count them when the server runs.
func (t *takeover) copyImports(ctx context.Context) error {
	var last, now timestamp // last is the date of the import before
	var orphans int64
	err := t.conn.QueryRow(ctx, fmt.Sprintf(`
		select ((extract(epoch from coalesce((select min(date) from %[1]s.codes where isfinite(date)), now() at time zone 'UTC')) - 946684800) * 1000000)::bigint,
			((extract(epoch from now()) - 946684800) * 1000000)::bigint,
			(select count(*) from %[1]s.bad_users b left join %[1]s.codes c on c.id = b.code_id where c.id is null)`, t.source)).Scan(&last, &now, &orphans)
	if err != nil {
		return err
	}
	copyBatch := func(imports []sourceImport) error {
		for i := range imports {
			it := &imports[i]
			if !it.hasDate || !it.hasStatus {
				err := t.found(Finding{Kind: FindingIncompleteImport, ID: it.id})
				if err != nil {
					return err
				}
			}
			if !it.hasDate {
				it.date = last
			}
			last = it.date
		}
		const columns = "codes (id, code, method, date, description, created, refused, unkept, uncounted_day)"
		return t.copy(ctx, columns, len(imports), func(b copyRow, i int) copyRow {
			it := &imports[i]
			day := domain.DateOf(it.date.time()) // until the server counts the days of its time zone
			return b.fields(9).bigint(it.id).integer(it.status).text(it.method).timestamp(it.date).text(it.description).
				bigint(it.registered).bigint(it.rejected+it.unkept).bigint(it.unkept).date(day, true)
		})
	}
	err = batches(ctx, t, fmt.Sprintf(`
		select c.id::bigint, c.code::bigint, c.method::text, c.date, c.description::text, b.rejected
		from %[1]s.codes c left join (select code_id, count(*) rejected from %[1]s.bad_users group by code_id) b on b.code_id = c.id
		order by c.id`, t.source), readImport, (*sourceImport).count, func(imports []sourceImport) error {
		t.result.Imports += len(imports)
		return copyBatch(imports)
	})
	if err != nil || orphans == 0 {
		return err
	}
	// Ids have the order of dates, and the ids of deleted imports are not used again.
	err = t.setSequences(ctx)
	if err != nil {
		return err
	}
	added := sourceImport{status: 400, hasStatus: true, method: "POST", date: now, hasDate: true, description: withoutImport, rejected: orphans}
	err = t.conn.QueryRow(ctx, "select nextval('codes_id_seq')").Scan(&added.id)
	if err != nil {
		return err
	}
	t.added = added.id
	return copyBatch([]sourceImport{added})
}

func readImport(row sourceRow) sourceImport {
	it := sourceImport{
		id: row.bigint(0), status: row.bigint(1), hasStatus: !row.isNull(1), method: "POST", description: orEmpty(row.text(4)), rejected: row.bigint(5),
	}
	if method := row.text(2); method != nil {
		it.method = *method
	}
	it.date, it.hasDate = row.timestamp(3)
	return it
}

// counts finds the numbers of registered and of all records in the sentences of the contract.
var counts = regexp.MustCompile(`\D(\d{1,9}) of (\d{1,9}) users\)$`)

// count finds the numbers of records. The description counts more rejected records than there are rows if some were deleted.
func (it *sourceImport) count() {
	if match := counts.FindStringSubmatch(it.description); match != nil {
		it.registered, _ = strconv.ParseInt(match[1], 10, 64)
		all, _ := strconv.ParseInt(match[2], 10, 64)
		it.unkept = max(0, all-it.registered-it.rejected)
	}
	if !it.hasStatus {
		it.status = int64(domain.Tally{Registered: int(it.registered)}.Status())
	}
}

// A sourceRejection is a rejected record of the first service.
type sourceRejection struct {
	id          int64
	importID    int64
	hasImport   bool
	record      int64
	hasNumber   bool
	login       string
	description string
	key         string // of the login
}

// copyRejections copies rejected records. The first service has only a sentence for the reason, so they have no violations.
func (t *takeover) copyRejections(ctx context.Context) error {
	const columns = "bad_users (id, code_id, object_id, login, login_key, description, violations)"
	// Numbers begin at 1. A record without a number of its own gets the next one after the highest of its import.
	return batches(ctx, t, fmt.Sprintf(`
		select id, import, is_own, case when is_own then object_id else
				greatest(max(object_id) over (partition by import), 0) + count(*) filter (where not is_own) over (partition by import order by id)
			end, login, description
		from (
			select b.id::bigint, c.id::bigint as import, b.object_id::bigint, b.login::text, b.description::text,
				coalesce(b.object_id, 0) > 0 and row_number() over (partition by c.id, b.object_id order by b.id) = 1 as is_own
			from %[1]s.bad_users b left join %[1]s.codes c on c.id = b.code_id
		) records
		order by id`, t.source), func(row sourceRow) sourceRejection {
		return sourceRejection{
			id: row.bigint(0), importID: row.bigint(1), hasImport: !row.isNull(1), hasNumber: row.boolean(2), record: row.bigint(3),
			login: orEmpty(row.text(4)), description: orEmpty(row.text(5)),
		}
	}, func(r *sourceRejection) { r.key = domain.LoginKey(r.login) }, func(rejections []sourceRejection) error {
		for i := range rejections {
			err := t.findRejection(&rejections[i])
			if err != nil {
				return err
			}
		}
		t.result.Rejections += len(rejections)
		return t.copy(ctx, columns, len(rejections), func(b copyRow, i int) copyRow {
			r := &rejections[i]
			return b.fields(7).bigint(r.id).bigint(r.importID).bigint(r.record).optional(r.login).optional(r.key).text(r.description).violations(nil)
		})
	})
}

func (t *takeover) findRejection(r *sourceRejection) error {
	if !r.hasImport {
		r.importID = t.added
		err := t.found(Finding{Kind: FindingNoImport, ID: r.id, Value: strconv.FormatInt(t.added, 10)})
		if err != nil {
			return err
		}
	}
	if r.hasNumber {
		return nil
	}
	return t.found(Finding{Kind: FindingRenumbered, ID: r.id, Value: strconv.FormatInt(r.record, 10)})
}
