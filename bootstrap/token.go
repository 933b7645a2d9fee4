package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall/adapters/passhash"
	"rollcall/adapters/postgres"
	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token, and print it this once."`
	List   tokenListCommand   `cmd:"" help:"Print all tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Make a token invalid. An import that is under way goes on."`
}

type tokenCreateCommand struct {
	databaseFlags

	Expires lifetime `default:"90d" placeholder:"TIME" help:"How long it is valid, e.g. 90d or 12h, or never to end (${default})."`
	Name    string   `arg:"" help:"Of whom it is for, e.g. crm. Imports name it."`
}

// Run makes a token. It alone is on the standard output, so that a script can take it from there.
func (cmd *tokenCreateCommand) Run(ctx context.Context, std streams) error {
	return cmd.withAccess(ctx, std, func(access *application.AccessTokens) error {
		secret, token, err := access.CreateToken(ctx, cmd.Name, time.Duration(cmd.Expires))
		if err != nil {
			return err
		}
		until := "until it is revoked"
		if !token.Expires.IsZero() {
			until = "until " + minute(token.Expires)
		}
		fmt.Fprintf(std.err, "%s is valid %s. It is not shown again:\n", token.Name, until)
		_, err = fmt.Fprintln(std.out, secret)
		return err
	})
}

type tokenListCommand struct{ databaseFlags }

// Run prints the tokens.
func (cmd *tokenListCommand) Run(ctx context.Context, std streams) error {
	return cmd.with(ctx, std, func(db *postgres.DB) error {
		tokens, err := postgres.NewAccessTokens(db).All(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tCREATED\tEXPIRES\tLAST USED\tSTATE")
		now := time.Now()
		for i := range tokens {
			t := &tokens[i]
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", t.Name, minute(t.Created), minute(t.Expires), minute(t.Used), state(t, now))
		}
		return table.Flush()
	})
}

func state(token *domain.AccessToken, now time.Time) string {
	switch {
	case !token.Revoked.IsZero():
		return "revoked " + minute(token.Revoked)
	case !token.IsValid(now):
		return "expired"
	}
	return "valid"
}

// minute writes a time as the operator's clock shows it.
func minute(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

type tokenRevokeCommand struct {
	databaseFlags

	Name string `arg:"" help:"Of the token."`
}

// Run revokes a token.
func (cmd *tokenRevokeCommand) Run(ctx context.Context, std streams) error {
	return cmd.withAccess(ctx, std, func(access *application.AccessTokens) error {
		err := access.RevokeToken(ctx, cmd.Name)
		if errors.Is(err, ports.ErrNotFound) {
			return fmt.Errorf("there is no token %q, or it was revoked before", cmd.Name)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(std.out, cmd.Name, "is revoked")
		return err
	})
}

// lifetime is how long something is valid: 90d, 12h, or never to end, which is 0.
type lifetime time.Duration

const (
	day = 24 * time.Hour

	// maxLifetime is far from what a time can hold.
	maxLifetime = 36500 * day
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *lifetime) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		*l = 0
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if days, isDays := strings.CutSuffix(string(text), "d"); isDays {
		var n int64
		n, err = strconv.ParseInt(days, 10, 32)
		if n > int64(maxLifetime/day) {
			n = 0
		}
		d = time.Duration(n) * day
	}
	if err != nil || d <= 0 || d > maxLifetime {
		return fmt.Errorf("%q is no time like 90d or 12h, nor never", text)
	}
	*l = lifetime(d)
	return nil
}

// withAccess runs work with the tokens.
func (f *databaseFlags) withAccess(ctx context.Context, std streams, work func(*application.AccessTokens) error) error {
	return f.with(ctx, std, func(db *postgres.DB) error {
		return work(application.NewAccessTokens(postgres.NewAccessTokens(db), passhash.TokenSecrets, time.Now))
	})
}
