package application_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

func TestCheckToken(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	store := &fake.AccessTokens{}
	access := application.NewAccessTokens(store, &fake.Secrets{}, func() time.Time { return now })
	secret, made, err := access.CreateToken(t.Context(), "crm", time.Hour)
	require.NoError(t, err)
	require.Equal(t, &domain.AccessToken{Name: "crm", Scopes: []domain.Scope{domain.ScopeUseradd}, Created: now, Expires: now.Add(time.Hour)}, made)
	other, _, err := access.CreateToken(t.Context(), "other", 0)
	require.NoError(t, err)
	require.NotEqual(t, secret, other)

	got, err := access.CheckToken(t.Context(), secret, domain.ScopeUseradd)
	require.NoError(t, err)
	require.Equal(t, "crm", got.Name)
	hash := sha256.Sum256([]byte(secret))
	for _, c := range []struct {
		name  string
		wrong string
	}{
		{"Empty", ""},
		{"Name", "crm"},
		{"Hash", string(hash[:])},
		{"TrailingBlank", secret + " "},
		{"CutShort", secret[:len(secret)-1]},
		{"OtherCase", strings.ToUpper(secret)},
		{"Unknown", (&fake.Secrets{}).New()[:len(secret)-1] + "9"},
		{"Huge", strings.Repeat(secret, 2000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err = access.CheckToken(t.Context(), c.wrong, domain.ScopeUseradd)
			require.ErrorIs(t, err, domain.ErrTokenInvalid)
			if len(c.wrong) > 3 {
				require.NotContains(t, err.Error(), c.wrong)
			}
		})
	}
	now = now.Add(time.Hour)
	_, err = access.CheckToken(t.Context(), secret, domain.ScopeUseradd)
	require.ErrorIs(t, err, domain.ErrTokenInvalid, "expired")
	_, err = access.CheckToken(t.Context(), other, domain.ScopeUseradd)
	require.NoError(t, err)
	require.NoError(t, access.RevokeToken(t.Context(), "other"))
	_, err = access.CheckToken(t.Context(), other, domain.ScopeUseradd)
	require.ErrorIs(t, err, domain.ErrTokenInvalid, "revoked")

	tokens, err := store.All(t.Context())
	require.NoError(t, err)
	require.Len(t, tokens, 2)
	require.Equal(t, now, tokens[1].Used)
	require.Equal(t, now, tokens[1].Revoked)
}

func TestTokenNames(t *testing.T) {
	access := application.NewAccessTokens(&fake.AccessTokens{}, &fake.Secrets{}, time.Now)
	_, _, err := access.CreateToken(t.Context(), "two words", 0)
	require.ErrorIs(t, err, domain.ErrTokenName)
	_, _, err = access.CreateToken(t.Context(), "crm", 0)
	require.NoError(t, err)
	_, _, err = access.CreateToken(t.Context(), "crm", 0)
	require.ErrorIs(t, err, ports.ErrTokenExists)
	for _, name := range []string{"unknown", "two words"} {
		require.ErrorIs(t, access.RevokeToken(t.Context(), name), ports.ErrNotFound)
	}
}

func TestScopesOfATokenAreItsOnlyOnes(t *testing.T) {
	access := application.NewAccessTokens(&fake.AccessTokens{}, &fake.Secrets{}, time.Now)
	scopes := []domain.Scope{domain.ScopeUseradd, domain.ScopeUsersRead, domain.ScopeUsersWrite}
	for _, of := range []struct {
		name   string
		scopes []domain.Scope
		has    []domain.Scope
	}{
		{"imports", nil, scopes[:1]},
		{"reads", scopes[1:2], scopes[1:2]},
		{"writes", scopes[2:], scopes[2:]},
		{"all", []domain.Scope{scopes[2], scopes[0], scopes[1], scopes[0]}, scopes},
	} {
		t.Run(of.name, func(t *testing.T) {
			secret, token, err := access.CreateToken(t.Context(), of.name, 0, of.scopes...)
			require.NoError(t, err)
			require.Equal(t, of.has, token.Scopes)
			for _, scope := range scopes {
				_, err := access.CheckToken(t.Context(), secret, scope)
				if slices.Contains(of.has, scope) {
					require.NoError(t, err)
					continue
				}
				require.ErrorIs(t, err, domain.ErrTokenForbidden, scope)
			}
		})
	}
}
