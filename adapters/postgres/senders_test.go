package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

// migrateOver applies the migrations up to the one of a number, runs a fixture, and applies the rest.
func migrateOver(t *testing.T, db *postgres.DB, number, fixture string) {
	t.Helper()
	run := func(sql string) {
		t.Helper()
		_, err := db.Pool().Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	files, err := filepath.Glob("migrations/*.up.sql")
	require.NoError(t, err)
	at := slices.IndexFunc(files, func(file string) bool { return strings.HasPrefix(filepath.Base(file), number) })
	require.Positive(t, at)
	run(`drop schema public cascade; create schema public`)
	for i, file := range files {
		if i == at {
			run(fixture)
		}
		sql, err := os.ReadFile(file)
		require.NoError(t, err)
		run(string(sql))
	}
}

// Answers that a version before senders kept are found by the id of the only token that ever had the name.
func TestMigrationSenders(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000005", `
		insert into access_tokens (name, hash, created_at, revoked_at) values
			('crm', 'a', now(), now()), ('crm', 'b', now(), null), ('school', 'c', now(), null);
		insert into codes (code, description, token) values (200, 'x', 'school'), (200, 'x', 'crm'), (200, 'x', null);
		insert into idempotency_keys (key, code_id, objects, fingerprint, salt, expires) values
			(sha256('of school'), 1, 1, 'x', 'x', now() + interval '1 day'),
			(sha256('of crm'), 2, 1, 'x', 'x', now() + interval '1 day'),
			(sha256('of all'), 3, 1, 'x', 'x', now() + interval '1 day'),
			(sha256('expired'), 1, 1, 'x', 'x', now() - interval '1 second')`)
	const revoked, crm, school = 1, 2, 3
	store := postgres.NewImports(db, time.Now)
	importBy := func(key domain.ImportKey) error {
		_, err := store.Do(t.Context(), ports.ImportMode{Key: key}, func(ctx context.Context, tx ports.ImportTx) error {
			_, err := tx.Taken(ctx, nil)
			require.NoError(t, err)
			return tx.Finish(ctx, domain.Tally{}, nil)
		})
		return err
	}
	for key, id := range map[domain.ImportKey]int64{
		{Token: school, Value: "of school"}: 1, {Token: crm, Value: "of school"}: 0, {User: school, Value: "of school"}: 0,
		{Token: crm, Value: "of crm"}: 0, {Token: revoked, Value: "of crm"}: 0,
		{Value: "of all"}: 3, {Token: school, Value: "of all"}: 0,
		{Token: school, Value: "expired"}: 0, {Token: school, Value: "other"}: 0,
	} {
		answer, err := store.Recall(t.Context(), key, io.Discard)
		if id == 0 {
			require.ErrorIs(t, err, ports.ErrNotFound, key)
			require.NoError(t, importBy(key), key)
			continue
		}
		require.NoError(t, err, key)
		require.Equal(t, id, answer.Import, key)
		require.ErrorIs(t, importBy(key), ports.ErrKeyUsed, key)
	}

	// An earlier version runs an import.
	conn, err := db.Pool().Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	sum := sha256.Sum256([]byte("running"))
	_, err = conn.Exec(t.Context(), "select pg_advisory_lock($1)", int64(binary.BigEndian.Uint64(sum[:])))
	require.NoError(t, err)
	require.ErrorIs(t, importBy(domain.ImportKey{Token: crm, Value: "running"}), ports.ErrKeyRunning)
	require.NoError(t, importBy(domain.ImportKey{User: crm, Value: "running"}))
	_, err = conn.Exec(t.Context(), "select pg_advisory_unlock_all()")
	require.NoError(t, err)
	require.NoError(t, importBy(domain.ImportKey{Token: crm, Value: "running"}))
}
