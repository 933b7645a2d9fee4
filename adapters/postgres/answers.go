package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"

	"rollcall/domain"
	"rollcall/ports"
)

// outcomesPart is the number of bytes of outcomes in a row, before compression.
const outcomesPart = 1 << 20

// A claim is the attempt of a transaction to use a key.
type claim struct{ isFree, isUsed bool }

// queueClaim queues statements that make sure that no other transaction has used a key, is using it, or starts to use it before this one
// ends.
func queueClaim(queue *pgx.Batch, key domain.ImportKey) *claim {
	if key.IsZero() {
		return &claim{isFree: true}
	}
	c := &claim{}
	stored, before := storedKey(key), keyBefore(key)
	queue.Queue("select pg_try_advisory_xact_lock($1) and coalesce(pg_try_advisory_xact_lock_shared($2), true)", lockOf(stored), lockOf(before)).
		QueryRow(func(row pgx.Row) error { return row.Scan(&c.isFree) })
	queue.Queue("delete from idempotency_keys where key = $1 and expires <= clock_timestamp()", stored)
	queue.Queue("select exists (select "+answerSQL+")", stored, before, key.Token).
		QueryRow(func(row pgx.Row) error { return row.Scan(&c.isUsed) })
	return c
}

// err returns ErrKeyUsed, ErrKeyRunning, or nil if the key belongs to the transaction.
func (c *claim) err() error {
	switch {
	case c.isUsed:
		return ports.ErrKeyUsed
	case !c.isFree:
		return ports.ErrKeyRunning
	}
	return nil
}

// claimKey makes sure that no other import uses the import's key.
func (tx *importTx) claimKey(ctx context.Context) error {
	if tx.mode.Key.IsZero() {
		return nil
	}
	claim := queueClaim(&tx.queue, tx.mode.Key)
	err := tx.send(ctx)
	if err != nil {
		return fmt.Errorf("claim key: %w", err)
	}
	return claim.err()
}

// storedKey returns the hash that a key is stored as. The database must not contain keys: a client with a key and the file gets the
// passwords.
func storedKey(key domain.ImportKey) []byte {
	text := key.Value
	switch {
	case key.Upload != "":
		text = "upload " + key.Upload // a key that a client chose contains no space
	case key.Token != 0:
		text = fmt.Sprintf("token %d %s", key.Token, key.Value)
	case key.User != 0:
		text = fmt.Sprintf("user %d %s", key.User, key.Value)
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// keyBefore returns the hash that earlier versions store a token's key as; nil for any other key. Earlier versions may run beside this
// one, and the answers that they stored stay for a day after the upgrade. The next version does not need this.
//
// This version locks the hash in shared mode, an earlier one in exclusive mode. So the two exclude each other, and tokens of this version
// do not.
func keyBefore(key domain.ImportKey) []byte {
	if key.Token == 0 {
		return nil
	}
	return storedKey(domain.ImportKey{Value: key.Value})
}

// answerSQL finds the answer that is stored for a key. Of an answer that an earlier version stored, only the token's name is known. It
// counts if no other token has ever had that name.
const answerSQL = `
	from idempotency_keys k left join codes c on c.id = k.code_id
	where k.expires > clock_timestamp() and (k.key = $1
		or k.key = $2 and array(select id from access_tokens where name = c.token) = array[$3::bigint])
	order by k.key = $1 desc limit 1`

// lockOf returns the advisory lock of a stored key; nil for nil.
func lockOf(stored []byte) *int64 {
	if stored == nil {
		return nil
	}
	return new(int64(binary.BigEndian.Uint64(stored)))
}

// storeAnswer stores an answer for the import's key. The last part is sent with the commit.
func (tx *importTx) storeAnswer(ctx context.Context, tally domain.Tally, answer *ports.Answer) error {
	return queueAnswer(&tx.queue, func() error { return tx.send(ctx) }, answerOwner{key: tx.mode.Key, code: &tx.id}, tally, answer)
}

// An answerOwner is the import or bulk change of an answer.
type answerOwner struct {
	key   domain.ImportKey
	code  *int64  // id of the import; nil for a bulk change
	users []int64 // whom the answer of a bulk change names, by id; nil for an import
}

// queueAnswer queues the statements that store an answer, and sends all but the last part.
func queueAnswer(queue *pgx.Batch, send func() error, owner answerOwner, tally domain.Tally, answer *ports.Answer) error {
	key := storedKey(owner.key)
	notes, err := json.Marshal(answer.Notes)
	if err != nil {
		return fmt.Errorf("encode notes: %w", err)
	}
	queue.Queue(`
		insert into idempotency_keys (key, code_id, objects, fingerprint, salt, expires, notes, registered, rejected, users)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		key, owner.code, tally.Records, nonNil(answer.Fingerprint), nonNil(answer.Salt), answer.Expires, notes, tally.Registered, tally.Rejected, owner.users)
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("make zstd encoder: %w", err)
	}
	defer encoder.Close()
	buf := make([]byte, outcomesPart)
	for part := 0; ; part++ {
		n, err := io.ReadFull(answer.Outcomes, buf)
		if n > 0 {
			queue.Queue("insert into outcomes (key, part, outcomes) values ($1, $2, $3)", key, part, encoder.EncodeAll(buf[:n], nil))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read outcomes: %w", err)
		}
		err = send()
		if err != nil {
			return fmt.Errorf("insert into outcomes: %w", err)
		}
	}
}

// nonNil returns bytes for a column that is not null.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Recall implements ports.ImportStore.
func (s *Imports) Recall(ctx context.Context, key domain.ImportKey, w io.Writer) (*ports.KeptAnswer, error) {
	tx, err := s.db.imports.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return nil, fmt.Errorf("begin: %w", unavailable(err))
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // there is nothing to undo
	var answer ports.KeptAnswer
	var stored []byte
	err = tx.QueryRow(ctx, `select k.key, coalesce(c.id, 0), k.objects, coalesce(c.created, k.registered), coalesce(c.refused, k.rejected), k.fingerprint, k.salt,
		k.notes, k.forgotten`+answerSQL,
		storedKey(key), keyBefore(key), key.Token).
		Scan(&stored, &answer.Import, &answer.Tally.Records, &answer.Tally.Registered, &answer.Tally.Rejected, &answer.Fingerprint, &answer.Salt, &answer.Notes, &answer.Forgotten)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", unavailable(err))
	}
	rows, err := tx.Query(ctx, "select outcomes from outcomes where key = $1 order by part", stored)
	if err != nil {
		return nil, fmt.Errorf("read outcomes: %w", unavailable(err))
	}
	defer rows.Close()
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	defer decoder.Close()
	var part []byte
	for rows.Next() {
		part, err = decoder.DecodeAll(rows.RawValues()[0], part[:0])
		if err != nil {
			return nil, fmt.Errorf("decompress outcomes: %w", err)
		}
		_, err = w.Write(part)
		if err != nil {
			return nil, fmt.Errorf("copy outcomes: %w", err)
		}
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("read outcomes: %w", unavailable(err))
	}
	err = settle(ctx, tx)
	if err != nil {
		return nil, err
	}
	err = tx.Commit(ctx)
	if err != nil {
		return nil, fmt.Errorf("commit: %w", unavailable(err))
	}
	return &answer, nil
}

// Sweep removes expired answers, and with them the salts of their passwords.
func (s *Imports) Sweep(ctx context.Context) error {
	_, err := s.db.pool.Exec(ctx, "delete from idempotency_keys where expires <= clock_timestamp()")
	if err != nil {
		return fmt.Errorf("sweep answers: %w", unavailable(err))
	}
	return nil
}
