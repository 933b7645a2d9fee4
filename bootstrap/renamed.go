package bootstrap

import (
	"log/slog"
	"os"

	"github.com/alecthomas/kong"
)

// renamedFlags are the former names of flags of 'serve', and of their variables. They work until the next release. The tag "now"
// has the current name.
type renamedFlags struct {
	UploadsDir                *string `hidden:"" env:"ROLLCALL_UPLOADS_DIR" now:"exports-dir"`
	MaxUploads                *string `hidden:"" env:"ROLLCALL_MAX_UPLOADS" now:"max-exports"`
	MaxObjects                *string `hidden:"" env:"ROLLCALL_MAX_OBJECTS" now:"max-records"`
	KeepRefused               *string `hidden:"" env:"ROLLCALL_KEEP_REFUSED" now:"keep-rejected"`
	GeneratedPasswordLifetime *string `hidden:"" env:"ROLLCALL_GENERATED_PASSWORD_LIFETIME" now:"temporary-password-lifetime"`
}

// resolveRenamed is a kong.ResolverFunc. It returns the value of a flag's former name, unless the flag has a value of its own.
func resolveRenamed(command *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	_, value := formerOf(command, flag)
	if value == nil || len(flag.Envs) > 0 && isSet(flag.Envs[0]) {
		return nil, nil //nolint:nilnil // kong then keeps the value that the flag has
	}
	return *value, nil
}

func isSet(variable string) bool {
	_, is := os.LookupEnv(variable)
	return is
}

// formerOf returns the former name of a flag, and its value if it is set.
func formerOf(command *kong.Context, flag *kong.Flag) (former *kong.Flag, value *string) {
	for _, former := range command.Flags() {
		if former.Tag.Get("now") == flag.Name {
			value, _ = command.FlagValue(former).(*string)
			return former, value
		}
	}
	return nil, nil
}

// warnOfRenamed logs the former names that are in use.
func warnOfRenamed(command *kong.Context, log *slog.Logger) {
	for _, flag := range command.Flags() {
		former, value := formerOf(command, flag)
		if value != nil {
			log.Warn("a renamed flag is set by its old name, which stops working in the next release; use the new name",
				"old", "--"+former.Name, "old_variable", former.Envs[0], "new", "--"+flag.Name, "new_variable", flag.Envs[0])
		}
	}
}
