package bootstrap_test

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/bootstrap"
)

// run runs a command to its end.
func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = bootstrap.Run(t.Context(), args, strings.NewReader(""), &out, &err)
	return status, out.String(), err.String()
}

// commands returns each command as its arguments, subcommands included.
func commands(t *testing.T) [][]string {
	t.Helper()
	_, help, _ := run(t, "--help")
	_, list, found := strings.Cut(help, "\nCommands:\n")
	require.True(t, found)
	var all [][]string
	for _, line := range regexp.MustCompile(`(?m)^  (\w+(?: \w+)*)`).FindAllStringSubmatch(list, -1) {
		all = append(all, strings.Fields(line[1]))
	}
	return all
}

var flagLine = regexp.MustCompile(`^  (?:-\w, +)?--([\w-]+)`)

// A helpFlag is a flag as --help shows it.
type helpFlag struct{ group, name, text string }

func helpFlags(help string) []helpFlag {
	var flags []helpFlag
	group := ""
	for line := range strings.Lines(help) {
		match := flagLine.FindStringSubmatch(line)
		switch {
		case match != nil:
			flags = append(flags, helpFlag{group, match[1], line})
		case line != "\n" && line[0] != ' ':
			group = strings.TrimSpace(line)
		case len(flags) > 0:
			flags[len(flags)-1].text += line
		}
	}
	return flags
}

func TestEveryFlagHasGroupAndHelp(t *testing.T) {
	all := commands(t)
	for _, command := range []string{
		"serve", "migrate", "user grant", "user revoke", "user list", "send", "token create", "token list", "token revoke", "version",
	} {
		require.Contains(t, all, strings.Fields(command))
	}
	for _, command := range all {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			status, help, _ := run(t, append(command, "--help")...)
			require.Zero(t, status)
			for _, flag := range helpFlags(help) {
				if flag.name == "help" {
					continue
				}
				require.NotContains(t, []string{"", "Flags:"}, flag.group, "group of --%s", flag.name)
				require.Contains(t, flag.text, ".", "help of --%s is a sentence", flag.name)
				ofOneRun := flag.name == "check" || flag.name == "keep-first" // all other flags are settings of an installation
				if !ofOneRun && (command[0] == "serve" || command[0] == "migrate") {
					require.Regexp(t, `\(\$[A-Z_]+\)`, flag.text, "variable of --%s", flag.name)
				}
			}
		})
	}
}

func TestGroupsOfServe(t *testing.T) {
	_, help, _ := run(t, "serve", "--help")
	var groups []string
	for _, flag := range helpFlags(help) {
		groups = append(groups, flag.group)
	}
	require.Equal(t, []string{
		"Flags:", "Server", "Database", "Access", "Imports", "Passwords and sessions", "Retention", "Exports", "Secrets", "Logging",
	}, slices.Compact(groups))
}

func TestVersion(t *testing.T) {
	status, stdout, _ := run(t, "version")
	require.Zero(t, status)
	require.Regexp(t, `^rollcall \S+\n$`, stdout)
}

func TestInvalidFlags(t *testing.T) {
	for _, test := range []struct{ args, err string }{
		{"", "expected one of"},
		{"unknown", "unexpected argument unknown"},
		{"serve --max-body much", "--max-body"},
		{"serve --site-name=", `invalid --site-name "": expected 1 to 60 visible characters`},
		{"serve --site-name " + strings.Repeat("x", 61), `expected 1 to 60 visible characters`},
		{"serve --max-body 0", "--max-body must be greater than 0"},
		{"serve --max-connections 0", "--max-connections must be greater than 0"},
		{"serve --listen 5000", `invalid --listen "5000": expected an address and port such as 127.0.0.1:5000`},
		{"serve --listen localhost:70000", `invalid --listen "localhost:70000": expected an address and port`},
		{"serve --client-timeout 0s", "--client-timeout must be greater than 0"},
		{"serve --drain-time=-1s", "--drain-time must not be negative"},
		{"serve --tls-cert cert.pem", "--tls-cert and --tls-key must be set together"},
		{"serve --host http://people.example", `invalid host name "http://people.example": expected a name such as people.example`},
		{"serve --trusted-proxy proxy", `invalid network "proxy": expected an address or a network such as 10.0.0.0/8`},
		{"serve --default-region XX", `invalid --default-region "XX": expected a region with phone numbers, such as RU or DE`},
		{"serve --time-zone Mars/Olympus", `invalid time zone "Mars/Olympus": expected a name of the IANA database, such as Europe/Moscow or UTC`},
		{"token list --time-zone MSK+3", `invalid time zone "MSK+3"`},
		{"serve --max-records=-1", "--max-records must not be negative"},
		{"serve --max-imports=-1", "--max-imports must not be negative"},
		{"serve --max-import-time=-1s", "--max-import-time must not be negative"},
		{"serve --temporary-password-lifetime 0s", "--temporary-password-lifetime must be greater than 0"},
		{"serve --session-idle 1ms", "--session-idle must be at least 1s"},
		{"serve --session-lifetime 1ms", "--session-lifetime must be at least 1s"},
		{"serve --keep-answers 0s", "--keep-answers must be greater than 0"},
		{"serve --keep-rejected=-1s", "--keep-rejected must not be negative"},
		{"serve --max-exports 0", "--max-exports must be greater than 0"},
		{"serve --useradd-access anybody", `--useradd-access must be one of "open","token","session"`},
		{"serve --registration maybe", `--registration must be one of "open","closed"`},
		{"serve --secret-key short", "invalid secret key: expected 32 or more bytes"},
		{"send", `expected "<file> ..."`},
		{"send --retry-for=-1s -", "--retry-for must not be negative"},
		{"send --out x.xlsx -", "invalid --out x.xlsx: workbooks are not supported"},
		{"send --ca-file /none -", "--ca-file: open /none: no such file or directory"},
		{"send --server http://example.com --token t -", "--token would go to example.com over plain HTTP"},
		{"token", "expected one of"},
		{"token create", `expected "<name>"`},
		{"token create crm --expires 0d", `invalid duration "0d": use a value such as 90d or 12h, or "never"`},
		{"user grant anna king", `must be one of "operator"`},
	} {
		t.Run(test.args, func(t *testing.T) {
			requireUsageError(t, test.err, strings.Fields(test.args)...)
		})
	}
	for _, command := range commands(t) {
		t.Run(strings.Join(command, " ")+" --unknown", func(t *testing.T) {
			requireUsageError(t, "unknown flag --unknown", append(command, "--unknown")...)
		})
	}
}

