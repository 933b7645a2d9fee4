package localpg_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
)

func TestLinkInPath(t *testing.T) {
	bin := binaries(t)
	hideBinaries(t)
	path := openDir(t)
	require.NoError(t, os.Symlink(filepath.Join(bin, "postgres"), filepath.Join(path, "postgres")))
	t.Setenv("PATH", os.Getenv("PATH")+":"+path)
	s := start(t, config(openDir(t)))
	require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select 1"))
	require.Equal(t, filepath.Join(bin, "initdb"), s.Bin("initdb"))
	require.Empty(t, s.Bin("nonsense"))
}

func TestErrorWithoutBinaries(t *testing.T) {
	hideBinaries(t)
	cfg := config(openDir(t))
	cfg.BinariesURL = serve(t, http.NotFoundHandler())
	_, err := localpg.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "apt-get install postgresql")
	require.ErrorContains(t, err, "DATABASE_URL")
}

func TestErrorWithoutVersionOfData(t *testing.T) {
	t.Parallel()
	cfg := config(openDir(t))
	data := filepath.Join(cfg.Dir, "data")
	require.NoError(t, os.Mkdir(data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("99\n"), 0o600))
	_, err := localpg.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "needs PostgreSQL 99")
	require.ErrorContains(t, err, "apt-get install postgresql-99")
}

func TestBinariesAreDownloadedOnce(t *testing.T) {
	jar := jarOf(t, binaries(t))
	hideBinaries(t)
	t.Cleanup(localpg.Pin(digest(jar)))
	dir := openDir(t)
	var asked []string
	cfg := config(filepath.Join(dir, "first"))
	cfg.BinariesURL = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		_, _ = w.Write(jar)
	}))
	for range 2 {
		s, err := localpg.Start(t.Context(), cfg)
		require.NoError(t, err)
		require.Equal(t, []string{"1"}, query(t, s.URL(localpg.Database), "select 1"))
		require.True(t, strings.HasPrefix(s.Bin("postgres"), cfg.Dir), s.Bin("postgres"))
		stop(t, s)
		info, err := os.Stat(s.Bin("pg_ctl"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o755), info.Mode().Perm(), "the account can run the program")
	}
	cfg.Dir = filepath.Join(dir, "second")
	start(t, cfg)
	slices.Sort(asked)
	require.Equal(t, slices.Compact(slices.Clone(asked)), asked, "each archive is downloaded once")
	require.Regexp(t, `^/io/zonky/test/postgres/embedded-postgres-binaries-([a-z0-9-]+)/16.0.0/embedded-postgres-binaries-[a-z0-9-]+-16.0.0.jar$`, asked[len(asked)-1])
	left, err := filepath.Glob(filepath.Join(dir, "*", "binaries.new-*"))
	require.NoError(t, err)
	require.Empty(t, left)

	// A changed archive in the cache is not used.
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	cached, err := filepath.Glob(filepath.Join(cache, "rollcall", "*.jar"))
	require.NoError(t, err)
	require.Len(t, cached, len(asked))
	for _, name := range cached {
		require.NoError(t, os.WriteFile(name, []byte("another"), 0o644))
	}
	cfg.Dir = filepath.Join(dir, "third")
	start(t, cfg)
	require.Len(t, asked, len(cached)+1)
}

// An archive without the pinned digest is neither run nor unpacked, whatever digest the repository has for it.
func TestInvalidDownloadIsNotUsed(t *testing.T) {
	jar := jarOf(t, binaries(t))
	hideBinaries(t)
	other := append(bytes.Clone(jar), 0)
	var broken func(w http.ResponseWriter, r *http.Request)
	cfg := config(openDir(t))
	cfg.BinariesURL = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { broken(w, r) }))
	undo := localpg.Pin(digest(jar))
	for _, test := range []struct {
		name  string
		reply http.HandlerFunc
	}{
		{"other content", func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".sha256") {
				fmt.Fprint(w, digest(other))
				return
			}
			_, _ = w.Write(other)
		}},
		{"truncated", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(jar)))
			_, _ = w.Write(jar[:len(jar)/2])
		}},
		{"page of a network", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "please sign in to this network") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			broken = test.reply
			_, err := localpg.Start(t.Context(), cfg)
			require.ErrorContains(t, err, "none could be downloaded")
			require.NoDirExists(t, filepath.Join(cfg.Dir, "data"))
			require.NoDirExists(t, filepath.Join(cfg.Dir, "binaries-16"))
			if test.name == "other content" {
				require.ErrorContains(t, err, "got "+digest(other)+", expected "+digest(jar))
			}
		})
	}
	broken = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jar) }
	undo()
	_, err := localpg.Start(t.Context(), cfg)
	require.Error(t, err, "the pinned digest is that of the real archive")
	t.Cleanup(localpg.Pin(""))
	_, err = localpg.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "no known release of PostgreSQL 16 for")
	t.Cleanup(localpg.Pin(digest(jar)))
	start(t, cfg)
}

