// Package bootstrap is the program: its command line, its configuration, and the wiring of everything.
package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = ""

// commandLine is every command, with its flags and the environment variables beside them.
type commandLine struct {
	Serve   serveCommand   `cmd:"" help:"Start the service. Without a database URL it runs a PostgreSQL of its own in its data folder."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to the schema of this version, and end. 'serve' does so by itself."`
	User    userCommand    `cmd:"" help:"Say who may do what."`
	Send    sendCommand    `cmd:"" help:"Post files of people to a running server, and print what came of each."`
	Token   tokenCommand   `cmd:"" help:"Make, list and revoke the tokens with which programs may post to /useradd."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are what a command talks to.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// errSilent ends the program with status 1 when everything was said.
var errSilent = errors.New("")

// gcPercent lets the heap grow to three and a half times what lives in it before it is collected. Little lives in it, some
// 20 MiB even in the largest import, and a small one takes a tenth less of the processor's time.
const gcPercent = 250

// memoryLimit is from where on garbage is collected more often than that, in bytes: the memory that passwords are hashed in
// is as large as all the rest.
const memoryLimit = 160 << 20

// Main runs the program until it is done or told to end by SIGINT or SIGTERM, and returns its exit status.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	return Run(ctx, args, stdin, stdout, stderr)
}

// Run is Main, told to end by its context.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	type exit int
	defer func() { // of --help, after which kong would go on
		switch p := recover().(type) {
		case nil:
		case exit:
			status = int(p)
		default:
			panic(p)
		}
	}()
	parser, err := kong.New(&commandLine{},
		kong.Name("rollcall"),
		kong.Description("Rollcall registers people: one in a browser, or a million from one HTTP request."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams{stdin, stdout, stderr}),
	)
	if err != nil {
		panic(err) // the tags above are wrong
	}
	command, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	warnOfSecrets(command, stderr)
	err = command.Run()
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		fmt.Fprintf(stderr, "rollcall: %v\n", err)
	}
	return 1
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(std streams) error {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	_, err := fmt.Fprintln(std.out, "rollcall", v)
	return err
}

func newLog(format string, w io.Writer) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
