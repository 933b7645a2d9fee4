package bootstrap

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// Flags that take secrets have the tag "secret": "password" where the secret is in the value, "file" where it is in a file. The
// latter are named after the flag that takes the same secret as it is.

// readSecret returns the secret of a flag: what was given, or what the file has, without white space around it.
func readSecret(flag, given, file string) (string, error) {
	switch {
	case file == "":
		return given, nil
	case given != "":
		return "", fmt.Errorf("--%[1]s and --%[1]s-file must not be set together", flag)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--%s-file: %w", flag, err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("--%s-file: %s is empty", flag, file)
	}
	return secret, nil
}

// warnOfSecrets logs which secrets other users of the machine can read: in the command line, or in a file.
func warnOfSecrets(command *kong.Context, stderr io.Writer) {
	format := ""
	for _, flag := range command.Flags() {
		if flag.Name == "log-format" {
			format, _ = command.FlagValue(flag).(string)
		}
	}
	log := newLog(format, stderr)
	for _, part := range command.Path {
		if flag := part.Flag; flag != nil && isSecret(flag, fmt.Sprint(command.FlagValue(flag))) {
			log.Warn("other users of this machine can read a secret in the command line; use the variable or the file instead",
				"flag", "--"+flag.Name, "variable", flag.Envs[0], "file", "--"+flag.Name+"-file")
		}
	}
	for _, flag := range command.Flags() {
		if flag.Tag.Get("secret") != "file" {
			continue
		}
		const others = 0o077
		file := fmt.Sprint(command.FlagValue(flag))
		info, err := os.Stat(file)
		if err == nil && info.Mode().IsRegular() && info.Mode()&others != 0 {
			log.Warn("other users of this machine can read a file with a secret; restrict it with chmod 600",
				"flag", "--"+flag.Name, "file", file, "mode", info.Mode().String())
		}
	}
}

// isSecret reports whether a flag was given a secret.
func isSecret(flag *kong.Flag, value string) bool {
	switch {
	case !flag.Tag.Has("secret"), flag.Tag.Get("secret") == "file":
		return false
	case flag.Tag.Get("secret") == "password":
		address, err := url.Parse(value)
		if err == nil {
			_, found := address.User.Password()
			if found {
				return true
			}
		}
		return strings.Contains(value, "password=") // as a parameter, or as one of PostgreSQL's keywords
	}
	return true
}
