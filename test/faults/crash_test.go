package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
)

// What an import runs on is killed at any moment of it. The next start needs no hand, the import is there whole or not at all,
// and the same request, sent again, is answered in full.
func TestCrashes(t *testing.T) {
	d := newDatabase(t)
	c := newCrashed(t, serve(t, d.url()), d.url())
	for _, fault := range []struct {
		name string
		kill func(t *testing.T)
	}{
		{"of the server", func(t *testing.T) { c.kill(t); c.start(t) }},
		{"of PostgreSQL", func(t *testing.T) { d.kill(t); d.start(t) }},
		{"of both", func(t *testing.T) { c.kill(t); d.kill(t); d.start(t); c.start(t) }},
		{"of one connection", func(t *testing.T) { d.killOne(t) }},
	} {
		t.Run(fault.name, func(t *testing.T) { c.crash(t, fault.kill) })
	}
}

// The PostgreSQL that a server has for itself ends with it, and the next start takes its data up. When it ends alone, the server
// starts it again.
func TestOwnDatabaseCrashes(t *testing.T) {
	s := serve(t, "")
	url, err := localpg.URL(filepath.Join(s.dir, "postgres"), localpg.Database)
	require.NoError(t, err)
	c := newCrashed(t, s, url)
	t.Run("with the server", func(t *testing.T) {
		c.crash(t, func(t *testing.T) { c.kill(t); c.start(t) })
	})
	t.Run("alone", func(t *testing.T) {
		own := &database{dir: filepath.Join(s.dir, "postgres")}
		c.crash(t, func(t *testing.T) { own.signal(t, syscall.SIGKILL) })
	})
	require.Len(t, processesIn(t, s.dir), 2, "the program, and one PostgreSQL")
	c.kill(t)
	ended := func() bool { return len(processesIn(t, s.dir)) == 0 }
	require.Eventually(t, ended, 30*time.Second, 10*time.Millisecond, "processes that were left")
}

// The power fails: the machine has what was synced, and nothing that was only written.
func TestPowerFails(t *testing.T) {
	p := newPowered(t)
	c := newCrashed(t, serve(t, p.url()), p.url())
	lost := 0
	c.crash(t, func(t *testing.T) {
		c.kill(t)
		lost += p.loseWrites(t)
		p.start(t)
		c.start(t)
	})
	require.NotZero(t, lost, "files that had more than was synced")
}

// crashed is a server that something befalls in the middle of imports.
type crashed struct {
	*server

	database string
	objects  int // of each import
	imports  int
	took     time.Duration
}

func newCrashed(t *testing.T, s *server, database string) *crashed {
	t.Helper()
	c := &crashed{server: s, database: database, objects: either(10_000, 200_000)}
	began := time.Now()
	c.isAnswered(t, c.file(), "undisturbed")
	c.took = time.Since(began)
	return c
}

// file has people of its own. Every tenth is refused: it is the one before.
func (c *crashed) file() []byte {
	next := c.imports * c.objects
	c.imports++
	return people(c.objects, func(i int) int { return next + i - min(1, i%10/9) })
}

// empty removes all imports from the database, or looking at it would take longer than they do.
func (c *crashed) empty(t *testing.T) {
	t.Helper()
	const tables = "select string_agg(tablename, ', ') from pg_tables where schemaname = 'public' and tablename not like '%migration%'"
	all := pgtest.Query[struct{ Names string }](t, c.database, tables)[0].Names
	pgtest.Query[struct{}](t, c.database, "truncate "+all)
	c.imports = 0
}

// crash has something befall imports, each at a random moment, or when it has just been answered.
func (c *crashed) crash(t *testing.T, kill func(*testing.T)) {
	t.Helper()
	r := random(t)
	for i := range either(3, 50) {
		if i%5 == 0 {
			c.empty(t)
		}
		file, key := c.file(), fmt.Sprintf("%s-%d", t.Name(), i)
		moment := time.Duration(r.Int64N(int64(c.took) * 5 / 4))
		t.Logf("crash %d, after %s", i+1, moment.Round(time.Millisecond))
		acknowledged := make(chan []credential, 1)
		go func() {
			defer close(acknowledged)
			answer, err := c.send(t.Context(), file, key)
			if err == nil {
				acknowledged <- answer
			}
		}()
		var first []credential
		select {
		case first = <-acknowledged:
		case <-time.After(moment):
		}
		kill(t)
		if first == nil {
			first = <-acknowledged
		}
		answer := c.isAnswered(t, file, key)
		if first != nil {
			require.Equal(t, first, answer, "the answer that was there before")
		}
		require.False(t, t.Failed())
	}
}

// isAnswered sends a file until it is answered: then its people are there once, beside those of all files before.
func (c *crashed) isAnswered(t *testing.T, file []byte, key string) []credential {
	t.Helper()
	answer := c.sendUntilAnswered(t, file, key)
	require.Len(t, answer, c.objects-c.objects/10)
	signIn(t, c.database, answer[:10])
	signIn(t, c.database, answer[len(answer)-10:])
	isConsistent(t, c.database)
	found := pgtest.Query[struct{ Users, Refused int }](t, c.database, "select (select count(*)::int from users), (select count(*)::int from bad_users)")
	require.Equal(t, c.imports*len(answer), found[0].Users)
	require.Equal(t, c.imports*c.objects/10, found[0].Refused)
	isWhole(t, c.database, 0)
	for _, files := range []struct {
		pattern string
		want    int
	}{{"spool/*", 1}, {"spool/*/*", 0}, {"uploads/.*", 0}} {
		found, err := filepath.Glob(filepath.Join(c.dir, files.pattern))
		require.NoError(t, err)
		require.Len(t, found, files.want, files.pattern)
	}
	return answer
}

// processesIn are the processes that were started with a folder.
func processesIn(t *testing.T, dir string) (all []int) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, process := range processes {
		args, err := os.ReadFile(process)
		if err == nil && strings.Contains(string(args), dir) { // else it has ended
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(process)))
			require.NoError(t, err)
			all = append(all, pid)
		}
	}
	return all
}
