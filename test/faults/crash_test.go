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

// The server, PostgreSQL or both are killed at a random moment of an import. The next start needs no help, the import is stored
// as a whole or not at all, and the same request, sent again, gets the full answer.
func TestCrashes(t *testing.T) {
	d := newDatabase(t)
	c := newCrashed(t, serve(t, d.url()), d.url())
	for _, fault := range []struct {
		name string
		kill func(t *testing.T)
	}{
		{"server", func(t *testing.T) { c.kill(t); c.start(t) }},
		{"PostgreSQL", func(t *testing.T) { d.kill(t); d.start(t) }},
		{"both", func(t *testing.T) { c.kill(t); d.kill(t); d.start(t); c.start(t) }},
		{"connection", func(t *testing.T) { d.killOne(t) }},
	} {
		t.Run(fault.name, func(t *testing.T) { c.crash(t, fault.kill) })
	}
}

// A private PostgreSQL ends with its server, and the next start uses its data. If it ends alone, the server restarts it.
func TestPrivateDatabaseCrashes(t *testing.T) {
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
	require.Len(t, processesIn(t, s.dir), 2, "the program and one PostgreSQL")
	c.kill(t)
	ended := func() bool { return len(processesIn(t, s.dir)) == 0 }
	require.Eventually(t, ended, 30*time.Second, 10*time.Millisecond, "processes left over")
}

// The power fails: what was synced survives, what was only written is lost.
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
	require.NotZero(t, lost, "files with writes that were not synced")
}

// A crashed server is killed during imports.
type crashed struct {
	*server

	database string
	records  int           // in each import
	imports  int           // since the database was emptied
	took     time.Duration // of an undisturbed import
}

func newCrashed(t *testing.T, s *server, database string) *crashed {
	t.Helper()
	c := &crashed{server: s, database: database, records: either(10_000, 200_000)}
	began := time.Now()
	c.isAnswered(t, c.file(), "undisturbed")
	c.took = time.Since(began)
	return c
}

// file returns an import of new people. Every tenth record repeats the one before and is rejected.
func (c *crashed) file() []byte {
	next := c.imports * c.records
	c.imports++
	return people(c.records, func(i int) int { return next + i - min(1, i%10/9) })
}

// empty removes all imports from the database, because checking many takes longer than importing them.
func (c *crashed) empty(t *testing.T) {
	t.Helper()
	pgtest.Empty(t, c.database)
	c.imports = 0
}

// crash calls kill during imports, at a random moment or when the import has been answered.
func (c *crashed) crash(t *testing.T, kill func(*testing.T)) {
	t.Helper()
	r := random(t)
	for i := range either(3, 50) {
		if i%5 == 0 {
			c.empty(t)
		}
		file, key := c.file(), fmt.Sprintf("%s-%d", t.Name(), i)
		moment := time.Duration(r.Int64N(int64(c.took) * 5 / 4))
		t.Logf("crash %d after %s", i+1, moment.Round(time.Millisecond))
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
			require.Equal(t, first, answer, "the answer is the same as before the crash")
		}
		require.False(t, t.Failed())
	}
}

// isAnswered sends a file until it is answered, and checks that its people are stored exactly once, as are those of all earlier files.
func (c *crashed) isAnswered(t *testing.T, file []byte, key string) []credential {
	t.Helper()
	answer := c.sendUntilAnswered(t, file, key)
	require.Len(t, answer, c.records-c.records/10)
	matchPasswords(t, c.database, answer[:10])
	matchPasswords(t, c.database, answer[len(answer)-10:])
	isConsistent(t, c.database)
	found := pgtest.Query[struct{ Users, Rejected int }](t, c.database, "select (select count(*)::int from users), (select count(*)::int from bad_users)")
	require.Equal(t, c.imports*len(answer), found[0].Users)
	require.Equal(t, c.imports*c.records/10, found[0].Rejected)
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

// processesIn returns the IDs of the processes that have the folder in their arguments.
func processesIn(t *testing.T, dir string) (all []int) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, process := range processes {
		args, err := os.ReadFile(process)
		if err == nil && strings.Contains(string(args), dir) { // otherwise the process has ended
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(process)))
			require.NoError(t, err)
			all = append(all, pid)
		}
	}
	return all
}
