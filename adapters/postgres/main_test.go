package postgres_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func open(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
