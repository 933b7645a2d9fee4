package faults_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
)

// The primary is killed during an import, and its synchronous standby is promoted. The server, configured with both, fails over.
// The import, sent again, gets the full answer, and no acknowledged registration is lost.
func TestPrimaryIsKilled(t *testing.T) {
	primary := newDatabase(t)
	standby := &database{dir: filepath.Join(pgtest.Dir(t), "postgres")}
	t.Cleanup(standby.stop)
	standby.follow(t, primary)
	s := serve(t, bothURL(primary, standby))

	records, next := either(10_000, 200_000), 0
	file := func() []byte {
		next += records
		return crowd(next, records)
	}
	began := time.Now()
	require.Len(t, s.sendUntilAnswered(t, file(), "undisturbed"), records)
	took := time.Since(began)

	r := random(t)
	for i := range either(1, 10) {
		if i > 0 {
			standby.follow(t, primary)
		}
		file, key := file(), fmt.Sprintf("failover-%d", i)
		moment := time.Duration(r.Int64N(int64(took)))
		singles := s.registerMeanwhile(t, 1_000_000_000-1_000_000*(i+1))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = s.send(t.Context(), file, key)
		}()
		time.Sleep(moment) // the kill is at a random moment, not after an event
		primary.kill(t)
		pgtest.Query[struct{ Promoted bool }](t, standby.server.SuperuserURL(localpg.Database), "select pg_promote()")
		primary, standby = standby, primary
		<-ended
		answer := s.sendUntilAnswered(t, file, key)
		require.Len(t, answer, records, "killed after %s", moment)
		matchPasswords(t, primary.url(), answer[:10])
		acknowledged := singles()
		t.Logf("%d registrations acknowledged during the failover", len(acknowledged))
		isThere(t, primary.url(), acknowledged)
		isConsistent(t, primary.url())
		isWhole(t, primary.url(), 0)
		require.False(t, t.Failed())
	}
}

// The standby is down, so commits wait for it, and their connections are cut: the commits are on the primary only. No client is
// told of them, and no stored answer is given, before the standby has them too.
func TestStandbyIsDown(t *testing.T) {
	t.Parallel() // most of its time is waiting
	primary := newDatabase(t)
	standby := &database{dir: filepath.Join(pgtest.Dir(t), "postgres")}
	t.Cleanup(standby.stop)
	standby.follow(t, primary)
	secret := "--secret-key=" + hex.EncodeToString([]byte("the secret key of both instances"))
	s, another := serve(t, primary.url(), secret), serve(t, primary.url(), secret)
	standby.stop()

	waiting := func(cutOff string) int {
		return len(pgtest.Query[struct{ Waits *bool }](t, primary.url(), "select "+cutOff+" from pg_stat_activity where wait_event = 'SyncRep'"))
	}
	wait := func(requests int) {
		require.Eventually(t, func() bool { return waiting("null::boolean") == requests }, time.Minute, 10*time.Millisecond)
	}
	imported, again := make(chan []credential, 1), make(chan []credential, 1)
	registered := make(chan int, 1)
	file := crowd(0, 3)
	go func() {
		all, _ := s.send(t.Context(), file, "key")
		imported <- all
	}()
	wait(1)
	v := s.visitor(t)
	go func() {
		got, _ := v.register(t.Context(), 10)
		registered <- got.status
	}()
	wait(2)
	waiting("pg_terminate_backend(pid)")
	wait(2) // on new connections that look for the lost commits
	go func() {
		all, _ := another.send(t.Context(), file, "key")
		again <- all
	}()
	wait(3)
	require.Empty(t, imported)
	require.Empty(t, registered)

	standby.start(t)
	answer := <-imported
	require.Len(t, answer, 3)
	require.Equal(t, answer, <-again)
	require.Equal(t, http.StatusSeeOther, <-registered)
	primary.kill(t)
	pgtest.Query[struct{ Promoted bool }](t, standby.server.SuperuserURL(localpg.Database), "select pg_promote()")
	matchPasswords(t, standby.url(), answer)
	isThere(t, standby.url(), []string{"user10"})
}

// follow turns a database into the synchronous standby of another.
func (d *database) follow(t *testing.T, primary *database) {
	t.Helper()
	require.NoError(t, os.RemoveAll(d.dir))
	require.NoError(t, os.Mkdir(d.dir, 0o755))
	backup := exec.CommandContext(t.Context(), primary.server.Bin("pg_basebackup"),
		"-d", primary.server.SuperuserURL("postgres"), "-D", d.data(), "-R", "--checkpoint=fast", "--no-sync")
	output, err := backup.CombinedOutput()
	require.NoError(t, err, "%s", output)
	info, err := os.Stat(primary.data())
	require.NoError(t, err)
	owner, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.NoError(t, filepath.WalkDir(d.data(), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}))
	d.start(t)
	primary.exec(t, "alter system set synchronous_standby_names = '*'")
	primary.exec(t, "select pg_reload_conf()")
	require.Eventually(t, func() bool {
		return len(pgtest.Query[struct{ State string }](t, primary.server.SuperuserURL(localpg.Database), "select sync_state from pg_stat_replication where sync_state = 'sync'")) == 1
	}, time.Minute, 10*time.Millisecond)
}

// bothURL returns a URL with two hosts, of which clients use the one that accepts writes.
func bothURL(a, b *database) string {
	hosts := make([]string, 2)
	for i, d := range []*database{a, b} {
		u, _ := url.Parse(d.url()) // it is valid
		hosts[i] = u.Query().Get("host")
	}
	both := url.Values{"host": {hosts[0] + "," + hosts[1]}, "port": {"5432,5432"}, "target_session_attrs": {"read-write"}}
	return "postgres://" + localpg.Database + "@/" + localpg.Database + "?" + both.Encode()
}

// registerMeanwhile registers people one after another, beginning after number next, until end is called. end returns the
// acknowledged logins.
func (s *server) registerMeanwhile(t *testing.T, next int) (end func() []string) {
	t.Helper()
	var ended atomic.Bool
	var acknowledged []string
	var group sync.WaitGroup
	group.Go(func() {
		for !ended.Load() {
			next++
			created, err := s.send(t.Context(), []byte(person(next)), "")
			if err == nil {
				acknowledged = append(acknowledged, created[0].Login)
			} else {
				require.ErrorContains(t, err, "503")
			}
		}
	})
	return func() []string {
		ended.Store(true)
		group.Wait()
		return acknowledged
	}
}