// binaries returns the folder of PostgreSQL's programs, which may have been downloaded.
func binaries(t *testing.T) string {
	t.Helper()
	s, err := localpg.Start(t.Context(), config(clusterDir(t)))
	require.NoError(t, err)
	stop(t, s)
	return filepath.Dir(s.Bin("postgres"))
}

// hideBinaries makes this machine one without PostgreSQL and with an empty cache.
func hideBinaries(t *testing.T) {
	t.Helper()
	folders := *localpg.Folders
	*localpg.Folders = nil
	t.Cleanup(func() { *localpg.Folders = folders })
	path := openDir(t)
	for _, name := range []string{"sh", "locale"} { // initdb needs both
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				require.NoError(t, os.Symlink(filepath.Join(dir, name), filepath.Join(path, name)))
				break
			}
		}
	}
	t.Setenv("PATH", path)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // the cache of other systems is there
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func digest(jar []byte) string {
	sum := sha256.Sum256(jar)
	return hex.EncodeToString(sum[:])
}

// jarOf returns an archive as the repository has it: a tar in xz in a zip. Its programs are links to those of a folder, because copies
// would not find their libraries.
func jarOf(t *testing.T, bin string) []byte {
	t.Helper()
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, name := range []string{"initdb", "postgres"} {
		require.NoError(t, archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: filepath.Join(bin, name), Mode: 0o777,
		}))
	}
	// A program with the permissions that a strict umask leaves.
	require.NoError(t, archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "bin/pg_ctl", Size: 1 << 20, Mode: 0o700}))
	_, err := archive.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	require.NoError(t, archive.Close())

	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "postgres-linux-x86_64.txz", Method: zip.Store})
	require.NoError(t, err)
	writeXZ(t, w, packed.Bytes())
	require.NoError(t, z.Close())
	return jar.Bytes()
}

// writeXZ writes the xz format (https://tukaani.org/xz/xz-file-format.txt) without compression. No library of the project writes it, and
// the machine may lack the tool.
func writeXZ(t *testing.T, w io.Writer, content []byte) {
	t.Helper()
	withCRC := func(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)) }
	padded := func(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
	flags := []byte{0, 0} // no checksum of the content
	header := append([]byte("\xfd7zXZ\x00"), withCRC(flags)...)
	blockHeader := withCRC([]byte{2, 0, 0x21, 1, 0x16, 0, 0, 0}) // 12 bytes; one filter, LZMA2 with 8 MiB

	block := bytes.Clone(blockHeader)
	for i, rest := 0, content; len(rest) > 0; i++ {
		chunk := rest[:min(len(rest), 1<<16)]
		rest = rest[len(chunk):]
		control := byte(2) // an uncompressed chunk
		if i == 0 {
			control = 1 // an uncompressed chunk that resets the dictionary
		}
		block = append(block, control)
		block = binary.BigEndian.AppendUint16(block, uint16(len(chunk)-1))
		block = append(block, chunk...)
	}
	block = append(block, 0)
	unpadded := len(block)

	index := binary.AppendUvarint([]byte{0, 1}, uint64(unpadded))
	index = withCRC(padded(binary.AppendUvarint(index, uint64(len(content)))))
	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	footer = append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(footer)), footer...)
	for _, part := range [][]byte{header, padded(block), index, append(footer, 'Y', 'Z')} {
		_, err := w.Write(part)
		require.NoError(t, err)
	}
}
