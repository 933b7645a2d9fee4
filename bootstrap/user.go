package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/adapters/postgres"
	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
)

type userCommand struct {
	databaseFlags

	Grant  grantCommand  `cmd:"" help:"Give a user a role, from their next request on."`
	Revoke revokeCommand `cmd:"" help:"Take a role away from a user, from their next request on."`
	List   listCommand   `cmd:"" help:"Print the users and their roles, one a line, with a tab between."`
}

// roleArgs say whose role it is, and which.
type roleArgs struct {
	Login string      `arg:"" help:"Login of the user, without regard to case."`
	Role  domain.Role `arg:"" enum:"operator" help:"Role: ${enum}."`
}

type grantCommand struct{ roleArgs }

// Run grants the role.
func (cmd *grantCommand) Run(ctx context.Context, std streams, in *userCommand) error {
	return in.administer(ctx, std, func(users ports.Administration) error {
		return cmd.note(std, "granted", cmd.explain(users.Grant(ctx, cmd.Login, cmd.Role)))
	})
}

type revokeCommand struct{ roleArgs }

// Run revokes the role.
func (cmd *revokeCommand) Run(ctx context.Context, std streams, in *userCommand) error {
	return in.administer(ctx, std, func(users ports.Administration) error {
		return cmd.note(std, "revoked", cmd.explain(users.Revoke(ctx, cmd.Login, cmd.Role)))
	})
}

// note logs a change of a role as the server logs security events. The login stays out of the log.
func (args *roleArgs) note(std streams, outcome string, err error) error {
	if err == nil {
		newLog("text", std.err).Info("security event", "event", "role", "outcome", outcome, "role", string(args.Role))
	}
	return err
}

func (args *roleArgs) explain(err error) error {
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return fmt.Errorf("nobody has the login %q", args.Login)
	case errors.Is(err, domain.ErrLastOperator):
		return fmt.Errorf("%q is the last operator: grant the role to another user first", args.Login)
	}
	return err
}

type listCommand struct {
	Role domain.Role `enum:"operator," default:"" placeholder:"ROLE" help:"Only those who have this role."`
}

// Run lists the users.
func (cmd *listCommand) Run(ctx context.Context, std streams, in *userCommand) error {
	return in.administer(ctx, std, func(users ports.Administration) error {
		for user, err := range users.Users(ctx, cmd.Role) {
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

// administer does something to the users.
func (cmd *userCommand) administer(ctx context.Context, std streams, do func(ports.Administration) error) error {
	return cmd.with(ctx, std, func(db *postgres.DB) error { return do(application.NewAdministerUsers(postgres.NewRoles(db))) })
}
