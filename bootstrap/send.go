package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rollcall/adapters/client"
	"rollcall/adapters/passhash"
	"rollcall/adapters/spool"
)

// sendFlags has the fields of client.Options, and converts to it.
type sendFlags struct {
	Server   string        `group:"Server" env:"ROLLCALL_SERVER" default:"http://127.0.0.1:5000" placeholder:"URL" help:"URL of the server (default: ${default})."`
	Token    string        `group:"Server" env:"ROLLCALL_TOKEN" placeholder:"TOKEN" secret:"" help:"Token from 'rollcall token create', for a server that requires one."`
	CAFile   string        `name:"ca-file" group:"Server" env:"ROLLCALL_CA_FILE" type:"path" placeholder:"FILE" help:"Certificates of authorities to trust besides those of the system, in PEM. A server's own self-signed certificate works, too."`
	Insecure bool          `group:"Server" env:"ROLLCALL_INSECURE" help:"Send the token over plain HTTP to another machine. Others on the network can read and use it."`
	RetryFor time.Duration `group:"Server" default:"2m" placeholder:"TIME" help:"How long to retry after a lost connection or while the server is busy (default: ${default}); 0 tries once."`
	DryRun   bool          `group:"Import" help:"Validate the files without registering anyone."`
	Strict   bool          `group:"Import" help:"Register every record of a file, or none."`
	Type     string        `group:"Import" placeholder:"TYPE" help:"Type of the files, whatever their names: json, ndjson, csv or xlsx, with .gz or .zst if compressed, or a media type."`
	Charset  string        `group:"Import" placeholder:"NAME" help:"Encoding of the files, such as windows-1252. Defaults to the one that the server detects."`
	Dates    string        `group:"Import" placeholder:"ORDER" help:"Order of day and month in dates such as 01/02/1990: dmy or mdy. By default the day is first; in a table that has a date with the month first, dates that can be read in two ways are rejected."`
	Sheet    []string      `group:"Import" placeholder:"NAME" sep:"none" help:"Sheet of the workbooks to read; may be repeated. Defaults to the first one with people."`
	Key      string        `group:"Import" placeholder:"KEY" help:"Idempotency-Key of the import. Defaults to one derived from the file; a new key imports the same file again."`
	Out      string        `group:"Passwords" placeholder:"PATH" help:"Write logins, passwords, names and groups to a file, instead of printing logins and passwords: JSON or NDJSON if the name ends in .json or .ndjson, else CSV. In a directory, each sent file gets a CSV file."`
	Force    bool          `group:"Passwords" help:"Overwrite the --out file if it exists."`
	Files    []string      `arg:"" name:"file" help:"Files to send; - is standard input."`
}

type sendCommand struct {
	sendFlags

	TokenFile string `group:"Server" env:"ROLLCALL_TOKEN_FILE" type:"path" placeholder:"FILE" secret:"file" help:"File with the token. Other users of this machine must not be able to read it."`
}

// Help implements kong.HelpProvider.
func (*sendCommand) Help() string {
	return `The extension of a file's name gives its type: .json, .ndjson or .jsonl, .csv, .xlsx, optionally followed by .gz or .zst. The server detects any other type.

Sending a file twice is safe. If a command was interrupted or lost the response, run it again: it gets the complete result, passwords included. For 24 hours (--keep-answers of the server) the server recognizes a file that it has imported, and returns the same result to the same user of the same machine. The idempotency key is derived from the file and from a secret of the user in rollcall/secret.key, in the user's configuration folder. A changed file is a different import. To import the same file again on purpose, for example after accounts were deleted, pass a --key that was not used before.

A terminal shows a progress bar, unless TERM is dumb or NO_COLOR is set.

Exit status:

  0    each file registered at least one person (in a dry run: would register)
  1    a file registered no one, or was not sent
  2    the command line is wrong; nothing was sent
  130  interrupted by Ctrl-C; the same command continues`
}

// Validate implements kong's interface for rules that tags cannot express.
func (cmd *sendCommand) Validate() (err error) {
	cmd.Token, err = readSecret("token", cmd.Token, cmd.TokenFile)
	if err != nil {
		return err
	}
	options := client.Options(cmd.sendFlags)
	return options.Validate()
}

// Run sends the files.
func (cmd *sendCommand) Run(ctx context.Context, std streams) error {
	err := client.New(client.Config{
		Options: client.Options(cmd.sendFlags),
		Secret:  userSecret,
		Spools:  spool.New(""),
		Stdin:   std.in,
		Stdout:  std.out,
		Stderr:  std.err,
	}).Send(ctx)
	switch {
	case errors.Is(err, client.ErrReported):
		return errSilent
	case err != nil && ctx.Err() == nil:
		return usageError{err}
	}
	return err
}

// userSecret returns the secret of the user who runs the command, and creates it if it is missing.
func userSecret() ([]byte, error) {
	dir, err := os.UserConfigDir()
	if err == nil {
		dir = filepath.Join(dir, "rollcall")
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("no configuration folder for the user's secret: %w", err)
	}
	return passhash.LoadOrCreateSecret(dir)
}
