package faults_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// The server, PostgreSQL or both are killed at a random moment of a change of many people. Afterwards all of them have new passwords or none,
// and the audit says the same. The job, started again, makes the change once.
func TestBulkChangesAreKilled(t *testing.T) {
	d := newDatabase(t)
	b := newBulk(t, serve(t, d.url()), d.url())
	for _, fault := range []struct {
		name string
		kill func(t *testing.T)
	}{
		{"server", func(t *testing.T) { b.server.kill(t); b.server.start(t) }},
		{"PostgreSQL", func(t *testing.T) { d.kill(t); d.start(t) }},
		{"both", func(t *testing.T) { b.server.kill(t); d.kill(t); d.start(t); b.server.start(t) }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			r := random(t)
			for i := range either(1, 5) {
				moment := time.Duration(r.Int64N(int64(b.took) * 5 / 4))
				t.Logf("kill %d after %s", i+1, moment.Round(time.Millisecond))
				job := b.begin(t)
				time.Sleep(moment)
				fault.kill(t)
				b.isWhole(t, b.made, b.made+1)
				b.end(t, job)
			}
		})
	}
}

// bulk gives many people new passwords, again and again.
type bulk struct {
	server   *server
	operator *visitor
	database string
	people   int
	address  string        // of the page that confirms a change
	made     int           // number of changes
	took     time.Duration // of an undisturbed change
}

func newBulk(t *testing.T, s *server, database string) *bulk {
	t.Helper()
	b := &bulk{server: s, operator: s.visitor(t), database: database, people: either(2_000, 100_000)}
	_, err := b.operator.register(t.Context(), 1)
	require.NoError(t, err)
	grant(t, database, login(1))
	_, err = s.send(t.Context(), crowd(10, b.people), "")
	require.NoError(t, err)
	imported := pgtest.Query[struct{ ID int64 }](t, database, "select id from codes")
	b.address = fmt.Sprint("/users/change/password?import=", imported[0].ID)
	began := time.Now()
	b.end(t, b.begin(t))
	b.took = time.Since(began)
	return b
}

// begin starts a change, and returns the address of its page.
func (b *bulk) begin(t *testing.T) string {
	t.Helper()
	var got page
	require.Eventually(t, func() (started bool) {
		var err error
		got, err = b.operator.do(t.Context(), http.MethodPost, b.address, url.Values{"users": {strconv.Itoa(b.people)}})
		return err == nil && got.status == http.StatusSeeOther
	}, time.Minute, 100*time.Millisecond)
	require.Contains(t, got.header.Get("Location"), "/useradd/uploads/")
	return got.header.Get("Location")
}

// end waits until a change is made, and starts it again if it was interrupted. The file of passwords has those of the accounts.
func (b *bulk) end(t *testing.T, job string) {
	t.Helper()
	require.Eventually(t, func() bool {
		// A job without heartbeats counts as interrupted after a while, which passes here.
		pgtest.Query[struct{}](t, b.database, "update uploads set updated_at = updated_at - interval '1 minute' where updated_at < now() - interval '5 s' and job is not null")
		got, err := b.operator.do(t.Context(), http.MethodGet, job, nil)
		if err == nil && strings.Contains(got.html, job+"/start") {
			_, err = b.operator.do(t.Context(), http.MethodPost, job+"/start", url.Values{})
		}
		return err == nil && strings.Contains(got.html, job+"/credentials.csv")
	}, 3*time.Minute, 200*time.Millisecond)
	b.made++
	b.isWhole(t, b.made, b.made)
	got, err := b.operator.do(t.Context(), http.MethodGet, job+"/credentials.csv", nil)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.html, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, b.people+1)
	var first []credential
	for _, row := range rows[1:11] {
		first = append(first, credential{row[3], row[4]})
	}
	matchPasswords(t, b.database, first)
	isConsistent(t, b.database)
}

// isWhole checks that a number of changes were made, each of all people.
func (b *bulk) isWhole(t *testing.T, least, most int) {
	t.Helper()
	found := pgtest.Query[struct{ Changes, Entries, Dates int }](t, b.database, `
		select (select count(*)::int from audit where action = 'bulk_change.made'),
			(select count(*)::int from audit where action = 'account.password_replaced'),
			(select count(distinct password_date)::int from users where code_id > 0)`)[0]
	require.GreaterOrEqual(t, found.Changes, least)
	require.LessOrEqual(t, found.Changes, most)
	require.Equal(t, found.Changes*b.people, found.Entries, "entries of people")
	require.Equal(t, 1, found.Dates, "all passwords are of the same change")
}
