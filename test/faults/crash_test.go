package faults_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What an import runs on is killed at any moment of it. The next start needs no hand, the import is there whole or not at all,
// and the same request, sent again, is answered in full.
func TestCrashes(t *testing.T) {
	d := newDatabase(t)
	s := serve(t, d.url())
	objects, next := either(10_000, 200_000), 0
	file := func() []byte {
		next += objects
		return crowd(next, objects)
	}
	began := time.Now()
	require.Len(t, s.sendUntilAnswered(t, file(), "undisturbed"), objects)
	took := time.Since(began)
	for name, kill := range map[string]func(){
		"of the server":     func() { s.kill(t); s.start(t) },
		"of PostgreSQL":     func() { d.kill(t); d.start(t) },
		"of both":           func() { s.kill(t); d.kill(t); d.start(t); s.start(t) },
		"of one connection": func() { d.killOne(t) },
	} {
		t.Run(name, func(t *testing.T) {
			r := random(t)
			for i := range either(3, 50) {
				file, key := file(), fmt.Sprintf("%s-%d", t.Name(), i)
				moment := time.Duration(r.Int64N(int64(took)))
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_, _ = s.send(t.Context(), file, key)
				}()
				time.Sleep(moment) // which is when the fault comes, and waits for nothing
				kill()
				<-ended
				answer := s.sendUntilAnswered(t, file, key)
				require.Len(t, answer, objects, "killed after %s", moment)
				signIn(t, d.url(), answer[:100])
				isConsistent(t, d.url())
				isWhole(t, d.url(), 0)
				const imports = "select count(*)::int from codes where code = 200 and id = (select code_id from idempotency_keys where key = sha256(convert_to($1, 'UTF8')))"
				assert.Equal(t, 1, query[struct{ N int }](t, d.url(), imports, key)[0].N)
			}
		})
	}
}
