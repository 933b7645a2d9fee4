package domain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestAccessTokenIsValid(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 1500, time.FixedZone("", 3600))
	token, err := domain.NewAccessToken("crm", now, time.Hour)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 11, 23, 11, 0, 0, 1000, time.UTC), token.Created)
	require.True(t, token.IsValid(token.Created.Add(time.Hour-time.Microsecond)))
	require.False(t, token.IsValid(token.Created.Add(time.Hour)))
	token.Revoked = now
	require.False(t, token.IsValid(now))

	token, err = domain.NewAccessToken("crm", now, 0)
	require.NoError(t, err)
	require.True(t, token.IsValid(now.AddDate(1000, 0, 0)))
	_, err = domain.NewAccessToken("crm", now, -1)
	require.ErrorIs(t, err, domain.ErrTokenLifetime)
}

func TestTokenName(t *testing.T) {
	for _, name := range []string{"a", "crm", "1С-Кадры", "school.7_b", strings.Repeat("я", 50)} {
		t.Run(name, func(t *testing.T) {
			got, err := domain.TokenName(name)
			require.NoError(t, err)
			require.Equal(t, name, got)
		})
	}
	composed, err := domain.TokenName("школьны\u0438\u0306")
	require.NoError(t, err)
	require.Equal(t, "школьны\u0439", composed)
	for _, name := range []string{"", " ", "-a", "--help", "a b", "a\n", "a\x00", "\xff", "a\u202eb", strings.Repeat("я", 51)} {
		t.Run(name, func(t *testing.T) {
			_, err := domain.NewAccessToken(name, time.Now(), 0)
			require.ErrorIs(t, err, domain.ErrTokenName)
		})
	}
}

func TestParseScope(t *testing.T) {
	for _, name := range []string{"useradd", "users:read", "users:write"} {
		scope, err := domain.ParseScope(name)
		require.NoError(t, err)
		require.Equal(t, domain.Scope(name), scope)
	}
	for _, name := range []string{"", "users", "USERS:READ", "users:read "} {
		t.Run(name, func(t *testing.T) {
			_, err := domain.ParseScope(name)
			require.ErrorIs(t, err, domain.ErrTokenScope)
			require.ErrorContains(t, err, "expected useradd, users:read or users:write")
		})
	}
}
