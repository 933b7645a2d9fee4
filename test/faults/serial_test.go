package faults_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"rollcall/adapters/passhash"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

// Concurrent imports and registrations share logins, emails and phones. Their answers and the database then equal the result of
// sending the requests one after another in some order. No import fails; a registration may be told to retry.
func TestConcurrentRequests(t *testing.T) {
	setRapid(t, either(12, 1000))
	d := newDatabase(t)
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("s"), passhash.SecretSize))
	flags := []string{"--secret-key", secret, throughProxy}
	servers := []*server{serve(t, d.url(), flags...), serve(t, d.url(), flags...)}
	c := &crowded{t: t, database: d.url(), tries: 1}
	for n := range servers {
		t.Run(fmt.Sprintf("servers=%d", n+1), func(t *testing.T) {
			c.servers = servers[:n+1]
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(c.failed)
				}
			})
			rapid.Check(t, func(rt *rapid.T) {
				requests := drawRequests(rt, n+1)
				for range c.tries {
					if !c.isSerial(requests) {
						rt.Fatal("no order of the requests gives their results: see the log")
					}
				}
			})
			isConsistent(t, d.url())
			isWhole(t, d.url(), c.registered)
		})
	}
	found := pgtest.Query[struct{ Deadlocks int }](t, d.url(), "select deadlocks::int from pg_stat_database where datname = current_database()")
	t.Logf("deadlocks in PostgreSQL, unseen by clients: %d", found[0].Deadlocks)
}

// setRapid sets rapid's number of cases and seed, unless its flags do. It turns off the files of failures: the same requests may
// not interleave in the same way again.
func setRapid(t *testing.T, checks int) {
	t.Helper()
	set := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
	for name, value := range map[string]string{
		"rapid.checks": strconv.Itoa(checks), "rapid.seed": strconv.FormatUint(random(t).Uint64(), 10), "rapid.nofailfile": "true",
	} {
		if !set[name] {
			require.NoError(t, flag.Set(name, value))
		}
	}
}

// triesOfFailed is the number of tries of each case after a failure, because a failure depends on timing.
const triesOfFailed = 20

// A crowded database gets concurrent requests. Each case has its own keys.
type crowded struct {
	t        *testing.T
	servers  []*server
	database string

	tries      int    // tries of each case
	number     int    // number of the case
	lastID     int64  // ID of the last import
	registered int    // number of users registered with the form
	failed     string // description of the last failed case
}

// complaints are the failed assertions of a case.
type complaints []string

// Errorf implements assert.TestingT.
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// isSerial sends the requests, and reports whether some order of them gives the results.
func (c *crowded) isSerial(requests []request) bool {
	c.number++
	all := make([]seen, len(requests))
	var sent errgroup.Group
	for i, r := range requests {
		sent.Go(func() (err error) {
			time.Sleep(r.Delay) // the case says when a request is sent
			all[i], err = c.send(r, i)
			return err
		})
	}
	err := sent.Wait()
	entries := c.newEntries()
	var wrong complaints
	if assert.NoError(&wrong, err) {
		c.compare(&wrong, all, entries)
	}
	if wrong == nil {
		return true
	}
	c.tries = triesOfFailed
	var text strings.Builder
	for _, s := range all {
		fmt.Fprintf(&text, "%+v\n  %s to %s: %+v\n", s.request, s.began.Format("05.000"), s.ended.Format("05.000"), s.outcomes)
	}
	c.failed = fmt.Sprintf("case %d\n%s%s", c.number, text.String(), strings.Join(wrong, "\n"))
	return false
}

// newEntries returns the imports since the last call, by ID.
func (c *crowded) newEntries() map[int64]entry {
	entries := map[int64]entry{}
	for _, it := range pgtest.Query[entry](c.t, c.database, `
		select id, code, description, created::int, refused::int, (
			select coalesce(json_agg(json_build_object('object_id', object_id, 'violations', violations) order by object_id), '[]')
			from bad_users where code_id = codes.id)
		from codes where id > $1`, c.lastID) {
		entries[it.ID] = it
		c.lastID = max(c.lastID, it.ID)
	}
	return entries
}

// compare checks the results of the requests.
func (c *crowded) compare(wrong *complaints, all []seen, entries map[int64]entry) {
	var made []account
	var credentials []credential
	var history []answered
	for i := range all {
		s := &all[i]
		switch {
		case s.Form:
			c.registered += count(s.outcomes, created)
		case s.DryRun:
			s.outcomes = s.request.outcomes(s.answer.rejections)
		default:
			s.compareEntries(wrong, entries)
		}
		logins := []string{}
		for p, o := range s.outcomes {
			if o.Status != created {
				continue
			}
			a := c.account(i, p, s.People[p])
			logins = append(logins, a.Login)
			if !s.DryRun {
				made = append(made, a)
			}
		}
		if !s.Form {
			assert.Equal(wrong, logins, s.answer.logins(), "logins of the answer")
		}
		if !s.DryRun {
			credentials = append(credentials, s.answer.credentials...)
		}
		history = append(history, s.answered)
	}
	assert.Empty(wrong, entries, "imports without a request")
	assert.True(wrong, inSomeOrder(history, accounts{}), "no such order")
	c.compareUsers(wrong, made, credentials)
}

