package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

func TestSetupCodes(t *testing.T) {
	contract.SetupCodes(t, func(t *testing.T) contract.SetupCodesSubject {
		t.Helper()
		db := open(t, pgtest.New(t))
		return contract.SetupCodesSubject{AccountsSubject: accountStoresOf(db), Codes: postgres.NewSetupCodes(db)}
	})
}

// Sweep removes expired codes, and all codes once there is an operator.
func TestSetupCodesAreSwept(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	codes, anna := postgres.NewSetupCodes(db), accountOf(t, 1)
	id, err := postgres.NewRegistrations(db).Create(t.Context(), anna)
	require.NoError(t, err)
	for hash, lifetime := range map[string]time.Duration{"good": time.Hour, "expired": -time.Second} {
		_, err := codes.Create(t.Context(), []byte(hash), time.Now().Add(lifetime))
		require.NoError(t, err)
	}
	left := func() (hashes []string) {
		require.NoError(t, codes.Sweep(t.Context()))
		for _, row := range pgtest.Query[struct{ Hash []byte }](t, url, "select hash from setup_codes") {
			hashes = append(hashes, string(row.Hash))
		}
		return hashes
	}
	require.Equal(t, []string{"good"}, left())
	pgtest.Query[struct{}](t, url, "insert into roles select id, 'operator' from users")
	require.Empty(t, left())
	require.ErrorIs(t, codes.Use(t.Context(), []byte("good"), time.Now(), id), ports.ErrNotFound)
}
