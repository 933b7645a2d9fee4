package application

import (
	"context"
	"fmt"
	"iter"

	"rollcall/domain"
	"rollcall/ports"
)

// AdministerUsers says who may do what.
type AdministerUsers struct{ roles ports.Roles }

// NewAdministerUsers makes the use case.
func NewAdministerUsers(roles ports.Roles) *AdministerUsers { return &AdministerUsers{roles} }

// Grant implements ports.Administration.
func (u *AdministerUsers) Grant(ctx context.Context, login string, role domain.Role) error {
	known, violations := domain.ParseLogin(login)
	if violations != nil {
		return ports.ErrNotFound // nobody can have it
	}
	err := u.roles.Grant(ctx, known, role)
	if err != nil {
		return fmt.Errorf("grant role: %w", err)
	}
	return nil
}

// Revoke implements ports.Administration.
func (u *AdministerUsers) Revoke(ctx context.Context, login string, role domain.Role) error {
	known, violations := domain.ParseLogin(login)
	if violations != nil {
		return ports.ErrNotFound
	}
	err := u.roles.Revoke(ctx, known, role)
	if err != nil {
		return fmt.Errorf("revoke role: %w", err)
	}
	return nil
}

// Users implements ports.Administration.
func (u *AdministerUsers) Users(ctx context.Context, role domain.Role) iter.Seq2[ports.UserRoles, error] {
	return u.roles.List(ctx, role)
}
