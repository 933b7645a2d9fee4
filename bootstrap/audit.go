package bootstrap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"rollcall/adapters/postgres"
	"rollcall/adapters/web/api"
	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
)

// withCommandOrigin returns a context whose changes are those of a command, which the current account of the operating system runs.
func withCommandOrigin(ctx context.Context) context.Context {
	name := strconv.Itoa(os.Getuid())
	account, err := user.Current()
	if err == nil {
		name = cmp.Or(account.Username, name)
	}
	return ports.WithOrigin(ctx, ports.Origin{Actor: domain.Actor{Kind: domain.ActorCommand, Name: name}})
}

// followInterval is the time between two readings of a followed audit.
const followInterval = time.Second

type auditCommand struct {
	databaseFlags `group:"Database"`
	zoneFlags     `group:"Audit"`

	Follow bool   `group:"Audit" short:"f" help:"Keep printing new entries until interrupted."`
	JSON   bool   `group:"Audit" name:"json" help:"Print each entry as a line of JSON."`
	Person string `group:"Filter" placeholder:"ID|LOGIN" help:"Only entries that concern this user. A number is an id."`
	Actor  string `group:"Filter" placeholder:"ACTOR" help:"Only what this actor did: 'user:ID', 'token:ID', 'command', 'visitor', 'system', or the login of a user."`
	Action string `group:"Filter" placeholder:"ACTION" help:"Only this action, such as sign_in.failed, or all actions of an event, such as sign_in."`
	Since  string `group:"Filter" placeholder:"TIME" help:"Only entries since a time, such as 2026-11-23 or 2026-11-23T12:00:00Z, or of the last 90d or 12h."`
}

// Run prints entries, the oldest first.
func (cmd *auditCommand) Run(ctx context.Context, std streams) error {
	return cmd.withDatabase(ctx, std, func(db *postgres.DB) error {
		audit := postgres.NewAudit(db)
		filter, err := cmd.filter(ctx, application.NewReadAudit(audit, postgres.NewAccounts(db)))
		if err != nil {
			return err
		}
		for entry, err := range audit.Follow(ctx, filter) {
			switch {
			case err != nil && cmd.Follow && errors.Is(ctx.Err(), context.Canceled):
				return nil
			case err != nil:
				return err
			case entry != nil:
				_, err = fmt.Fprintln(std.out, cmd.line(entry))
				if err != nil {
					return fmt.Errorf("print audit: %w", err)
				}
				continue
			case !cmd.Follow:
				return nil
			}
			select {
			case <-ctx.Done():
			case <-time.After(followInterval):
			}
		}
		return nil
	})
}

func (cmd *auditCommand) filter(ctx context.Context, audit *application.ReadAudit) (filter domain.AuditFilter, err error) {
	find := func(flag, name string) (id int64, err error) {
		id, err = audit.FindPerson(ctx, name)
		if errors.Is(err, ports.ErrNotFound) {
			err = usageError{fmt.Errorf("invalid --%s %q: no user has this login; use the id of a deleted user", flag, name)}
		}
		return id, err
	}
	if cmd.Person != "" {
		filter.User, err = find("person", cmd.Person)
	}
	if cmd.Actor != "" && err == nil {
		var invalid error
		filter.Actor, invalid = domain.ParseActor(cmd.Actor)
		if invalid != nil {
			filter.Actor = domain.Actor{Kind: domain.ActorUser}
			filter.Actor.ID, err = find("actor", cmd.Actor)
		}
	}
	if cmd.Action != "" && err == nil {
		filter.Actions, err = domain.ParseActions(cmd.Action)
		if err != nil {
			err = usageError{fmt.Errorf("invalid --action %q: expected one of %s", cmd.Action, joined(domain.Actions()))}
		}
	}
	if cmd.Since != "" && err == nil {
		filter.From, err = cmd.since()
	}
	return filter, err
}

func joined(actions []domain.Action) string {
	names := make([]string, len(actions))
	for i, action := range actions {
		names[i] = string(action)
	}
	return strings.Join(names, ", ")
}

// since returns the time that --since stands for.
func (cmd *auditCommand) since() (time.Time, error) {
	now := cmd.now()
	var past lifetime
	if err := past.UnmarshalText([]byte(cmd.Since)); err == nil && past != 0 {
		return now.Add(-time.Duration(past)), nil
	}
	if day, ok := domain.ParseDate(cmd.Since); ok {
		return day.Start(now.Location()), nil
	}
	at, err := time.Parse(time.RFC3339, cmd.Since)
	if err != nil {
		return at, usageError{fmt.Errorf("invalid --since %q: expected a date, a time such as 2026-11-23T12:00:00Z, or a duration such as 90d or 12h", cmd.Since)}
	}
	return at, nil
}

const maxNameShown = 100 // characters

// line returns the line of an entry, whose parts a tab separates: time, actor, action, whom it concerns, from where, and the rest.
func (cmd *auditCommand) line(entry *domain.AuditEntry) string {
	encoded := api.NewAuditEntry(entry)
	encoded.Time = entry.Time.In(cmd.now().Location())
	if cmd.JSON {
		text, err := json.Marshal(encoded)
		if err != nil {
			panic(err) // it has texts and numbers, and what was JSON in the database
		}
		return string(text)
	}
	named := func(key, name string) string {
		if name != "" {
			key += " (" + domain.Line(name, maxNameShown) + ")"
		}
		return key
	}
	var concerned, details []string
	if entry.User != 0 {
		concerned = append(concerned, named(domain.UserActor(entry.User).Key(), entry.Login))
	}
	if entry.Import != 0 {
		concerned = append(concerned, fmt.Sprintf("import:%d", entry.Import))
	}
	for _, part := range []struct {
		name  string
		facts map[string]any
	}{{"before", entry.Before}, {"after", entry.After}} {
		if text, err := json.Marshal(part.facts); err == nil && part.facts != nil {
			details = append(details, part.name+"="+string(text))
		}
	}
	if entry.Request != "" {
		details = append(details, "request="+entry.Request)
	}
	if entry.LeftOut > 0 {
		details = append(details, fmt.Sprintf("left_out=%d", entry.LeftOut))
	}
	return strings.Join([]string{
		encoded.Time.Format("2006-01-02 15:04:05 ") + domain.ZoneName(encoded.Time), named(entry.Actor.Key(), entry.Actor.Name), string(entry.Action),
		cmp.Or(strings.Join(concerned, " "), "-"), cmp.Or(entry.Address, "-"), strings.Join(details, " "),
	}, "\t")
}
