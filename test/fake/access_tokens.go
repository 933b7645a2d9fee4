package fake

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// AccessTokens stores tokens in memory.
type AccessTokens struct {
	mu     sync.Mutex
	tokens []domain.AccessToken
	hashes []string
}

// Create implements ports.TokenStore.
func (a *AccessTokens) Create(ctx context.Context, token *domain.AccessToken, hash []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.find(token.Name) != nil {
		return ports.ErrTokenExists
	}
	a.tokens, a.hashes = append(a.tokens, cloneToken(token)), append(a.hashes, string(hash))
	a.tokens[len(a.tokens)-1].ID = int64(len(a.tokens))
	return nil
}

func cloneToken(token *domain.AccessToken) domain.AccessToken {
	copied := *token
	copied.Scopes = slices.Clone(token.Scopes)
	return copied
}

// find returns the unrevoked token with a name, or nil.
func (a *AccessTokens) find(name string) *domain.AccessToken {
	for i := range a.tokens {
		if a.tokens[i].Name == name && a.tokens[i].Revoked.IsZero() {
			return &a.tokens[i]
		}
	}
	return nil
}

// All implements ports.TokenStore.
func (a *AccessTokens) All(ctx context.Context) ([]domain.AccessToken, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("all: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]domain.AccessToken, len(a.tokens))
	for i := range all {
		all[i] = cloneToken(&a.tokens[i])
	}
	return all, nil
}

// Revoke implements ports.TokenStore.
func (a *AccessTokens) Revoke(ctx context.Context, name string, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	token := a.find(name)
	if token == nil {
		return ports.ErrNotFound
	}
	token.Revoked = at.UTC().Truncate(time.Microsecond)
	return nil
}

// Use implements ports.TokenStore.
func (a *AccessTokens) Use(ctx context.Context, hash []byte, at time.Time) (*domain.AccessToken, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("use: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.tokens {
		if a.hashes[i] != string(hash) {
			continue
		}
		token := cloneToken(&a.tokens[i])
		if at.Sub(token.Used) >= domain.TokenUseInterval {
			a.tokens[i].Used = at.UTC().Truncate(time.Microsecond)
		}
		return &token, nil
	}
	return nil, ports.ErrNotFound
}
