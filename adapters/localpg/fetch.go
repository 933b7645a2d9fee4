package localpg

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/xi2/xz"
)

const (
	// fetchedVersion is the major version that is downloaded for a new cluster.
	fetchedVersion = 16

	// mavenCentral is the default repository of releases.
	mavenCentral = "https://repo1.maven.org/maven2"

	// fetchTimeout bounds the download of a release, which has some 15 MB. maxRelease bounds its size in bytes.
	fetchTimeout = 10 * time.Minute
	maxRelease   = 100 << 20
)

// A release is a build of PostgreSQL by zonky.io (io.zonky.test.postgres), with an archive for each platform.
type release struct {
	version string
	digests map[string]string // SHA-256 of the archives, by platform
}

// releases are the releases that can be downloaded, by major version. Their digests are pinned here, because the digests in the
// repository prove nothing if the repository itself is compromised. The pins agree with those of independent projects that use the
// same archives.
var releases = map[int]release{
	fetchedVersion: {"16.15.0", map[string]string{
		"linux-amd64":    "653abc065c682b85d3da50168fb95dc524bd85426cdec9ce3695a550ef431df2",
		"linux-arm64v8":  "f846a9989d686b7977d6eca9bc9d8b2b69e3f70c7eb60e032197d9c574a6136c",
		"darwin-amd64":   "1229188b99515d2160d5cb6222bc96d9c5f3a248268df3bc2dfe0047e6c233d8",
		"darwin-arm64v8": "65b953905f0a4d46030767a6b44a52360170d69a7985f1b02aa435f2f6256a83",
	}},
}

// platform returns the name of this machine's platform in the names of archives.
func platform() string {
	name := runtime.GOOS + "-" + runtime.GOARCH
	if runtime.GOARCH == "arm64" {
		name += "v8"
	}
	if _, err := os.Stat("/etc/alpine-release"); err == nil { // Alpine has another C library
		name += "-alpine"
	}
	return name
}

// fetch downloads PostgreSQL's programs into the cluster's folder, unless they are there. It returns the folder of the programs.
func (c *cluster) fetch(ctx context.Context, version int, repository string) (string, error) {
	fetched := filepath.Join(c.dir, "binaries-"+strconv.Itoa(version))
	bin := filepath.Join(fetched, "bin")
	if len(complete([]string{bin})) == 0 {
		archive, err := c.archive(ctx, version, repository)
		if err != nil {
			return "", fmt.Errorf("download PostgreSQL: %w", err)
		}
		err = c.unpack(archive, fetched)
		if err != nil {
			return "", fmt.Errorf("unpack PostgreSQL: %w", err)
		}
	}
	_, err := c.majorVersion(ctx, bin)
	if err != nil {
		return "", err
	}
	return bin, nil
}

// archive returns the archive of a release, from the user's cache or else by a download, which it stores there. Either must have the
// pinned digest.
func (c *cluster) archive(ctx context.Context, version int, repository string) ([]byte, error) {
	found, digest := releases[version], releases[version].digests[platform()]
	if digest == "" {
		return nil, fmt.Errorf("no known release of PostgreSQL %d for %s", version, platform())
	}
	name := "embedded-postgres-binaries-" + platform()
	cached := ""
	if cache, err := os.UserCacheDir(); err == nil {
		cached = filepath.Join(cache, "rollcall", name+"-"+found.version+".jar")
		archive, err := os.ReadFile(cached)
		if err == nil && digestOf(archive) == digest {
			return archive, nil
		}
	}
	if repository == "" {
		repository = mavenCentral
	}
	url := fmt.Sprintf("%s/io/zonky/test/postgres/%[2]s/%[3]s/%[2]s-%[3]s.jar", repository, name, found.version)
	c.log.Info("downloading PostgreSQL, because this machine has none", "version", found.version, "url", url)
	archive, err := download(ctx, url)
	if err != nil {
		return nil, err
	}
	if got := digestOf(archive); got != digest {
		return nil, fmt.Errorf("wrong digest of %s: got %s, expected %s", url, got, digest)
	}
	if cached != "" {
		err = errors.Join(os.MkdirAll(filepath.Dir(cached), 0o755), os.WriteFile(cached, archive, 0o600))
		if err != nil {
			c.log.Warn("cannot cache the download for other clusters", "error", err)
		}
	}
	return archive, nil
}

func digestOf(archive []byte) string {
	digest := sha256.Sum256(archive)
	return hex.EncodeToString(digest[:])
}

func download(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	archive, err := io.ReadAll(io.LimitReader(response.Body, maxRelease))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return archive, nil
}

// unpack extracts an archive, which is a tar in xz in a zip, to a folder. The folder appears complete or not at all.
func (c *cluster) unpack(archive []byte, to string) error {
	unfinished, err := os.MkdirTemp(c.dir, unfinishedBinaries)
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished) // or the next start does
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return err
	}
	packed, err := fs.Glob(files, "*.txz")
	if err != nil || len(packed) != 1 {
		return fmt.Errorf("unexpected files in the archive: %q, expected one .txz", packed)
	}
	file, err := files.Open(packed[0])
	if err != nil {
		return err
	}
	defer file.Close()
	unpacked, err := xz.NewReader(file, 0)
	if err != nil {
		return err
	}
	err = errors.Join(untar(unpacked, unfinished), makeReadable(unfinished))
	if err != nil {
		return err
	}
	err = os.RemoveAll(to)
	if err != nil {
		return err
	}
	return os.Rename(unfinished, to)
}

// untar extracts a tar into a folder. No name in it can lead out of the folder.
func untar(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for files := tar.NewReader(r); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(header.Name)
		err = root.MkdirAll(filepath.Dir(name), 0o755)
		if err != nil {
			return err
		}
		switch header.Typeflag {
		case tar.TypeReg:
			err = unpackFile(root, name, header, files)
		case tar.TypeSymlink:
			err = root.Symlink(header.Linkname, name)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, header *tar.Header, content io.Reader) error {
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, header.FileInfo().Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// makeReadable lets every account use the programs, whatever the umask.
func makeReadable(dir string) error {
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
		read := info.Mode().Perm() & 0o500 // the owner's rights
		return root.Chmod(path, info.Mode().Perm()|read>>3|read>>6)
	})
}
