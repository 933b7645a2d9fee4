package faults_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerIsKilled(t *testing.T) {
	crash(t, func(_ *database, s *server) {
		s.kill(t)
		s.start(t)
	})
}

func TestPostgreSQLIsKilled(t *testing.T) {
	crash(t, func(d *database, _ *server) {
		d.kill(t)
		d.start(t)
	})
}

func TestBothAreKilled(t *testing.T) {
	crash(t, func(d *database, s *server) {
		s.kill(t)
		d.kill(t)
		d.start(t)
		s.start(t)
	})
}

// crash has something killed at any moment of an import. The next start needs no hand, the import is there whole or not at all,
// and the same request, sent again, is answered in full.
func crash(t *testing.T, kill func(*database, *server)) {
	t.Helper()
	d := newDatabase(t, nil)
	s := serve(t, d.url())
	r := random(t)
	objects, first := either(10_000, 200_000), 0
	began := time.Now()
	require.Len(t, s.sendUntilAnswered(t, crowd(first, objects), "undisturbed"), objects)
	took := time.Since(began)
	for i := range either(3, 50) {
		first += objects
		file, key := crowd(first, objects), fmt.Sprintf("key-%d", i)
		moment := time.Duration(r.Int64N(int64(took)))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = s.send(t.Context(), file, key)
		}()
		time.Sleep(moment) // which is when the fault comes, and waits for nothing
		kill(d, s)
		<-ended
		answer := s.sendUntilAnswered(t, file, key)
		require.Len(t, answer, objects, "killed after %s", moment)
		signIn(t, d.url(), answer[:100])
		isConsistent(t, d.url())
		isWhole(t, d.url())
		const imports = "select count(*)::int from codes where code = 200 and id = (select code_id from idempotency_keys where key = sha256(convert_to($1, 'UTF8')))"
		assert.Equal(t, 1, query[struct{ N int }](t, d.url(), imports, key)[0].N)
	}
}
