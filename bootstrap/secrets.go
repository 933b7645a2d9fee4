package bootstrap

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// A flag with a secret has the tag "secret". Its value is "file" if the flag names a file with the secret, "password" if it is a URL
// that may contain a password, and empty otherwise. A file's flag is named after the flag of the same secret.

// readSecret returns the value of a flag, or the content of its file without surrounding white space.
func readSecret(flag, value, file string) (string, error) {
	switch {
	case file == "":
		return value, nil
	case value != "":
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

// warnOfSecrets warns about secrets that other users of the machine can read: in the command line, or in a file.
func warnOfSecrets(command *kong.Context, log *slog.Logger) {
	for _, part := range command.Path {
		if flag := part.Flag; flag != nil && isSecret(flag, fmt.Sprint(command.FlagValue(flag))) {
			log.Warn("other users of this machine can read a secret in the command line; use the variable or the file",
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

// isSecret reports whether the value of a flag is or contains a secret.
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
		return strings.Contains(value, "password=") // as a parameter of a URL, or in a keyword/value string
	}
	return true
}
