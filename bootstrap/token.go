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
	Create tokenCreateCommand `cmd:"" help:"Create a token and print it once."`
	List   tokenListCommand   `cmd:"" help:"List all tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Revoke a token. An import that is in progress continues."`
}

type tokenCreateCommand struct {
	databaseFlags `group:"Database"`
	zoneFlags     `group:"Token"`

	Expires lifetime `group:"Token" default:"90d" placeholder:"TIME" help:"How long the token is valid, such as 90d or 12h, or never (default: ${default})."`
	Scope   []string `group:"Token" placeholder:"SCOPES" help:"What the token permits, with commas between: useradd, users:read, users:write (default: useradd)."`
	Name    string   `arg:"" help:"Name of the client that will use the token, such as crm. Recorded with each import."`
}

// Run creates a token. It prints only the token to standard output, so that a script can read it.
func (cmd *tokenCreateCommand) Run(ctx context.Context, std streams) error {
	scopes := make([]domain.Scope, len(cmd.Scope))
	for i, name := range cmd.Scope {
		var err error
		scopes[i], err = domain.ParseScope(name)
		if err != nil {
			return err
		}
	}
	return cmd.withTokens(ctx, std, func(tokens *application.AccessTokens) error {
		secret, token, err := tokens.CreateToken(ctx, cmd.Name, time.Duration(cmd.Expires), scopes...)
		if err != nil {
			return err
		}
		until := "until it is revoked"
		if !token.Expires.IsZero() {
			until = "until " + cmd.minute(token.Expires)
		}
		fmt.Fprintf(std.err, "Token %s is valid %s. Store it now; it is not shown again:\n", token.Name, until)
		_, err = fmt.Fprintln(std.out, secret)
		return err
	})
}

type tokenListCommand struct {
	databaseFlags `group:"Database"`
	zoneFlags     `group:"Tokens"`
}

// Run prints a table of the tokens.
func (cmd *tokenListCommand) Run(ctx context.Context, std streams) error {
	return cmd.withDatabase(ctx, std, func(db *postgres.DB) error {
		tokens, err := postgres.NewAccessTokens(db).All(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tSCOPES\tCREATED\tEXPIRES\tLAST USED\tSTATE")
		now := time.Now()
		for i := range tokens {
			t := &tokens[i]
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", t.Name, scopesOf(t), cmd.minute(t.Created), cmd.minute(t.Expires), cmd.minute(t.Used), cmd.state(t, now))
		}
		return table.Flush()
	})
}

func scopesOf(token *domain.AccessToken) string {
	scopes := make([]string, len(token.Scopes))
	for i, scope := range token.Scopes {
		scopes[i] = string(scope)
	}
	return strings.Join(scopes, ",")
}

func (f *zoneFlags) state(token *domain.AccessToken, now time.Time) string {
	switch {
	case !token.Revoked.IsZero():
		return "revoked " + f.minute(token.Revoked)
	case !token.IsValid(now):
		return "expired"
	}
	return "valid"
}

type tokenRevokeCommand struct {
	databaseFlags `group:"Database"`

	Name string `arg:"" help:"Name of the token to revoke."`
}

// Run revokes a token.
func (cmd *tokenRevokeCommand) Run(ctx context.Context, std streams) error {
	return cmd.withTokens(ctx, std, func(tokens *application.AccessTokens) error {
		err := tokens.RevokeToken(ctx, cmd.Name)
		if errors.Is(err, ports.ErrNotFound) {
			return fmt.Errorf("no valid token %q: it does not exist, or was revoked before", cmd.Name)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(std.out, cmd.Name, "is revoked")
		return err
	})
}

// A lifetime is a duration on the command line, such as 90d or 12h. 0 stands for "never".
type lifetime time.Duration

const (
	day = 24 * time.Hour

	// maxLifetime keeps times within the range of time.Time.
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
		return fmt.Errorf("invalid duration %q: use a value such as 90d or 12h, or \"never\"", text)
	}
	*l = lifetime(d)
	return nil
}

// withTokens calls work with the use cases of tokens.
func (f *databaseFlags) withTokens(ctx context.Context, std streams, work func(*application.AccessTokens) error) error {
	return f.withDatabase(ctx, std, func(db *postgres.DB) error {
		return work(application.NewAccessTokens(postgres.NewAccessTokens(db), passhash.TokenSecrets, time.Now))
	})
}