// requireUsageError requires that a command prints what is wrong, then a line of usage, and nothing else.
func requireUsageError(t *testing.T, reason string, args ...string) {
	t.Helper()
	status, stdout, stderr := run(t, args...)
	require.Equal(t, 2, status)
	require.Empty(t, stdout)
	lines := strings.Split(stderr, "\n")
	require.Len(t, lines, 3, stderr)
	require.True(t, strings.HasPrefix(lines[0], "rollcall: error: "), stderr)
	require.Contains(t, lines[0], reason)
	require.Regexp(t, `^Usage: rollcall [^']*\(see 'rollcall[ a-z]* --help'\)$`, lines[1])
	require.Empty(t, lines[2])
}

// A command that is interrupted exits as after SIGINT.
func TestInterruption(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, args := range []string{"send -", "user list --database-url postgres://127.0.0.1:1/x", "migrate --database-url postgres://127.0.0.1:1/x"} {
		t.Run(args, func(t *testing.T) {
			var stderr bytes.Buffer
			require.Equal(t, 130, bootstrap.Run(ctx, strings.Fields(args), strings.NewReader(""), io.Discard, &stderr))
			require.Equal(t, "rollcall: interrupted; run the same command again to continue\n", stderr.String())
		})
	}
}

// serve starts a server that fails to listen on another machine's address, after it has checked its flags.
func serve(t *testing.T, args ...string) (stderr string) {
	t.Helper()
	status, _, stderr := run(t, append([]string{"serve", "--listen", "192.0.2.1:0"}, args...)...)
	require.NotZero(t, status)
	return stderr
}

// The former names of flags and variables still work, with a warning that has the current names.
func TestRenamedFlags(t *testing.T) {
	for _, test := range []struct{ old, new, value, invalid string }{
		{"uploads-dir", "exports-dir", "folder", ""},
		{"max-uploads", "max-exports", "1KiB", "0"},
		{"max-objects", "max-records", "1", "-1"},
		{"keep-refused", "keep-rejected", "1h", "-1h"},
		{"generated-password-lifetime", "temporary-password-lifetime", "1h", "0s"},
	} {
		variable := func(flag string) string { return "ROLLCALL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")) }
		requireWarning := func(t *testing.T, stderr string) {
			t.Helper()
			require.Contains(t, stderr, "rollcall: listen: ", "the flags are valid")
			require.Equal(t, 1, strings.Count(stderr, "level=WARN"), stderr)
			require.Contains(t, stderr, "old=--"+test.old+" old_variable="+variable(test.old)+" new=--"+test.new+" new_variable="+variable(test.new)+"\n")
		}
		t.Run(test.old, func(t *testing.T) {
			requireWarning(t, serve(t, "--"+test.old+"="+test.value))
			if test.invalid != "" {
				require.Contains(t, serve(t, "--"+test.old+"="+test.invalid), "rollcall: error: serve: --"+test.new+" must", "the value is used")
				requireWarning(t, serve(t, "--"+test.old+"="+test.invalid, "--"+test.new+"="+test.value))
			}
		})
		t.Run(variable(test.old), func(t *testing.T) {
			t.Setenv(variable(test.old), test.value)
			requireWarning(t, serve(t))
			if test.invalid != "" {
				t.Setenv(variable(test.old), test.invalid)
				require.Contains(t, serve(t), "rollcall: error: serve: --"+test.new+" must", "the value is used")
				t.Setenv(variable(test.new), test.value)
				requireWarning(t, serve(t))
			}
		})
	}
	require.NotContains(t, serve(t, "--exports-dir=folder"), "level=WARN")
	_, help, _ := run(t, "serve", "--help")
	require.NotContains(t, help, "uploads-dir")
}
