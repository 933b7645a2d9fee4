package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// AccessTokens decides what the clients with tokens may do.
type AccessTokens struct {
	store   ports.TokenStore
	secrets ports.Secrets
	now     func() time.Time
}

// NewAccessTokens returns the use case.
func NewAccessTokens(store ports.TokenStore, secrets ports.Secrets, now func() time.Time) *AccessTokens {
	return &AccessTokens{store, secrets, now}
}

// CreateToken creates a token, and returns it with its secret, which cannot be shown again. A lifetime of 0 never ends. Without scopes the
// token is for imports. CreateToken returns domain.ErrTokenName, domain.ErrTokenLifetime, ports.ErrTokenExists, ports.ErrUnavailable.
func (a *AccessTokens) CreateToken(
	ctx context.Context, name string, lifetime time.Duration, scopes ...domain.Scope,
) (string, *domain.AccessToken, error) {
	token, err := domain.NewAccessToken(name, a.now(), lifetime, scopes...)
	if err != nil {
		return "", nil, fmt.Errorf("create token: %w", err)
	}
	secret := a.secrets.New()
	hash, _ := a.secrets.Hash(secret)
	err = a.store.Create(ctx, token, hash)
	if err != nil {
		return "", nil, fmt.Errorf("create token: %w", err)
	}
	return secret, token, nil
}

// RevokeToken invalidates a token. Imports that are running with it continue. It returns ports.ErrNotFound if no unrevoked token
// has the name, ports.ErrUnavailable.
func (a *AccessTokens) RevokeToken(ctx context.Context, name string) error {
	name, err := domain.TokenName(name)
	if err == nil {
		err = a.store.Revoke(ctx, name, a.now())
	}
	if errors.Is(err, domain.ErrTokenName) {
		err = ports.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

// CheckToken implements ports.CheckingTokens. No error contains the secret.
func (a *AccessTokens) CheckToken(ctx context.Context, secret string, scope domain.Scope) (*domain.AccessToken, error) {
	hash, ok := a.secrets.Hash(secret)
	if !ok {
		return nil, domain.ErrTokenInvalid // without a query
	}
	now := a.now()
	token, err := a.store.Use(ctx, hash, now)
	if errors.Is(err, ports.ErrNotFound) || err == nil && !token.IsValid(now) {
		return nil, domain.ErrTokenInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("check token: %w", err)
	}
	if !token.Has(scope) {
		return nil, domain.ErrTokenForbidden
	}
	return token, nil
}
