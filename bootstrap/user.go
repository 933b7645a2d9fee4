package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
)

type userCommand struct {
	databaseFlags `group:"Database"`

	Grant  grantCommand  `cmd:"" help:"Grant a role to a user. It takes effect with the user's next request."`
	Revoke revokeCommand `cmd:"" help:"Revoke a role from a user. It takes effect with the user's next request."`
	List   listCommand   `cmd:"" help:"List users and their roles, one per line, separated by a tab."`
}

// roleArgs are the arguments of commands that change a role.
type roleArgs struct {
	Login string      `arg:"" help:"Login of the user; case is ignored."`
	Role  domain.Role `arg:"" enum:"operator" help:"Role (${enum})."`
}

type grantCommand struct{ roleArgs }

// Run grants the role.
func (cmd *grantCommand) Run(ctx context.Context, std streams, parent *userCommand) error {
	return parent.withDatabase(ctx, std, func(db *postgres.DB) error { return cmd.change(ctx, std, "granted", postgres.NewRoles(db).Grant) })
}

type revokeCommand struct{ roleArgs }

// Run revokes the role.
func (cmd *revokeCommand) Run(ctx context.Context, std streams, parent *userCommand) error {
	return parent.withDatabase(ctx, std, func(db *postgres.DB) error { return cmd.change(ctx, std, "revoked", postgres.NewRoles(db).Revoke) })
}

// change changes a role of the user. It logs a security event as the server does, without the login.
func (args *roleArgs) change(ctx context.Context, std streams, outcome string, change func(context.Context, domain.Login, domain.Role) error) error {
	err := change(ctx, domain.RestoreLogin(args.Login), args.Role)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return fmt.Errorf("no user has the login %q", args.Login)
	case errors.Is(err, domain.ErrLastOperator):
		return fmt.Errorf("%q is the last operator; grant the role to another user first", args.Login)
	case err != nil:
		return fmt.Errorf("change role: %w", err)
	}
	newLog("text", std.err).Info("security event", "event", "role", "outcome", outcome, "role", string(args.Role))
	return nil
}

type listCommand struct {
	Role domain.Role `enum:"operator," default:"" placeholder:"ROLE" group:"Filter" help:"List only users with this role."`
}

// Run prints the users and their roles.
func (cmd *listCommand) Run(ctx context.Context, std streams, parent *userCommand) error {
	return parent.withDatabase(ctx, std, func(db *postgres.DB) error {
		for user, err := range postgres.NewRoles(db).List(ctx, cmd.Role) {
			if err != nil {
				return err
			}
			roles := make([]string, len(user.Roles))
			for i, role := range user.Roles {
				roles[i] = string(role)
			}
			_, err = fmt.Fprintf(std.out, "%s\t%s\n", user.Login, strings.Join(roles, " "))
			if err != nil {
				return fmt.Errorf("print users: %w", err)
			}
		}
		return nil
	})
}
