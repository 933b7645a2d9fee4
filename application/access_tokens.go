package application

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// secretPrefix lets people and scanners of leaked secrets know what they see.
	secretPrefix = "rollcall_"

	// A secret has 256 random bits.
	secretBytes = 32
)

var secretLength = len(secretPrefix) + base64.RawURLEncoding.EncodedLen(secretBytes)

// AccessTokens decides which programs may register people.
type AccessTokens struct {
	store ports.AccessTokens
	now   func() time.Time
}

// NewAccessTokens makes the use case.
func NewAccessTokens(store ports.AccessTokens, now func() time.Time) *AccessTokens {
	return &AccessTokens{store, now}
}

// CreateToken implements ports.Access.
func (a *AccessTokens) CreateToken(ctx context.Context, name string, lifetime time.Duration) (string, *domain.AccessToken, error) {
	token, err := domain.NewAccessToken(name, a.now(), lifetime)
	if err != nil {
		return "", nil, fmt.Errorf("create token: %w", err)
	}
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // never fails: it ends the program instead
	secret := secretPrefix + base64.RawURLEncoding.EncodeToString(random)
	err = a.store.Create(ctx, token, secretHash(secret))
	if err != nil {
		return "", nil, fmt.Errorf("create token: %w", err)
	}
	return secret, token, nil
}

// Tokens implements ports.Access.
func (a *AccessTokens) Tokens(ctx context.Context) ([]domain.AccessToken, error) {
	tokens, err := a.store.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// RevokeToken implements ports.Access.
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

// CheckToken implements ports.Access. No error has the secret in it.
func (a *AccessTokens) CheckToken(ctx context.Context, secret string) (*domain.AccessToken, error) {
	if len(secret) != secretLength || !strings.HasPrefix(secret, secretPrefix) {
		return nil, domain.ErrTokenInvalid // and the database is not asked
	}
	now := a.now()
	token, err := a.store.Use(ctx, secretHash(secret), now)
	if errors.Is(err, ports.ErrNotFound) || err == nil && !token.IsValid(now) {
		return nil, domain.ErrTokenInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("check token: %w", err)
	}
	return token, nil
}

// secretHash is what a secret is stored as and found by. Nobody guesses 256 random bits, however fast the hash is, and no
// two secrets are alike: so there is nothing for a salt or a slow hash to make harder (NIST SP 800-63B rev. 3, 5.1.2.2). As
// only hashes are compared, the time that it takes tells nothing of a secret.
func secretHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