// compareEntries checks the request's imports in the database, and takes its outcomes from them.
func (s *seen) compareEntries(wrong *complaints, entries map[int64]entry) {
	for _, id := range s.conflicts {
		assert.Equal(wrong, entry{ID: id, Code: 409, Description: domain.DescriptionNoneCreated, Rejections: []rejection{}}, entries[id])
		delete(entries, id)
	}
	it, found := entries[s.answer.id]
	if !assert.True(wrong, found, "import %d", s.answer.id) {
		return
	}
	delete(entries, s.answer.id)
	s.outcomes = s.request.outcomes(it.Rejections)
	tally := domain.Tally{Records: len(s.People) + s.padded(), Registered: count(s.outcomes, created), Rejected: count(s.outcomes, rejected) + s.padded()}
	assert.Equal(wrong, entry{s.answer.id, tally.Status(), tally.Description(), tally.Registered, tally.Rejected, it.Rejections}, it)
	assert.Equal(wrong, tally.Status(), s.answer.status, "status")
	if s.Lines {
		assert.Equal(wrong, it.Rejections, s.answer.rejections, "rejected records")
		assert.Equal(wrong, tally, s.answer.tally, "last line")
		assert.Equal(wrong, count(s.outcomes, skipped), s.answer.skipped, "skipped records")
	}
}

// compareUsers checks the accounts of the case's people and their passwords.
func (c *crowded) compareUsers(wrong *complaints, accounts []account, credentials []credential) {
	type user struct {
		account

		Hash string
	}
	hashes := map[string]string{}
	found := []account{}
	for _, u := range pgtest.Query[user](c.t, c.database, `
		select login, coalesce(email, ''), coalesce(phone, ''), fname, password_hash from users u join profiles p on p.user_id = u.id
		where login_key like $1`, c.login(0)[:len(c.login(0))-1]+"%") {
		found = append(found, u.account)
		hashes[u.Login] = u.Hash
	}
	assert.ElementsMatch(wrong, accounts, found, "accounts")
	hasher := passhash.NewHasher(passhash.Config{})
	for _, it := range credentials {
		entered, _ := domain.EnteredPassword(it.Password)
		verdict, err := hasher.Verify(c.t.Context(), ports.Turn{}, hashes[it.Login], entered)
		assert.True(wrong, err == nil && verdict.Match, "password of %s", it.Login)
	}
}

// An account is a user in the database.
type account struct{ Login, Email, Phone, FirstName string }

func (c *crowded) login(n int) string { return fmt.Sprintf("c%dl%d", c.number, n) }

// account returns the account that a person of a request would get.
func (c *crowded) account(request, person int, h human) account {
	a := account{Login: c.login(h.Login), FirstName: fmt.Sprintf("Ivan%d-%d", request, person)}
	if h.Email != 0 {
		a.Email = fmt.Sprintf("c%de%d@example.com", c.number, h.Email)
	}
	if h.Phone != 0 {
		a.Phone = fmt.Sprintf("79%07d%02d", c.number, h.Phone)
	}
	if h.Loud {
		a.Login, a.Email = strings.ToUpper(a.Login), strings.ToUpper(a.Email)
	}
	return a
}

// An entry is an import in the database, with its rejections.
type entry struct {
	ID                   int64
	Code                 int
	Description          string
	Registered, Rejected int
	Rejections           []rejection
}

type rejection struct {
	Object     int `json:"object_id"`
	Violations violations
}

// violations are those of a record or of a form.
type violations []struct{ Field, Code string }

func (vs violations) reasons() (all []string) {
	for _, v := range vs {
		all = append(all, v.Field+" "+v.Code)
	}
	return all
}

// outcomes returns the outcomes of the request's people, given the rejections.
func (r request) outcomes(rejections []rejection) []outcome {
	status := created
	if r.Strict && len(rejections) > 0 {
		status = skipped
	}
	all := slices.Repeat([]outcome{{Status: status}}, len(r.People))
	for person := range r.People {
		for _, it := range rejections {
			if it.Object == r.number(person) {
				all[person] = outcome{rejected, it.Violations.reasons()}
			}
		}
	}
	return all
}

// count returns the number of outcomes with a status.
func count(outcomes []outcome, status string) (n int) {
	for _, o := range outcomes {
		if o.Status == status {
			n++
		}
	}
	return n
}
