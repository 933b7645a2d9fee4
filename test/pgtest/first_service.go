package pgtest

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// firstServiceDump is the database that the first service left after a few requests with made-up people.
//
//go:embed testdata/first_service/dump.sql
var firstServiceDump string

//go:embed testdata/first_service/passwords.json
var firstServicePasswords []byte

// FirstServicePasswords returns the passwords of the people in the first service's database, by login.
func FirstServicePasswords(t testing.TB) (passwords map[string]string) {
	t.Helper()
	require.NoError(t, json.Unmarshal(firstServicePasswords, &passwords))
	return passwords
}

// FirstService creates a database of the first service for the test, as New does, and returns its URL.
func FirstService(t testing.TB) string {
	t.Helper()
	url := New(t)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "drop schema public cascade; create schema public")
	require.NoError(t, err)
	require.NoError(t, RestoreFirstService(ctx, conn))
	return url
}

// RestoreFirstService restores the dump of the first service's database.
func RestoreFirstService(ctx context.Context, conn *pgx.Conn) error {
	rest := firstServiceDump
	for {
		statements, data, found := strings.Cut(rest, " FROM stdin;\n")
		if !found {
			_, err := conn.PgConn().Exec(ctx, rest).ReadAll()
			return err
		}
		at := strings.LastIndex(statements, "COPY ")
		_, err := conn.PgConn().Exec(ctx, statements[:at]).ReadAll()
		if err != nil {
			return err
		}
		rows, after, _ := strings.Cut(data, "\\.\n")
		_, err = conn.PgConn().CopyFrom(ctx, strings.NewReader(rows), statements[at:]+" from stdin")
		if err != nil {
			return err
		}
		rest = after
	}
}
