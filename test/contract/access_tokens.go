package contract

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// AccessTokens proves a ports.TokenStore.
func AccessTokens(t *testing.T, subject func(*testing.T) ports.TokenStore) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ports.TokenStore)
	}{
		{"StoresTokens", storesTokens},
		{"CopiesTheCallersMemory", copiesToken},
		{"StoresANameOnce", storesNameOnce},
		{"ReusesTheNameOfARevokedToken", reusesRevokedName},
		{"RevokesOnce", revokesOnce},
		{"RecordsUses", recordsUses},
		{"RecordsConcurrentUses", recordsConcurrentUses},
		{"FindsNoTokenByAnotherHash", findsNoTokenByAnotherHash},
		{"DistinguishesNames", distinguishesNames},
		{"StopsWithItsContext", tokensStopWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

var tokenMade = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

func token(name string) *domain.AccessToken {
	return &domain.AccessToken{Name: name, Scopes: []domain.Scope{domain.ScopeUseradd}, Created: tokenMade}
}

// withoutID returns a token without the id that a store gave it.
func withoutID(token domain.AccessToken) domain.AccessToken {
	token.ID = 0
	return token
}

func createToken(t *testing.T, store ports.TokenStore, token *domain.AccessToken, hash string) {
	t.Helper()
	require.NoError(t, store.Create(t.Context(), token, []byte(hash)))
}

func useToken(t *testing.T, store ports.TokenStore, hash string, at time.Time) domain.AccessToken {
	t.Helper()
	used, err := store.Use(t.Context(), []byte(hash), at)
	require.NoError(t, err)
	return *used
}

func allTokens(t *testing.T, store ports.TokenStore) []domain.AccessToken {
	t.Helper()
	all, err := store.All(t.Context())
	require.NoError(t, err)
	return all
}

func storesTokens(t *testing.T, store ports.TokenStore) {
	require.Empty(t, allTokens(t, store))
	forever, expiring := token("б"), token("a")
	expiring.Created = tokenMade.Add(-time.Hour)
	expiring.Expires = tokenMade.Add(time.Hour)
	expiring.Scopes = []domain.Scope{domain.ScopeUsersRead, domain.ScopeUsersWrite}
	createToken(t, store, forever, "\x00\xff")
	createToken(t, store, expiring, "other")
	all := allTokens(t, store)
	require.Len(t, all, 2)
	require.Equal(t, []domain.AccessToken{*forever, *expiring}, []domain.AccessToken{withoutID(all[0]), withoutID(all[1])}, "in the order in which they were created")
	require.Equal(t, all[1], useToken(t, store, "other", tokenMade.Add(2*time.Hour)), "even if it has expired")
}

func copiesToken(t *testing.T, store ports.TokenStore) {
	mine, hash := token("crm"), []byte("hash")
	require.NoError(t, store.Create(t.Context(), mine, hash))
	mine.Name, mine.Scopes[0], hash[0] = "other", "other", 'H'
	require.Equal(t, "crm", useToken(t, store, "hash", tokenMade).Name)
	got, err := store.Use(t.Context(), []byte("hash"), tokenMade)
	require.NoError(t, err)
	got.Name, got.Scopes[0] = "other", "other"
	kept := allTokens(t, store)[0]
	require.Equal(t, "crm", kept.Name)
	require.Equal(t, token("crm").Scopes, kept.Scopes)
}

func storesNameOnce(t *testing.T, store ports.TokenStore) {
	var created atomic.Int64
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			err := store.Create(t.Context(), token("crm"), []byte{byte(n)})
			switch {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, ports.ErrTokenExists):
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, created.Load())
	require.Len(t, allTokens(t, store), 1)
}

func reusesRevokedName(t *testing.T, store ports.TokenStore) {
	createToken(t, store, token("crm"), "first")
	require.NoError(t, store.Revoke(t.Context(), "crm", tokenMade))
	createToken(t, store, token("crm"), "second")
	first, second := useToken(t, store, "first", tokenMade), useToken(t, store, "second", tokenMade)
	require.Equal(t, tokenMade, first.Revoked)
	require.Zero(t, second.Revoked)
	require.NotZero(t, first.ID)
	require.NotZero(t, second.ID)
	require.NotEqual(t, first.ID, second.ID, "ids are not reused")
	require.NoError(t, store.Revoke(t.Context(), "crm", tokenMade.Add(time.Hour)))
	require.Equal(t, tokenMade, useToken(t, store, "first", tokenMade).Revoked)
	require.Equal(t, tokenMade.Add(time.Hour), useToken(t, store, "second", tokenMade).Revoked)
}

func revokesOnce(t *testing.T, store ports.TokenStore) {
	require.ErrorIs(t, store.Revoke(t.Context(), "crm", tokenMade), ports.ErrNotFound)
	createToken(t, store, token("crm"), "hash")
	require.NoError(t, store.Revoke(t.Context(), "crm", tokenMade.In(time.FixedZone("", 7200))))
	require.ErrorIs(t, store.Revoke(t.Context(), "crm", tokenMade.Add(time.Hour)), ports.ErrNotFound)
	require.Equal(t, tokenMade, allTokens(t, store)[0].Revoked)
}

func recordsUses(t *testing.T, store ports.TokenStore) {
	createToken(t, store, token("crm"), "hash")
	createToken(t, store, token("other"), "other")
	require.Zero(t, useToken(t, store, "hash", tokenMade).Used, "as it was before the call")
	for _, c := range []struct {
		name     string
		used     time.Duration
		recorded time.Duration
	}{
		{"First", 0, 0},
		{"WithinTheInterval", domain.TokenUseInterval - time.Microsecond, 0},
		{"AfterTheInterval", domain.TokenUseInterval, domain.TokenUseInterval},
		{"ByAClockThatWentBack", 0, domain.TokenUseInterval},
		{"MuchLater", time.Hour, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			useToken(t, store, "hash", tokenMade.Add(c.used))
			all := allTokens(t, store)
			require.Equal(t, tokenMade.Add(c.recorded), all[0].Used)
			require.Zero(t, all[1].Used)
		})
	}
}

