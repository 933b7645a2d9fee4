package postgres_test

import (
	"testing"

	"rollcall/adapters/postgres"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

func TestAccessTokens(t *testing.T) {
	contract.AccessTokens(t, func(t *testing.T) ports.TokenStore {
		t.Helper()
		return postgres.NewAccessTokens(open(t, pgtest.New(t)))
	})
}
