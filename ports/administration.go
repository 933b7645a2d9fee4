package ports

import (
	"context"
	"iter"

	"rollcall/domain"
)

// Administration is what whoever runs the service may ask for.
type Administration interface {
	// Grant gives a user a role, from their next request on. It returns ErrNotFound when nobody has the login,
	// ErrUnavailable.
	Grant(ctx context.Context, login string, role domain.Role) error

	// Revoke takes a role away, from the user's next request on. It returns ErrNotFound when nobody has the login,
	// domain.ErrLastOperator, ErrUnavailable.
	Revoke(ctx context.Context, login string, role domain.Role) error

	// Users returns the users that have a role, or all of them where role is empty, by their logins. An error ends it.
	Users(ctx context.Context, role domain.Role) iter.Seq2[UserRoles, error]
}
