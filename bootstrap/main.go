// Package bootstrap is the program: its command line, its configuration, and the wiring of its parts.
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
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is the version of a release, which the linker sets. Other builds take it from the build information.
var version = ""

// commandLine has a field for each command. The tags of a command's fields name its flags and their environment variables.
type commandLine struct {
	Serve   serveCommand   `cmd:"" help:"Start the server."`
	Migrate migrateCommand `cmd:"" help:"Migrate the database to the schema of this version. 'serve' does this when it starts."`
	User    userCommand    `cmd:"" help:"Manage user roles."`
	Send    sendCommand    `cmd:"" help:"Send files of people to a server and print the results."`
	Token   tokenCommand   `cmd:"" help:"Manage access tokens for POST /useradd."`
	Audit   auditCommand   `cmd:"" help:"Print the audit: who did what, when and from where."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are the standard streams of a command.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// The exit statuses, besides 0. The descriptions of the commands name them.
const (
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 130 // as shells report SIGINT
)

// errSilent makes the program exit with statusFailed without another message.
var errSilent = errors.New("")

// A usageError is an error in the command line that a command found itself.
type usageError struct{ error }

// gcPercent lets the heap grow to 3.5 times the live data before a collection. Live data is small, some 20 MiB even in the largest
// import, and a small import takes a tenth less processor time.
const gcPercent = 250

// memoryLimit is the memory use above which garbage is collected more often, in bytes. Password hashing takes as much memory as
// everything else.
const memoryLimit = 160 << 20

// Main runs the program until it is done or receives SIGINT or SIGTERM, and returns its exit status.
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

// Run runs the program until it is done or ctx ends, and returns its exit status.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	type exit int
	defer func() { // kong.Exit must not return
		switch p := recover().(type) {
		case nil:
		case exit:
			status = int(p)
		default:
			panic(p)
		}
	}()
	ctx = withCommandOrigin(ctx)
	parser, err := kong.New(&commandLine{},
		kong.Name("rollcall"),
		kong.Description("Rollcall registers people: one in a browser, or a million from one HTTP request.\n\n"+
			"The exit status is 0 after success, 1 after a failure, 2 if the command line is wrong, and 130 after Ctrl-C. "+
			"A server that is stopped exits with 0."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams{stdin, stdout, stderr}),
		kong.Resolvers(kong.ResolverFunc(resolveRenamed)),
	)
	if err != nil {
		panic(err) // a tag of a command is invalid
	}
	command, err := parser.Parse(args)
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok {
		return printUsageError(stderr, wrong.Context, err)
	}
	log := newLog(logFormatOf(command), stderr)
	warnOfSecrets(command, log)
	warnOfRenamed(command, log)
	err = command.Run()
	_, isUsage := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSilent):
		return statusFailed
	case isUsage:
		return printUsageError(stderr, command, err)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "rollcall: interrupted; run the same command again to continue")
		return statusInterrupted
	}
	fmt.Fprintf(stderr, "rollcall: %v\n", err)
	return statusFailed
}

// printUsageError prints what is wrong with the command line, then the usage of the command. It returns statusUsage.
func printUsageError(stderr io.Writer, command *kong.Context, err error) int {
	node := command.Selected()
	if node == nil {
		node = command.Model.Node
	}
	usage := command.Model.Name + " " + strings.TrimSpace(node.Summary())
	fmt.Fprintf(stderr, "rollcall: error: %v\nUsage: %s (see '%s --help')\n", err, usage, node.FullPath())
	return statusUsage
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

// logFormatOf returns the --log-format of a command, empty if it has none.
func logFormatOf(command *kong.Context) string {
	for _, flag := range command.Flags() {
		if flag.Name == "log-format" {
			format, _ := command.FlagValue(flag).(string)
			return format
		}
	}
	return ""
}

func newLog(format string, w io.Writer) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
