package bootstrap

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"rollcall/adapters/i18n"
	"rollcall/adapters/passhash"
	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
)

type migrateCommand struct {
	takeoverFlags `group:"First service"`
	rulesFlags    `group:"First service"`
	zoneFlags     `group:"First service"`
	databaseFlags `group:"Database"`
	logFlags      `group:"Logging"`
}

// takeoverFlags configure the takeover of a database of the first service.
type takeoverFlags struct {
	Check     bool `help:"Change nothing. Print what the takeover of a database of the first service does, and what it finds."`
	KeepFirst bool `help:"If accounts clash, the first one keeps its login, email and phone. A later one gets another login, and loses the email or phone that clashes."`
}

// Validate implements kong's interface for rules that tags cannot express.
func (cmd *migrateCommand) Validate() error {
	return errors.Join(cmd.rulesFlags.check(), cmd.databaseFlags.check())
}

// Run migrates the database, and takes it over if it is one of the first service.
func (cmd *migrateCommand) Run(ctx context.Context, std streams) error {
	if cmd.Check {
		err := cmd.exists() // starting a new database would change something
		if err != nil {
			return err
		}
	}
	db, err := cmd.startDatabase(ctx, newLog(cmd.LogFormat, std.err), func(ctx context.Context, url string) error {
		err := cmd.takeOver(ctx, url, std.out)
		if err != nil || cmd.Check {
			return err
		}
		return postgres.Migrate(ctx, url)
	})
	if err != nil {
		return err
	}
	return db.stop()
}

// takeOver takes over a database of the first service, and prints what it finds.
func (cmd *migrateCommand) takeOver(ctx context.Context, url string, out io.Writer) (err error) {
	catalog, err := i18n.New()
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	defer func() { err = errors.Join(err, buffered.Flush()) }()
	list := takeoverList{out: buffered, words: catalog.Choose("en", ""), counts: map[postgres.FindingKind]int{}}
	result, err := postgres.TakeOver(ctx, url, postgres.TakeoverConfig{
		Rules: cmd.rules(cmd.now()), CanSignIn: passhash.IsFirstService, KeepFirst: cmd.KeepFirst, Check: cmd.Check, Found: list.print,
	})
	if err == nil && result == nil {
		if cmd.Check {
			_, err = fmt.Fprintln(buffered, "This is no database of the first service. Nothing was changed.")
		}
		return err
	}
	if errors.Is(err, postgres.ErrClashes) {
		return errors.Join(list.summarize(), errClashes)
	}
	if err != nil {
		return explained(err)
	}
	return errors.Join(list.summarize(), cmd.printResult(buffered, result))
}

var errClashes = errors.New(
	"accounts of the first service clash, and nothing was changed: change them in the first service, or run 'rollcall migrate --keep-first'")

func (cmd *migrateCommand) printResult(out io.Writer, result *postgres.Takeover) error {
	heading := "The first service's database was taken over:"
	end := "Its tables are in the schema first_service, unchanged."
	switch {
	case result.Before:
		heading, end = "The first service's database was taken over before:", "Nothing was changed."
	case cmd.Check:
		heading, end = "The first service's database can be taken over:", "Nothing was changed. Stop the first service, then run 'rollcall migrate'."
	}
	_, err := fmt.Fprintf(out, "%s\n  %d users, %d profiles, %d imports, %d rejected records\n%s\n",
		heading, result.Users, result.Profiles, result.Imports, result.Rejections, end)
	return err
}

// explained adds to an error of a takeover what to do.
func explained(err error) error {
	switch {
	case errors.Is(err, postgres.ErrFirstServiceRuns):
		return fmt.Errorf("%w: stop the first service, and try again", err)
	case errors.Is(err, postgres.ErrNoRights):
		return fmt.Errorf("%w: connect as the owner of the tables, and grant it CREATE on the database", err)
	}
	return err
}

// takeOverAndMigrate is the migration of a server that starts. The log has no logins, so it has only the numbers of findings.
func takeOverAndMigrate(ctx context.Context, url string, rules domain.Rules, log *slog.Logger) error {
	counts := map[postgres.FindingKind]int{}
	result, err := postgres.TakeOver(ctx, url, postgres.TakeoverConfig{
		Rules: rules, CanSignIn: passhash.IsFirstService, Found: func(f postgres.Finding) error { counts[f.Kind]++; return nil },
	})
	switch {
	case errors.Is(err, postgres.ErrClashes):
		return fmt.Errorf("%w: run 'rollcall migrate --check' to list them", err)
	case err != nil:
		return explained(err)
	case result != nil:
		attributes := []any{"users", result.Users, "profiles", result.Profiles, "imports", result.Imports, "rejected_records", result.Rejections}
		for _, kind := range findingKinds {
			if counts[kind.kind] > 0 {
				attributes = append(attributes, kind.label, counts[kind.kind])
			}
		}
		log.Info("took over the first service's database; run 'rollcall migrate --check' to list what was found", attributes...)
	}
	return postgres.Migrate(ctx, url)
}

