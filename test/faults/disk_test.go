package faults_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
)

// The disk of the spools and exports is full, or the disk of PostgreSQL, or both. Requests that need space get an error, nothing
// is left half done, other requests are served, and service resumes without help when there is space again.
func TestDiskIsFull(t *testing.T) {
	if !inNamespace(t, syscall.CLONE_NEWNS) {
		return // the tests ran in the namespace
	}
	t.Run("spools and exports", fullDiskOfSpools)
	t.Run("database", fullDiskOfDatabase)
	t.Run("everything", fullDisk)
}

func fullDiskOfSpools(t *testing.T) {
	d := newDatabase(t)
	disk := newDisk(t, 32)
	s := serveIn(t, disk.dir, d.url(), mayChange)
	disk.process = s.cmd.Process.Pid
	people := s.sendUntilAnswered(t, crowd(0, 2), "")
	s.sendUntilAnswered(t, []byte(`[`+person(0)+`,`+person(9)+`]`), "") // one of the two is rejected, and its record is stored
	large := crowd(1000, 20_000)

	disk.fill(t, 0)
	_, err := s.send(t.Context(), large, "")
	require.ErrorContains(t, err, noRoom)
	require.Len(t, s.sendUntilAnswered(t, []byte(person(10)), ""), 1, "a small import needs no disk space")
	grant(t, d.url(), people[0].Login)
	visitor := s.visitor(t)
	got, err := visitor.signIn(t.Context(), people[0])
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, got.status)
	exports := []string{"xlsx", "txt", "csv?table=codes", "json", "rejected.csv?import=2", "rejected.xlsx?import=2"}
	for _, export := range exports {
		got, err := visitor.do(t.Context(), http.MethodGet, "/useradd/export/"+export, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, got.status, export)
		require.Contains(t, html.UnescapeString(got.html), noRoomPage, export)
	}
	disk.fill(t, 1<<20) // the disk is full in the middle of the file
	_, err = s.send(t.Context(), large, "")
	require.ErrorContains(t, err, noRoom)
	got = visitor.upload(t, large)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Contains(t, html.UnescapeString(got.html), noRoomPage)

	disk.free(t)
	require.Len(t, s.sendUntilAnswered(t, large, ""), 20_000)
	for _, export := range exports {
		got, err := visitor.do(t.Context(), http.MethodGet, "/useradd/export/"+export, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, got.status, export)
	}
	isConsistent(t, d.url())
	isWhole(t, d.url(), 0)
}

// fullDiskOfDatabase leaves PostgreSQL no space for a table or, with more left, none for its write-ahead log.
func fullDiskOfDatabase(t *testing.T) {
	for _, left := range []int64{4, 20, 0, 2, 8, 12, 16, 24}[:either(2, 8)] {
		disk := newDisk(t, 256)
		if disk.limited {
			t.Log("mounting is not permitted here: a full disk of PostgreSQL was not tested")
			return
		}
		d := &database{dir: filepath.Join(disk.dir, "postgres")}
		d.begin(t)
		s := serve(t, d.url())
		file := crowd(0, 50_000)
		disk.fill(t, left<<20)
		_, err := s.send(t.Context(), file, "key")
		require.ErrorContains(t, err, "503")
		if left <= 4 { // a table runs out of space before the log needs its next file
			require.ErrorContains(t, err, noRoom)
		}
		disk.free(t)
		if d.hasEnded() {
			d.stop()
			d.start(t)
		}
		require.Len(t, s.sendUntilAnswered(t, file, "key"), 50_000)
		isConsistent(t, d.url())
		isWhole(t, d.url(), 0)
	}
}

// hasEnded reports whether the server has ended.
func (d *database) hasEnded() bool {
	select {
	case <-d.server.Done():
		return true
	default:
		return false
	}
}

