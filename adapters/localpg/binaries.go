package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const (
	// oldestVersion is the first major version with all that the program uses.
	oldestVersion = 13

	// latestVersion is what is fetched for a new cluster.
	latestVersion = 18

	// fetchTimeout bounds the download of some 20 MB.
	fetchTimeout = 10 * time.Minute
)

// releases are what can be fetched, by major version.
var releases = map[int]embeddedpostgres.PostgresVersion{
	13: embeddedpostgres.V13,
	14: embeddedpostgres.V14,
	15: embeddedpostgres.V15,
	16: embeddedpostgres.V16,
	17: embeddedpostgres.V17,
	18: embeddedpostgres.V18,
}

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

// findBinaries returns the folder of PostgreSQL's programs of the version that made the cluster; for a new one, what is
// in PATH, else the latest version. It fetches them where the machine has none.
func (c *cluster) findBinaries(ctx context.Context, repository string) (string, error) {
	wanted := c.version()
	var broken error // programs that do not run
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
			c.who.passing = false // it may have been for another folder
			_, err := c.majorVersion(ctx, best)
			return best, err
		}
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", ctx.Err())
	}
	version := latestVersion
	if wanted != 0 {
		version = wanted
	}
	bin, err := c.fetch(ctx, version, repository)
	err = errors.Join(broken, err)
	switch {
	case bin != "":
		return bin, nil
	case wanted != 0:
		return "", fmt.Errorf("the data in %s is of PostgreSQL %d, which is not on this machine and could not be fetched (%w); "+
			"install it (on Debian: apt-get install postgresql-%d), or set DATABASE_URL", c.dir, wanted, err, wanted)
	default:
		return "", fmt.Errorf("there is no PostgreSQL server %d or later that runs here, and none could be fetched (%w); "+
			"install one (on Debian: apt-get install postgresql), or set DATABASE_URL", oldestVersion, err)
	}
}

// inPath returns the folder that PATH leads to. PATH may have no more of a server than a link to one of its programs.
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

// inFolders returns the folders of the system's packages.
func inFolders() []string {
	var bins []string
	for _, pattern := range folders {
		found, _ := filepath.Glob(pattern) // the patterns are valid
		bins = append(bins, found...)
	}
	return complete(bins)
}

// complete leaves the folders that have both programs.
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

// majorVersion returns the version of a folder's server, and an error where there is none that the account can run.
func (c *cluster) majorVersion(ctx context.Context, bin string) (int, error) {
	output, err := c.try(ctx, bin, c.dir)
	if err != nil {
		return 0, fmt.Errorf("run %s as %s: %w", filepath.Join(bin, "postgres"), c.who.name, err)
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return 0, fmt.Errorf("%s says that its version is %q", filepath.Join(bin, "postgres"), output)
	}
	return strconv.Atoi(string(match[1]))
}

// fetch gets PostgreSQL's programs into the cluster's folder, unless they are there. What it downloads is kept in the
// user's cache, where the next cluster finds it.
func (c *cluster) fetch(ctx context.Context, version int, repository string) (string, error) {
	fetched := filepath.Join(c.dir, "binaries-"+strconv.Itoa(version))
	bin := filepath.Join(fetched, "bin")
	if len(complete([]string{bin})) == 0 {
		err := c.download(ctx, fetched, version, repository)
		if err != nil {
			return "", err
		}
	}
	_, err := c.majorVersion(ctx, bin)
	if err != nil {
		return "", err
	}
	return bin, nil
}

func (c *cluster) download(ctx context.Context, fetched string, version int, repository string) error {
	release, ok := releases[version]
	if !ok {
		return fmt.Errorf("PostgreSQL %d is not among what can be fetched", version)
	}
	unfinished, err := os.MkdirTemp(c.dir, unfinishedBinaries)
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(unfinished) // else at the next start that fetches
	cache := filepath.Join(unfinished, "cache")
	if user, err := os.UserCacheDir(); err == nil {
		cache = filepath.Join(user, "rollcall")
	}
	c.log.Info("fetching PostgreSQL, as this machine has none", "version", release)
	// The library fetches as the first part of a start; then it makes its runtime folder. The rest, which would listen
	// on TCP, is kept from happening by a data folder that cannot be.
	unpacked, runtime := filepath.Join(unfinished, "postgres"), filepath.Join(unfinished, "runtime")
	config := embeddedpostgres.DefaultConfig().
		Version(release).Port(0).Logger(io.Discard).
		CachePath(cache).RuntimePath(runtime).BinariesPath(unpacked).
		DataPath(filepath.Join(os.DevNull, "data"))
	if repository != "" {
		config = config.BinaryRepositoryURL(repository)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- embeddedpostgres.NewDatabase(config).Start() }()
	select {
	case err = <-started:
	case <-ctx.Done():
		return fmt.Errorf("fetch PostgreSQL: %w", ctx.Err())
	}
	if _, statErr := os.Stat(runtime); statErr != nil {
		return fmt.Errorf("fetch PostgreSQL: %w", err)
	}
	err = errors.Join(letRead(unpacked), os.RemoveAll(fetched))
	if err != nil {
		return fmt.Errorf("unpack PostgreSQL: %w", err)
	}
	err = os.Rename(unpacked, fetched)
	if err != nil {
		return fmt.Errorf("unpack PostgreSQL: %w", err)
	}
	return nil
}

// letRead lets every account use the programs, whatever the umask they were unpacked with.
func letRead(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		read := info.Mode().Perm() & 0o500 // of the owner
		return root.Chmod(path, info.Mode().Perm()|read>>3|read>>6)
	})
}
