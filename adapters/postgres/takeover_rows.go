package postgres

import (
	"encoding/binary"
	"math"
	"time"

	"rollcall/domain"
)

// A sourceRow is a row of the first service's tables, in the binary format of PostgreSQL. A field that is NULL is nil. Its values are
// valid until the next row is read.
type sourceRow [][]byte

func (r sourceRow) text(i int) *string {
	if r[i] == nil {
		return nil
	}
	s := string(r[i])
	return &s
}

// bigint returns a number, 0 for NULL.
func (r sourceRow) bigint(i int) int64 {
	if r[i] == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(r[i]))
}

func (r sourceRow) isNull(i int) bool { return r[i] == nil }

// A timestamp is a time in microseconds since 2000, in UTC. The first service's times have no zone, and are in UTC.
type timestamp int64

// timestamp returns a time, and false for NULL and for infinity.
func (r sourceRow) timestamp(i int) (t timestamp, ok bool) {
	if r[i] == nil {
		return 0, false
	}
	t = timestamp(binary.BigEndian.Uint64(r[i]))
	return t, t != math.MinInt64 && t != math.MaxInt64
}

const microsecondsADay = 24 * 60 * 60 * 1_000_000

// date returns the day of a time.
func (t timestamp) date() domain.Date {
	day := t / microsecondsADay
	if t%microsecondsADay < 0 {
		day--
	}
	return domain.Date(day) + postgresEpoch
}

func (b copyRow) timestamp(t timestamp) copyRow { return b.bigint(int64(t)) }

func (b copyRow) integer(n int64) copyRow {
	return binary.BigEndian.AppendUint32(b.length(4), uint32(int32(n)))
}

// time returns the time.
func (t timestamp) time() time.Time {
	const epoch = int64(postgresEpoch) * 24 * 60 * 60 * 1_000_000
	return time.UnixMicro(int64(t) + epoch)
}

// boolean returns a truth value, false for NULL.
func (r sourceRow) boolean(i int) bool { return len(r[i]) == 1 && r[i][0] != 0 }
