package contract

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// A SetupCodesSubject is an empty store, with the users and roles that it changes.
type SetupCodesSubject struct {
	AccountsSubject

	Codes ports.SetupCodeStore
}

// SetupCodes proves a ports.SetupCodeStore.
func SetupCodes(t *testing.T, subject func(*testing.T) SetupCodesSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, SetupCodesSubject)
	}{
		{"MakesAUserAnOperator", makesOperator},
		{"MakesOneUserAnOperator", makesOneOperator},
		{"ExpiresCodes", expiresCodes},
		{"HasNoCodesIfThereIsAnOperator", hasNoCodesIfThereIsAnOperator},
		{"KeepsUnusedCodes", keepsUnusedCodes},
		{"StopsWithItsContext", setupStopsWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

var setupAt = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func createCode(t *testing.T, s SetupCodesSubject, hash string) {
	t.Helper()
	created, err := s.Codes.Create(t.Context(), []byte(hash), setupAt.Add(time.Hour))
	require.NoError(t, err)
	require.True(t, created)
}

func makesOperator(t *testing.T, s SetupCodesSubject) {
	anna := create(t, s.AccountsSubject, record(t, 1, "Anna", "a@example.com", ""))
	boris := create(t, s.AccountsSubject, record(t, 2, "boris", "b@example.com", ""))
	require.NoError(t, s.Roles.Grant(t.Context(), login(t, "anna"), otherRole))
	for _, hash := range []string{"\x00\xff", "other"} { // codes of two instances
		createCode(t, s, hash)
		require.NoError(t, s.Codes.Check(t.Context(), []byte(hash), setupAt))
	}
	require.NoError(t, s.Codes.Use(t.Context(), []byte("\x00\xff"), setupAt, anna.ID))
	require.Equal(t, []domain.Role{domain.RoleOperator, otherRole}, roles(t, s.AccountsSubject, anna.ID))
	for _, hash := range []string{"\x00\xff", "other"} {
		require.ErrorIs(t, s.Codes.Check(t.Context(), []byte(hash), setupAt), ports.ErrNotFound)
		require.ErrorIs(t, s.Codes.Use(t.Context(), []byte(hash), setupAt, boris.ID), ports.ErrNotFound)
	}
	require.Nil(t, roles(t, s.AccountsSubject, boris.ID))
}

func makesOneOperator(t *testing.T, s SetupCodesSubject) {
	ids := make([]int64, 20)
	for i := range ids {
		ids[i] = create(t, s.AccountsSubject, Record(t, i)).ID
	}
	hashes := []string{"one", "two"}
	for _, hash := range hashes {
		createCode(t, s, hash)
	}
	var all sync.WaitGroup
	var operators atomic.Int32
	for i, id := range ids {
		all.Go(func() {
			err := s.Codes.Use(t.Context(), []byte(hashes[i%len(hashes)]), setupAt, id)
			if err == nil {
				operators.Add(1)
			} else {
				require.ErrorIs(t, err, ports.ErrNotFound)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, operators.Load())
	require.Len(t, listed(t, s.AccountsSubject, domain.RoleOperator), 1)
}

func expiresCodes(t *testing.T, s SetupCodesSubject) {
	anna := create(t, s.AccountsSubject, record(t, 1, "Anna", "a@example.com", ""))
	createCode(t, s, "hash")
	require.NoError(t, s.Codes.Check(t.Context(), []byte("hash"), setupAt.Add(time.Hour-time.Microsecond)))
	require.ErrorIs(t, s.Codes.Check(t.Context(), []byte("hash"), setupAt.Add(time.Hour)), ports.ErrNotFound)
	require.ErrorIs(t, s.Codes.Use(t.Context(), []byte("hash"), setupAt.Add(time.Hour), anna.ID), ports.ErrNotFound)
	require.Nil(t, roles(t, s.AccountsSubject, anna.ID))
}

func hasNoCodesIfThereIsAnOperator(t *testing.T, s SetupCodesSubject) {
	boris := create(t, s.AccountsSubject, record(t, 2, "boris", "b@example.com", ""))
	create(t, s.AccountsSubject, record(t, 1, "Anna", "a@example.com", ""))
	createCode(t, s, "before")
	require.NoError(t, s.Roles.Grant(t.Context(), login(t, "anna"), domain.RoleOperator))
	created, err := s.Codes.Create(t.Context(), []byte("after"), setupAt.Add(time.Hour))
	require.NoError(t, err)
	require.False(t, created)
	for _, hash := range []string{"before", "after"} {
		require.ErrorIs(t, s.Codes.Check(t.Context(), []byte(hash), setupAt), ports.ErrNotFound)
		require.ErrorIs(t, s.Codes.Use(t.Context(), []byte(hash), setupAt, boris.ID), ports.ErrNotFound)
	}
}

func keepsUnusedCodes(t *testing.T, s SetupCodesSubject) {
	anna := create(t, s.AccountsSubject, record(t, 1, "Anna", "a@example.com", ""))
	require.ErrorIs(t, s.Codes.Check(t.Context(), []byte("hash"), setupAt), ports.ErrNotFound)
	createCode(t, s, "hash")
	for _, hash := range []string{"", "has", "Hash", "hash\x00"} {
		t.Run(hash, func(t *testing.T) {
			require.ErrorIs(t, s.Codes.Use(t.Context(), []byte(hash), setupAt, anna.ID), ports.ErrNotFound)
		})
	}
	require.ErrorIs(t, s.Codes.Use(t.Context(), []byte("hash"), setupAt, anna.ID+1_000_000), ports.ErrNotFound, "an unknown user")
	require.NoError(t, s.Codes.Use(t.Context(), []byte("hash"), setupAt, anna.ID))
}

func setupStopsWithContext(t *testing.T, s SetupCodesSubject) {
	anna := create(t, s.AccountsSubject, record(t, 1, "Anna", "a@example.com", ""))
	createCode(t, s, "hash")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errCreate := s.Codes.Create(ctx, []byte("other"), setupAt)
	for _, err := range []error{
		errCreate, s.Codes.Check(ctx, []byte("hash"), setupAt), s.Codes.Use(ctx, []byte("hash"), setupAt, anna.ID),
	} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrNotFound)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
	require.Nil(t, roles(t, s.AccountsSubject, anna.ID))
}