func recordsConcurrentUses(t *testing.T, store ports.TokenStore) {
	createToken(t, store, token("crm"), "hash")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := store.Use(t.Context(), []byte("hash"), tokenMade)
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.Equal(t, tokenMade, allTokens(t, store)[0].Used)
}

func findsNoTokenByAnotherHash(t *testing.T, store ports.TokenStore) {
	createToken(t, store, token("crm"), "hash")
	for _, hash := range []string{"", "has", "Hash", "hash\x00", "crm"} {
		t.Run(hash, func(t *testing.T) {
			_, err := store.Use(t.Context(), []byte(hash), tokenMade)
			require.ErrorIs(t, err, ports.ErrNotFound)
		})
	}
	require.Zero(t, allTokens(t, store)[0].Used)
}

func distinguishesNames(t *testing.T, store ports.TokenStore) {
	for i, name := range []string{"crm", "CRM", "crm2", "срм"} {
		createToken(t, store, token(name), string(rune('a'+i)))
	}
	require.NoError(t, store.Revoke(t.Context(), "crm", tokenMade))
	for i, token := range allTokens(t, store) {
		require.Equal(t, i != 0, token.Revoked.IsZero(), token.Name)
	}
}

func tokensStopWithContext(t *testing.T, store ports.TokenStore) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	createToken(t, store, token("crm"), "hash")
	_, errAll := store.All(ctx)
	_, errUse := store.Use(ctx, []byte("hash"), tokenMade)
	for _, err := range []error{store.Create(ctx, token("other"), []byte("other")), errAll, store.Revoke(ctx, "crm", tokenMade), errUse} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
	all := allTokens(t, store)
	require.Len(t, all, 1)
	require.Equal(t, *token("crm"), withoutID(all[0]))
}
