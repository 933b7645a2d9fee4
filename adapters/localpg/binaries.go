package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// oldestVersion is the first major version that the program supports.
const oldestVersion = 13

// folders are the places where packages install PostgreSQL's server programs, which are often not in PATH.
var folders = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql*/bin",
	"/usr/lib/postgresql*/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// findBinaries returns the folder of PostgreSQL's programs, in the version of an existing cluster. For a new cluster it prefers the
// programs in PATH, then the latest version of the known folders. It downloads the programs if the machine has none.
func (c *cluster) findBinaries(ctx context.Context, repository string) (string, error) {
	wanted := c.version()
	var broken error // of programs that do not run
	path := inPath()
	others := slices.DeleteFunc(inFolders(), func(bin string) bool { return slices.Contains(path, bin) })
	for _, bins := range [][]string{path, others} {
		best, bestVersion := "", 0
		for _, bin := range bins {
			v, err := c.majorVersion(ctx, bin)
			broken = errors.Join(broken, err)
			if v >= oldestVersion && v > bestVersion && (wanted == 0 || v == wanted) {
				best, bestVersion = bin, v
			}
		}
		if best != "" {
			return best, nil
		}
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("find PostgreSQL: %w", ctx.Err())
	}
	version := fetchedVersion
	if wanted != 0 {
		version = wanted
	}
	bin, err := c.fetch(ctx, version, repository)
	err = errors.Join(broken, err)
	switch {
	case bin != "":
		return bin, nil
	case wanted != 0:
		return "", fmt.Errorf("the data in %s needs PostgreSQL %d, which is not installed and could not be downloaded (%w); "+
			"install it (on Debian: apt-get install postgresql-%d), or set DATABASE_URL", c.dir, wanted, err, wanted)
	default:
		return "", fmt.Errorf("no PostgreSQL %d or later runs on this machine, and none could be downloaded (%w); "+
			"install it (on Debian: apt-get install postgresql), or set DATABASE_URL", oldestVersion, err)
	}
}

// inPath returns the folder of the programs in PATH. PATH may contain only a link to one of them.
func inPath() []string {
	path, err := exec.LookPath("postgres")
	if err != nil {
		return nil
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	return complete([]string{filepath.Dir(target)})
}

// inFolders returns those of the known folders that exist.
func inFolders() []string {
	var bins []string
	for _, pattern := range folders {
		found, _ := filepath.Glob(pattern) // the patterns are valid
		bins = append(bins, found...)
	}
	return complete(bins)
}

// complete returns the folders that have both programs that a cluster needs.
func complete(bins []string) []string {
	return slices.DeleteFunc(bins, func(bin string) bool {
		for _, name := range []string{"postgres", "initdb"} {
			if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
				return true
			}
		}
		return false
	})
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorVersion returns the major version of the server in a folder. It returns an error if the account cannot run it.
func (c *cluster) majorVersion(ctx context.Context, bin string) (int, error) {
	output, err := c.runIn(ctx, "/", bin)
	if err != nil {
		return 0, err
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return 0, fmt.Errorf("unexpected version of %s: %q", filepath.Join(bin, "postgres"), output)
	}
	return strconv.Atoi(string(match[1]))
}