// findingKinds are the kinds of findings in the order of the summary. The label begins each line of the list.
var findingKinds = []struct {
	kind           postgres.FindingKind
	label, summary string
}{
	{postgres.FindingClash, "clash", "logins, emails or phones that belong to an earlier user, too"},
	{postgres.FindingRenamed, "renamed", "users with a new login"},
	{postgres.FindingContactLost, "removed", "users who lost an email or phone"},
	{postgres.FindingInvalid, "kept", "users with values that today's rules reject; they keep them, and sign in as before"},
	{postgres.FindingNoPassword, "password", "users without a password that can be verified; they cannot sign in"},
	{postgres.FindingDoubtfulBirthday, "doubtful", "birthdays whose day and month may be exchanged: the first service read 01/02/1985 as 2 January"},
	{postgres.FindingNoBirthday, "birthday", "birthdays that are no days; these users have no birthday now"},
	{postgres.FindingNoDate, "date", "users without a date of registration; they have today's"},
	{postgres.FindingNoProfile, "profile", "users without a profile"},
	{postgres.FindingOtherProfile, "left", "profiles of no user, or of a user who has an earlier one; they stay in first_service.profiles only"},
	{postgres.FindingIncompleteImport, "import", "imports without a status or a date"},
	{postgres.FindingRenumbered, "number", "rejected records whose number was missing or not unique in their import"},
	{postgres.FindingNoImport, "added", "rejected records without an import; they are in an import that the takeover adds"},
}

// A takeoverList prints the findings of a takeover, a line each, and counts them.
type takeoverList struct {
	out    io.Writer
	words  ports.Sentences
	counts map[postgres.FindingKind]int
}

func (l *takeoverList) print(f postgres.Finding) error {
	l.counts[f.Kind]++
	for _, kind := range findingKinds {
		if kind.kind == f.Kind {
			_, err := fmt.Fprintf(l.out, "%-9s %s\n", kind.label, l.line(&f))
			return err
		}
	}
	return fmt.Errorf("unknown finding %q", f.Kind)
}

func (l *takeoverList) line(f *postgres.Finding) string {
	user := fmt.Sprintf("user %d %q", f.ID, f.Login)
	switch f.Kind {
	case postgres.FindingInvalid:
		return user + ": " + l.words.Describe(f.Violations)
	case postgres.FindingDoubtfulBirthday, postgres.FindingNoBirthday:
		return user + ": " + f.Value
	case postgres.FindingNoPassword, postgres.FindingNoDate, postgres.FindingNoProfile:
		return user
	case postgres.FindingClash:
		other := fmt.Sprintf("user %d %q", f.Other, f.OtherLogin)
		if f.Value != "" {
			return fmt.Sprintf("%s: the login of one is the %s of the other, %s", user, f.Value, other)
		}
		return fmt.Sprintf("%s: same %s as %s", user, f.Field, other)
	case postgres.FindingRenamed:
		return fmt.Sprintf("%s: new login %q", user, f.Value)
	case postgres.FindingContactLost:
		return fmt.Sprintf("%s: no longer has the %s %q", user, f.Field, f.Value)
	case postgres.FindingOtherProfile:
		if f.Other == 0 {
			return fmt.Sprintf("profile %d of no user", f.ID)
		}
		return fmt.Sprintf("profile %d of user %d", f.ID, f.Other)
	case postgres.FindingIncompleteImport:
		return fmt.Sprintf("import %d", f.ID)
	case postgres.FindingRenumbered:
		return fmt.Sprintf("rejected record with id %d: new number %s", f.ID, f.Value)
	case postgres.FindingNoImport:
		return fmt.Sprintf("rejected record with id %d: import %s", f.ID, f.Value)
	}
	return ""
}

// summarize prints the number of findings of each kind.
func (l *takeoverList) summarize() error {
	if len(l.counts) == 0 {
		return nil
	}
	var text strings.Builder
	for _, kind := range findingKinds {
		if count := l.counts[kind.kind]; count > 0 {
			fmt.Fprintf(&text, "%-9s %d  %s\n", kind.label, count, kind.summary)
		}
	}
	_, err := fmt.Fprintf(l.out, "\n%s\n", &text)
	return err
}
