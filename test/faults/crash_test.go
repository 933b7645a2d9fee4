package faults_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The server is killed at any moment of an import. The next start needs no hand, the import is there whole or not at all, and
// the same request, sent again, is answered in full.
func TestServerIsKilled(t *testing.T) {
	d := newDatabase(t, nil)
	s := serve(t, d.url())
	r := random(t)
	objects, first := either(20_000, 200_000), 0
	file := crowd(first, objects)
	began := time.Now()
	require.Len(t, s.sendUntilAnswered(t, file, "undisturbed"), objects)
	took := time.Since(began)
	for i := range either(6, 50) {
		first += objects
		file, key := crowd(first, objects), fmt.Sprintf("key-%d", i)
		moment := time.Duration(r.Int64N(int64(took)))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = s.send(t.Context(), file, key)
		}()
		time.Sleep(moment) // which is when the fault comes, and waits for nothing
		s.kill(t)
		<-ended
		s.start(t)
		answer := s.sendUntilAnswered(t, file, key)
		require.Len(t, answer, objects, "killed after %s", moment)
		signIn(t, d.url(), answer[:100])
		isConsistent(t, d.url())
		isWhole(t, d.url(), 0)
		assert.Equal(t, []struct{ N int }{{1}}, query[struct{ N int }](t, d.url(), "select count(*)::int from codes where code = 200 and id = (select code_id from idempotency_keys where key = sha256(convert_to($1, 'UTF8')))", key))
	}
}