// fullDisk fills the disk of a server with a private database, at its first start and later.
func fullDisk(t *testing.T) {
	disk := newDisk(t, 256)
	if disk.limited {
		t.Log("mounting is not permitted here: a full disk of a server with a private database was not tested")
		return
	}
	disk.fill(t, 10<<20)
	s := &server{url: freeAddress(t), dir: disk.dir}
	t.Cleanup(func() { s.kill(t) })
	require.False(t, s.launch(t), "first start on a full disk")
	require.NotZero(t, s.cmd.ProcessState.ExitCode())
	require.Contains(t, s.logged(), "No space left on device")
	disk.free(t)
	s.start(t)
	url, err := localpg.URL(filepath.Join(disk.dir, "postgres"), localpg.Database)
	require.NoError(t, err)
	senders := s.waitWithBodies(t, 20, 20<<20)
	require.Eventually(t, func() bool { return strings.Contains(s.logged(), "status=503") }, time.Minute, 10*time.Millisecond, "senders are rejected")
	s.isServed(t, 0)
	require.Greater(t, disk.left(t), int64(16<<20), "space that bodies leave to PostgreSQL")
	for _, c := range senders {
		require.NoError(t, c.Close())
	}

	file := crowd(1, 50_000)
	disk.fill(t, 40<<20)
	_, err = s.send(t.Context(), file, "key")
	require.ErrorContains(t, err, noRoom)
	require.NotContains(t, s.logged(), "embedded database restart", "imports leave PostgreSQL the space that it needs")
	disk.fill(t, 0)
	exhaust(t, url)
	require.Eventually(t, func() bool {
		return strings.Contains(s.logged(), "embedded database restart failed")
	}, time.Minute, 10*time.Millisecond)
	_, err = s.send(t.Context(), []byte(person(100_000)), "")
	require.ErrorContains(t, err, "503")
	disk.free(t)
	require.Len(t, s.sendUntilAnswered(t, file, "key"), 50_000)
	isConsistent(t, url)
	isWhole(t, url, 0)
}

// exhaust writes to a database until PostgreSQL has no space for its log and ends.
func exhaust(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for n := 0; err == nil && n < 1000; n++ {
		_, err = conn.Exec(t.Context(), "select pg_logical_emit_message(false, 'rollcall', repeat('x', 1 << 20))")
	}
	require.Error(t, err)
}

// noRoom and noRoomPage are the messages to programs and browsers.
const (
	noRoom     = "The server's disk is full"
	noRoomPage = "The server's disk is full"
)

// A disk is a small tmpfs. If the system permits no mounts, it is a folder, and the size of files is limited instead.
type disk struct {
	dir     string
	limited bool // nothing is mounted; the file size of process is limited
	process int
}

// newDisk creates a disk of size MiB.
func newDisk(t *testing.T, size int) *disk {
	t.Helper()
	d := &disk{dir: pgtest.Dir(t)}
	err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=755", size))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		d.limited = true
		return d
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(d.dir, syscall.MNT_DETACH)) })
	return d
}

// fill fills the disk until left bytes are free.
func (d *disk) fill(t *testing.T, left int64) {
	t.Helper()
	if d.limited {
		limit := unix.Rlimit{Cur: uint64(left), Max: unix.RLIM_INFINITY}
		require.NoError(t, unix.Prlimit(d.process, unix.RLIMIT_FSIZE, &limit, nil))
		return
	}
	d.free(t)
	filler, err := os.Create(d.filler())
	require.NoError(t, err)
	defer filler.Close()
	require.NoError(t, syscall.Fallocate(int(filler.Fd()), 0, 0, d.left(t)-left))
}

// left returns the free space in bytes.
func (d *disk) left(t *testing.T) int64 {
	t.Helper()
	var s syscall.Statfs_t
	require.NoError(t, syscall.Statfs(d.dir, &s))
	return int64(s.Bavail) * s.Bsize
}

func (d *disk) filler() string { return filepath.Join(d.dir, "filler") }

// free removes what fill wrote.
func (d *disk) free(t *testing.T) {
	t.Helper()
	if d.limited {
		limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		require.NoError(t, unix.Prlimit(d.process, unix.RLIMIT_FSIZE, &limit, nil))
		return
	}
	err := os.Remove(d.filler())
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
}
