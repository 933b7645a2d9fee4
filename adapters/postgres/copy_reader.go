package postgres

import (
	"encoding/binary"
	"io"

	"rollcall/domain"
)

const (
	copyHeader  = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	copyTrailer = "\xff\xff"

	// copyChunk is about how many bytes of rows are made at once.
	copyChunk = 64 << 10

	// postgresEpoch is 1 January 2000, from which PostgreSQL counts days.
	postgresEpoch domain.Date = 10957
)

// copyReader makes rows in the binary format of COPY, which the server need not parse, as they are read. (PostgreSQL's
// documentation of COPY, "Binary Format": a header; for each row the number of its fields, then length and bytes of
// each; a trailer. All numbers are big-endian; a length of -1 is NULL.)
type copyReader struct {
	rows, done int
	appendRow  func(b copyRow, i int) copyRow
	buf        copyRow
	pos        int // of what was not read of buf
}

func newCopyReader(rows int, appendRow func(copyRow, int) copyRow) *copyReader {
	const rowSize = 256 // most are smaller
	size := min(len(copyHeader)+rows*rowSize, copyChunk+copyChunk/4)
	return &copyReader{rows: rows, appendRow: appendRow, buf: append(make(copyRow, 0, size), copyHeader...)}
}

func (r *copyReader) Read(p []byte) (int, error) {
	if r.pos == len(r.buf) {
		r.pos, r.buf = 0, r.buf[:0]
	}
	for r.done < r.rows && len(r.buf) < copyChunk {
		r.buf = r.appendRow(r.buf, r.done)
		r.done++
		if r.done == r.rows {
			r.buf = append(r.buf, copyTrailer...)
		}
	}
	if r.pos == len(r.buf) {
		return 0, io.EOF
	}
	n := copy(p, r.buf[r.pos:])
	r.pos += n
	return n, nil
}

// copyRow is a row being made; each method appends a field and returns it longer.
type copyRow []byte

func (b copyRow) fields(n uint16) copyRow { return binary.BigEndian.AppendUint16(b, n) }

func (b copyRow) length(n int) copyRow { return binary.BigEndian.AppendUint32(b, uint32(int32(n))) }

func (b copyRow) null() copyRow { return b.length(-1) }

func (b copyRow) bigint(n int64) copyRow {
	return binary.BigEndian.AppendUint64(b.length(8), uint64(n))
}

func (b copyRow) text(s string) copyRow { return append(b.length(len(s)), s...) }

// optional is a text that is NULL when empty.
func (b copyRow) optional(s string) copyRow {
	if s == "" {
		return b.null()
	}
	return b.text(s)
}

// date is NULL when it is not given.
func (b copyRow) date(d domain.Date, given bool) copyRow {
	if !given {
		return b.null()
	}
	return binary.BigEndian.AppendUint32(b.length(4), uint32(d-postgresEpoch))
}

// user has the columns id, login, login_key, password_hash, email, email_key, phone.
func (b copyRow) user(id int64, a *domain.Account) copyRow {
	reg := &a.Registration
	return b.fields(7).bigint(id).text(reg.Login.String()).text(reg.Login.Key()).text(a.PasswordHash).
		optional(reg.Email.String()).optional(reg.Email.Key()).optional(reg.Phone.String())
}

// profile has the columns fname, lname, patr, birthday, user_id.
func (b copyRow) profile(userID int64, reg *domain.Registration) copyRow {
	name := &reg.Name
	return b.fields(5).text(name.First.String()).text(name.Last.String()).text(name.Patronymic.String()).
		date(reg.Birthday.Date()).bigint(userID)
}

// badUser has the columns code_id, object_id, login, login_key, description, violations, original.
func (b copyRow) badUser(codeID int64, r *domain.Rejection) copyRow {
	return b.fields(7).bigint(codeID).bigint(int64(r.Object)).optional(r.Login).optional(domain.LoginKey(r.Login)).
		text(r.Description).violations(r.Violations).original(original(r))
}

// jsonbVersion is the first byte of a jsonb in binary format. The JSON text follows.
const jsonbVersion = 1

func (b copyRow) violations(vs domain.Violations) copyRow {
	at := len(b)
	b = appendViolations(append(b.length(0), jsonbVersion), vs)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func (b copyRow) original(json []byte) copyRow {
	if json == nil {
		return b.null()
	}
	return append(append(b.length(1+len(json)), jsonbVersion), json...)
}
