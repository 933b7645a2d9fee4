package ports

import (
	"context"
	"iter"

	"rollcall/domain"
)

// UserRoles are the roles of a user.
type UserRoles struct {
	Login string
	Roles []domain.Role // sorted; empty for none
}

// RoleStore stores the roles of users. Roles are deleted with the account. Every method returns ErrUnavailable if the database is
// unreachable.
type RoleStore interface {
	// Grant gives the user with a login a role, with effect from the user's next request. Logins match without regard to case.
	// A user who has the role keeps it. Grant returns ErrNotFound if no user has the login.
	Grant(ctx context.Context, login domain.Login, role domain.Role) error

	// Revoke removes a role from a user, with effect from the user's next request. It returns ErrNotFound as Grant does, and
	// domain.ErrLastOperator: after any number of concurrent calls an operator remains.
	Revoke(ctx context.Context, login domain.Login, role domain.Role) error

	// List yields the users with a role, or all users if role is empty, ordered by the keys of their logins. It ends with the
	// first error.
	List(ctx context.Context, role domain.Role) iter.Seq2[UserRoles, error]
}
