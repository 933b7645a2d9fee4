package postgres

import (
	"encoding/binary"
	"io"

	"rollcall/adapters/internal/jsontext"
	"rollcall/domain"
)

const (
	copyHeader  = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	copyTrailer = "\xff\xff"

	// copyChunk is the number of bytes after which a chunk of rows is sent.
	copyChunk = 64 << 10

	// postgresEpoch is 1 January 2000, from which PostgreSQL counts days.
	postgresEpoch domain.Date = 10957
)

// A copyReader encodes rows in the binary format of COPY while they are read. The server need not parse this format. (PostgreSQL's
// documentation of COPY, "Binary Format": a header; for each row the number of its fields, then the length and the bytes of each
// field; a trailer. All numbers are big-endian; the length -1 is NULL.)
type copyReader struct {
	rows, done int
	appendRow  func(b copyRow, i int) copyRow
	buf        copyRow
	pos        int // in buf, of the next byte to read
}

func newCopyReader(rows int, appendRow func(copyRow, int) copyRow) *copyReader {
	const rowSize = 256 // most rows are smaller
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

// A copyRow is an encoded row. Each method appends a field.
type copyRow []byte

func (b copyRow) fields(n int) copyRow { return binary.BigEndian.AppendUint16(b, uint16(n)) }

func (b copyRow) length(n int) copyRow { return binary.BigEndian.AppendUint32(b, uint32(int32(n))) }

func (b copyRow) null() copyRow { return b.length(-1) }

func (b copyRow) bigint(n int64) copyRow {
	return binary.BigEndian.AppendUint64(b.length(8), uint64(n))
}

func (b copyRow) text(s string) copyRow { return append(b.length(len(s)), s...) }

// optional appends a text; NULL for an empty one.
func (b copyRow) optional(s string) copyRow {
	if s == "" {
		return b.null()
	}
	return b.text(s)
}

// date appends a date; NULL if it is not given.
func (b copyRow) date(d domain.Date, given bool) copyRow {
	if !given {
		return b.null()
	}
	return binary.BigEndian.AppendUint32(b.length(4), uint32(d-postgresEpoch))
}

// columns appends the columns of an account.
func (b copyRow) columns(columns []accountColumn, a *domain.Account) copyRow {
	for i := range columns {
		switch c := &columns[i]; {
		case c.date != nil:
			b = b.date(c.date(a))
		case c.nullable:
			b = b.optional(c.text(a))
		default:
			b = b.text(c.text(a))
		}
	}
	return b
}

// The tables that imports copy into, with the columns that the functions of the same names append.
var (
	copyUsers    = "users (id, code_id, " + columnNames(userColumns) + ")"
	copyProfiles = "profiles (user_id, " + columnNames(profileColumns) + ")"
)

const copyBadUsers = "bad_users (code_id, object_id, sheet, line, login, login_key, description, violations, original)"

func (b copyRow) user(id, codeID int64, a *domain.Account) copyRow {
	return b.fields(2+len(userColumns)).bigint(id).bigint(codeID).columns(userColumns, a)
}

func (b copyRow) profile(userID int64, a *domain.Account) copyRow {
	return b.fields(1+len(profileColumns)).bigint(userID).columns(profileColumns, a)
}

func (b copyRow) badUser(codeID int64, r *domain.Rejection) copyRow {
	b = b.fields(9).bigint(codeID).bigint(int64(r.Record)).optional(r.Sheet)
	if r.Line == 0 {
		b = b.null()
	} else {
		b = b.bigint(int64(r.Line))
	}
	return b.optional(r.Login).optional(domain.LoginKey(r.Login)).text(r.Description).violations(r.Violations).original(original(r))
}

// jsonbVersion is the first byte of a jsonb in binary format. The JSON text follows.
const jsonbVersion = 1

func (b copyRow) violations(vs domain.Violations) copyRow {
	at := len(b)
	b = jsontext.AppendViolations(append(b.length(0), jsonbVersion), vs)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func (b copyRow) original(json []byte) copyRow {
	if json == nil {
		return b.null()
	}
	return append(append(b.length(1+len(json)), jsonbVersion), json...)
}
