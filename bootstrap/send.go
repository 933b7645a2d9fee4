package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type sendCommand struct {
	Server    string        `env:"ROLLCALL_SERVER" default:"http://127.0.0.1:5000" placeholder:"URL" help:"Server to post to (${default})."`
	Token     string        `env:"ROLLCALL_TOKEN" placeholder:"TOKEN" secret:"" help:"Token of 'rollcall token create', for a server that asks for one."`
	TokenFile string        `env:"ROLLCALL_TOKEN_FILE" type:"path" placeholder:"FILE" secret:"file" help:"File with the token, which other users of this machine cannot read."`
	Insecure  bool          `env:"ROLLCALL_INSECURE" help:"Send the token over plain HTTP to another machine too. Everyone on the way can read and use it."`
	DryRun    bool          `help:"Only tell what would come of it."`
	Strict    bool          `help:"Register everybody of a file, or nobody."`
	Type      string        `placeholder:"TYPE" help:"What the files are, whatever they are called: json, ndjson, csv or xlsx, csv.gz or csv.zst and so on when compressed, or a media type."`
	Out       string        `placeholder:"PATH" help:"File for logins and passwords, which are then not printed: CSV, or as its name says .ndjson or .json. A folder gets a CSV file for each that is sent."`
	Force     bool          `help:"Let --out overwrite."`
	Key       string        `placeholder:"KEY" help:"Idempotency-Key of the request, by default one made from the file. Another key imports the same file again."`
	RetryFor  time.Duration `default:"2m" placeholder:"TIME" help:"How long to go on trying when the connection is lost or the server is busy (${default}); 0 tries once."`
	Files     []string      `arg:"" name:"file" help:"Files to send; - is the standard input."`

	clock clock
}

// Help implements kong's interface for what is to be said at length.
func (*sendCommand) Help() string {
	return `The ending of a file's name tells what it is: .json, .ndjson or .jsonl, .csv, .xlsx, and .gz or .zst behind these. What any other is, the server finds out.

Sending a file twice is safe. A command that was broken off, or lost its answer, gets the whole answer, passwords included, when it is run again: for 24 hours the server knows a file that it has imported, and only repeats the answer, to the same user of the same machine: a secret in rollcall/secret.key, in the folder of settings, goes into the --key that is made. To import the same file once more on purpose, say after accounts were deleted, give any --key that was not used before. A changed file is another file.

The exit status is 0 when every file registered somebody, or in a dry run would, and 1 otherwise.`
}

// Validate implements kong's interface for what its tags cannot say.
func (cmd *sendCommand) Validate() error {
	server, err := url.Parse(cmd.Server)
	if err != nil || server.Host == "" || server.Scheme != "http" && server.Scheme != "https" {
		return fmt.Errorf("--server: %q is not the address of a server, like http://127.0.0.1:5000", cmd.Server)
	}
	cmd.Token, err = readSecret("token", cmd.Token, cmd.TokenFile)
	if err != nil {
		return err
	}
	if cmd.Token != "" && server.Scheme == "http" && !isThisMachine(server.Hostname()) && !cmd.Insecure {
		return fmt.Errorf("--server: the token would go to %s over plain HTTP, where everyone on the way can read it; use https, or --insecure", server.Hostname())
	}
	if cmd.Type != "" {
		_, err := formatOf(cmd.Type, "")
		if err != nil {
			return fmt.Errorf("--type: %w", err)
		}
	}
	isInvisible := func(r rune) bool { return r < '!' || r > '~' }
	switch {
	case cmd.Key != "" && (strings.ContainsFunc(cmd.Key, isInvisible) || len(cmd.Key) > 255):
		return errors.New("--key: must be 1 to 255 visible ASCII characters")
	case strings.ContainsFunc(cmd.Token, isInvisible):
		return errors.New("--token: must be visible ASCII characters")
	case cmd.Key != "" && len(cmd.Files) > 1:
		return errors.New("--key: must be for one file")
	case cmd.Out != "" && cmd.DryRun:
		return errors.New("--out: a dry run has no passwords to write")
	case cmd.RetryFor < 0:
		return errors.New("--retry-for: must not be negative")
	}
	return nil
}

// Run posts the files one after another. A file that registers nobody does not keep the rest from being sent.
func (cmd *sendCommand) Run(ctx context.Context, std streams) error {
	outs, err := cmd.outs()
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if cmd.clock.now == nil {
		cmd.clock = clock{time.Now, pause}
	}
	s := &sender{sendCommand: cmd, std: std, client: newClient()}
	s.address, err = url.JoinPath(cmd.Server, "useradd")
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	var failed error
	for i, name := range cmd.Files {
		err := s.send(ctx, name, outs[i])
		if ctx.Err() != nil {
			return errors.New("interrupted; the same command, run again, goes on where this one ended")
		}
		if err != nil && !errors.Is(err, errSilent) {
			s.say(name, err)
		}
		if err != nil {
			failed = errSilent
		}
	}
	return failed
}

// sender sends files to a server.
type sender struct {
	*sendCommand

	std     streams
	client  *http.Client
	address string
}

// send posts a file and prints what came of it, once the answer is whole. It returns errSilent for an answer that says
// nobody was registered.
func (s *sender) send(ctx context.Context, name string, credentials *credentialsFile) error {
	file, err := openInput(ctx, s.std.in, name, s.Type)
	if err != nil {
		return err
	}
	defer file.Close()
	err = credentials.create()
	if err != nil {
		return err
	}
	defer credentials.discard()
	key, err := s.key(file)
	if err != nil {
		return err
	}
	var got *answer
	defer func() { got.close() }()
	err = s.retry(ctx, name, func() error {
		got.close()
		got, err = s.post(ctx, name, file, key, credentials)
		return err
	})
	if err != nil {
		return err
	}
	if got.replayed {
		s.say(name, "was imported before; this is its answer (see --key)")
	}
	return s.show(name, got, credentials)
}

// show prints an answer that is whole.
func (s *sender) show(name string, got *answer, credentials *credentialsFile) error {
	if got.created > 0 {
		err := credentials.publish()
		if err != nil {
			return fmt.Errorf("write logins and passwords: %w", err)
		}
	}
	fmt.Fprintf(s.std.out, "%s: %d %s\n", name, got.code, http.StatusText(got.code))
	_, err := io.Copy(s.std.out, got.text.Reader())
	if err == nil {
		_, err = io.WriteString(s.std.out, got.summary(s.sendCommand, credentials))
	}
	if err != nil {
		return fmt.Errorf("print answer: %w", err)
	}
	if got.created == 0 {
		return errSilent
	}
	return nil
}

// say tells the user something about a file.
func (s *sender) say(name string, what any) { fmt.Fprintf(s.std.err, "%s: %v\n", name, what) }
