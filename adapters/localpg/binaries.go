package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// oldestVersion is the first major version with all that the program uses.
const oldestVersion = 13

// fetchedVersion is what is fetched where the machine has no PostgreSQL.
const fetchedVersion = embeddedpostgres.V17

// folders are where systems keep PostgreSQL's server programs, which are often not in PATH.
var folders = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql*/bin",
	"/usr/lib/postgresql*/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// findBinaries returns the folder of PostgreSQL's programs: of the version that made the cluster, else of the latest. It
// fetches them into dir where the machine has none.
func findBinaries(ctx context.Context, cfg Config, dir, version string) (string, error) {
	wanted, _ := strconv.Atoi(version) // 0 for any
	best, bestVersion := "", 0
	for _, bin := range installed() {
		v := majorVersion(ctx, bin)
		if v >= oldestVersion && v > bestVersion && (wanted == 0 || v == wanted) {
			best, bestVersion = bin, v
		}
	}
	if best != "" {
		return best, nil
	}
	fetched := filepath.Join(dir, "binaries")
	err := fetch(fetched, cfg.BinariesURL)
	bin := filepath.Join(fetched, "bin")
	v := majorVersion(ctx, bin)
	switch {
	case v == 0:
		return "", fmt.Errorf("there is no PostgreSQL server %d or later on this machine, and none could be fetched (%w); "+
			"install one (on Debian: apt-get install postgresql), or set DATABASE_URL", oldestVersion, err)
	case wanted != 0 && v != wanted:
		return "", fmt.Errorf("the data in %s is of PostgreSQL %d, which is not on this machine; "+
			"install it (on Debian: apt-get install postgresql-%d), or set DATABASE_URL", dir, wanted, wanted)
	}
	return bin, nil
}

// installed returns the folders that have both programs.
func installed() []string {
	var bins []string
	if path, err := exec.LookPath("postgres"); err == nil {
		path, err = filepath.EvalSymlinks(path) // which may be all that PATH has of a server
		if err == nil {
			bins = append(bins, filepath.Dir(path))
		}
	}
	for _, pattern := range folders {
		found, _ := filepath.Glob(pattern) // the patterns are valid
		bins = append(bins, found...)
	}
	return slices.DeleteFunc(bins, func(bin string) bool {
		_, err := os.Stat(filepath.Join(bin, "initdb"))
		return err != nil
	})
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorVersion is 0 where there is no server.
func majorVersion(ctx context.Context, bin string) int {
	output, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return 0
	}
	version, _ := strconv.Atoi(string(match[1])) // digits
	return version
}

// fetch gets PostgreSQL's programs into a folder, unless they are there. The library fetches them as the first part of a
// start; the rest of it, which would listen on TCP, is kept from happening by a data folder that cannot be.
func fetch(dir, repository string) error {
	err := os.MkdirAll(dir, 0o755)
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	config := embeddedpostgres.DefaultConfig().
		Version(fetchedVersion).Port(0).Logger(io.Discard).
		CachePath(filepath.Join(dir, "cache")).RuntimePath(filepath.Join(dir, "runtime")).BinariesPath(dir).
		DataPath(filepath.Join(os.DevNull, "data"))
	if repository != "" {
		config = config.BinaryRepositoryURL(repository)
	}
	started := embeddedpostgres.NewDatabase(config).Start()
	_, err = os.Stat(filepath.Join(dir, "bin", "initdb"))
	if err != nil {
		return errors.Join(started, err)
	}
	return nil
}
