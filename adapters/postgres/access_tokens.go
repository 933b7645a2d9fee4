package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// AccessTokens stores tokens under the hashes of their secrets.
type AccessTokens struct{ db *DB }

// NewAccessTokens returns the store in db.
func NewAccessTokens(db *DB) *AccessTokens { return &AccessTokens{db} }

// The statements that change tokens add the id of the token to their audit entries.
var (
	createTokenSQL = `
		with created as (insert into access_tokens (name, hash, scopes, created_at, expires_at) values ($1, $2, $3, $4, $5) returning id) ` +
		note{first: 6, from: "created", after: idFact}.sql()
	revokeTokenSQL = `
		with revoked as (update access_tokens set revoked_at = $2 where name = $1 and revoked_at is null returning id) ` +
		note{first: 3, from: "revoked", after: idFact}.sql()
)

const idFact = "jsonb_build_object('token', id)"

// Create implements ports.TokenStore.
func (a *AccessTokens) Create(ctx context.Context, token *domain.AccessToken, hash []byte) error {
	facts := map[string]any{"name": token.Name, "scopes": token.Scopes}
	if !token.Expires.IsZero() {
		facts["expires"] = token.Expires.UTC().Format(time.RFC3339)
	}
	_, err := a.db.pool.Exec(ctx, createTokenSQL, append([]any{token.Name, hash, token.Scopes, token.Created, nullTime(token.Expires)},
		noteArgs(ports.OriginOf(ctx), &domain.AuditEntry{Action: domain.ActionTokenCreated, After: facts})...)...)
	if sqlState(err) == uniqueViolation {
		return ports.ErrTokenExists
	}
	if err != nil {
		return fmt.Errorf("insert token: %w", unavailable(err))
	}
	return nil
}

const tokenColumns = "id, name, scopes, created_at, expires_at, used_at, revoked_at" //nolint:gosec // these are names of columns

// All implements ports.TokenStore.
func (a *AccessTokens) All(ctx context.Context) ([]domain.AccessToken, error) {
	rows, err := a.db.pool.Query(ctx, "select "+tokenColumns+" from access_tokens order by id")
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", unavailable(err))
	}
	tokens, err := pgx.CollectRows(rows, scanToken)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", unavailable(err))
	}
	return tokens, nil
}

// Revoke implements ports.TokenStore.
func (a *AccessTokens) Revoke(ctx context.Context, name string, at time.Time) error {
	done, err := a.db.pool.Exec(ctx, revokeTokenSQL, append([]any{name, at},
		noteArgs(ports.OriginOf(ctx), &domain.AuditEntry{Action: domain.ActionTokenRevoked, After: map[string]any{"name": name}})...)...)
	if err != nil {
		return fmt.Errorf("revoke token: %w", unavailable(err))
	}
	if done.RowsAffected() == 0 {
		return ports.ErrNotFound
	}
	return nil
}

// Use implements ports.TokenStore. It returns the token as it was before this use.
func (a *AccessTokens) Use(ctx context.Context, hash []byte, at time.Time) (*domain.AccessToken, error) {
	rows, err := a.db.pool.Query(ctx, `
		with noted as (update access_tokens set used_at = $2 where hash = $1 and (used_at is null or used_at <= $3))
		select `+tokenColumns+" from access_tokens where hash = $1", hash, at, at.Add(-domain.TokenUseInterval))
	if err != nil {
		return nil, fmt.Errorf("use token: %w", unavailable(err))
	}
	token, err := pgx.CollectExactlyOneRow(rows, scanToken)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("use token: %w", unavailable(err))
	}
	return &token, nil
}

func scanToken(row pgx.CollectableRow) (domain.AccessToken, error) {
	var token domain.AccessToken
	var expires, used, revoked *time.Time
	err := row.Scan(&token.ID, &token.Name, &token.Scopes, &token.Created, &expires, &used, &revoked)
	token.Created, token.Expires, token.Used, token.Revoked = token.Created.UTC(), timeOf(expires), timeOf(used), timeOf(revoked)
	return token, err
}

// nullTime returns null for a zero time.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// timeOf returns a zero time for null.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
