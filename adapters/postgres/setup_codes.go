package postgres

import (
	"context"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// SetupCodes stores the codes that make a user the first operator.
type SetupCodes struct{ db *DB }

// NewSetupCodes returns the store in db.
func NewSetupCodes(db *DB) *SetupCodes { return &SetupCodes{db} }

const (
	noOperatorSQL = "not exists (select from roles where role = 'operator')"
	validCodeSQL  = "exists (select from setup_codes where hash = $1 and expires > $2) and " + noOperatorSQL
)

var useCodeSQL = `
		with found as (select id from users where id = $3 for key share),
			used as (delete from setup_codes where exists (select from found) and ` + validCodeSQL + ` returning hash),
			granted as (insert into roles (user_id, role) select id, 'operator' from found where exists (select from used) returning user_id),
			noted as (` + note{first: 4, from: "granted", user: "user_id"}.sql() + `)
		select exists (select from used)`

// Create implements ports.SetupCodeStore.
func (s *SetupCodes) Create(ctx context.Context, hash []byte, expires time.Time) (bool, error) {
	done, err := s.db.pool.Exec(ctx, "insert into setup_codes (hash, expires) select $1, $2 where "+noOperatorSQL, hash, expires)
	if err != nil {
		return false, fmt.Errorf("insert setup code: %w", unavailable(err))
	}
	return done.RowsAffected() == 1, nil
}

// Check implements ports.SetupCodeStore.
func (s *SetupCodes) Check(ctx context.Context, hash []byte, at time.Time) error {
	var valid bool
	err := s.db.pool.QueryRow(ctx, "select "+validCodeSQL, hash, at).Scan(&valid)
	switch {
	case err != nil:
		return fmt.Errorf("find setup code: %w", unavailable(err))
	case !valid:
		return ports.ErrNotFound
	}
	return nil
}

// Use implements ports.SetupCodeStore.
func (s *SetupCodes) Use(ctx context.Context, hash []byte, at time.Time, user int64) error {
	var used bool
	args := append([]any{hash, at, user},
		noteArgs(ports.OriginOf(ctx), &domain.AuditEntry{Action: domain.ActionRoleGranted, After: roleFacts(domain.RoleOperator)})...)
	err := s.db.changeRoles(ctx, useCodeSQL, args, &used)
	switch {
	case err != nil:
		return fmt.Errorf("use setup code: %w", unavailable(err))
	case !used:
		return ports.ErrNotFound
	}
	return nil
}

// Sweep removes the codes that no longer work.
func (s *SetupCodes) Sweep(ctx context.Context) error {
	_, err := s.db.pool.Exec(ctx, "delete from setup_codes where expires <= clock_timestamp() or not ("+noOperatorSQL+")")
	if err != nil {
		return fmt.Errorf("sweep setup codes: %w", unavailable(err))
	}
	return nil
}
