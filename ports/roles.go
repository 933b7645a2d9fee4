package ports

import (
	"context"
	"iter"

	"rollcall/domain"
)

// UserRoles is a user with their roles.
type UserRoles struct {
	Login string
	Roles []domain.Role // sorted; empty for none
}

// Roles keeps who has which role. The roles of a user end with the account.
type Roles interface {
	// Grant gives a role to whose login it is, without regard to case. Who has it keeps it. It returns ErrNotFound when
	// nobody has the login, ErrUnavailable when the database cannot be reached.
	Grant(ctx context.Context, login domain.Login, role domain.Role) error

	// Revoke takes a role away. Who does not have it stays without it. It returns errors as Grant does, and
	// domain.ErrLastOperator: however many are revoked concurrently, an operator remains.
	Revoke(ctx context.Context, login domain.Login, role domain.Role) error

	// List returns the users that have a role, or all of them where role is empty, in the order of their logins' keys. An
	// error, ErrUnavailable when the database cannot be reached, ends it.
	List(ctx context.Context, role domain.Role) iter.Seq2[UserRoles, error]
}
