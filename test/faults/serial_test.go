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

// Imports and registrations come at once, with logins, e-mails and phones of one another. What their clients see, and what is
// in the database then, is what some order of them gives; and none of them is told that it cannot be done, unless it is the form,
// and is asked to come again.
func TestRequestsComeAtOnce(t *testing.T) {
	setRapid(t, either(12, 1000))
	d := newDatabase(t)
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("s"), passhash.SecretSize))
	flags := []string{"--secret-key", secret, throughProxy}
	servers := []*server{serve(t, d.url(), flags...), serve(t, d.url(), flags...)}
	c := &crowded{t: t, database: d.url(), form: openForm(t, servers[0]), tries: 1}
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
						rt.Fatal("no order of the requests gives what came of them: see the log")
					}
				}
			})
			isConsistent(t, d.url())
			isWhole(t, d.url(), c.registered)
		})
	}
	found := pgtest.Query[struct{ Deadlocks int }](t, d.url(), "select deadlocks::int from pg_stat_database where datname = current_database()")
	t.Logf("deadlocks within PostgreSQL, which no client saw: %d", found[0].Deadlocks)
}

// setRapid sets how many cases rapid tries and its seed, unless its own flags do. It keeps no file of what failed: the same
// requests need not meet in the same way again.
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

// triesOfFailed is how often each case is tried when one has failed: the moment that it takes does not come each time.
const triesOfFailed = 20

// crowded is a database with requests that come at once. Each case has keys of its own.
type crowded struct {
	t        *testing.T
	servers  []*server
	database string
	form     form

	tries      int // of each case
	number     int // of the case
	record     int64
	registered int    // with the form
	failed     string // what there is to say of the last case that did
}

// complaints are what is wrong with a case.
type complaints []string

// Errorf implements assert.TestingT.
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// isSerial sends the requests, and tells whether some order gives what was seen.
func (c *crowded) isSerial(requests []request) bool {
	c.number++
	all := make([]seen, len(requests))
	var sent errgroup.Group
	for i, r := range requests {
		sent.Go(func() (err error) {
			time.Sleep(r.Delay) // which is when it comes
			all[i], err = c.send(r, i)
			return err
		})
	}
	var wrong complaints
	if assert.NoError(&wrong, sent.Wait()) {
		c.compare(&wrong, all)
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

// compare looks at what came of the requests.
func (c *crowded) compare(wrong *complaints, all []seen) {
	records := map[int64]record{}
	for _, it := range pgtest.Query[record](c.t, c.database, `
		select id, code, description, created::int, refused::int, (
			select coalesce(json_agg(json_build_object('object_id', object_id, 'violations', violations) order by object_id), '[]')
			from bad_users where code_id = codes.id)
		from codes where id > $1`, c.record) {
		records[it.ID] = it
		c.record = max(c.record, it.ID)
	}
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
			s.compareRecords(wrong, records)
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
	assert.Empty(wrong, records, "records of no request")
	assert.True(wrong, inSomeOrder(history, accounts{}), "there is no such order")
	c.compareUsers(wrong, made, credentials)
}

// compareRecords takes the request's records, and what came of its objects from the one that has it.
func (s *seen) compareRecords(wrong *complaints, records map[int64]record) {
	for _, id := range s.conflicts {
		assert.Equal(wrong, record{ID: id, Code: 409, Description: domain.DescriptionNoneCreated, Rejections: []rejection{}}, records[id])
		delete(records, id)
	}
	it, found := records[s.answer.id]
	if !assert.True(wrong, found, "record %d", s.answer.id) {
		return
	}
	delete(records, s.answer.id)
	s.outcomes = s.request.outcomes(it.Rejections)
	tally := domain.Tally{Records: len(s.People) + s.padded(), Registered: count(s.outcomes, created), Rejected: count(s.outcomes, rejected) + s.padded()}
	assert.Equal(wrong, record{s.answer.id, tally.Status(), tally.Description(), tally.Registered, tally.Rejected, it.Rejections}, it)
	assert.Equal(wrong, tally.Status(), s.answer.status, "status")
	if s.Lines {
		assert.Equal(wrong, it.Rejections, s.answer.rejections, "objects that were refused")
		assert.Equal(wrong, tally, s.answer.tally, "last line")
		assert.Equal(wrong, count(s.outcomes, skipped), s.answer.skipped, "objects that were skipped")
	}
}

// compareUsers compares the accounts of the case's people, and whether the passwords are theirs.
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

// account is that of a person, as it is in the database.
type account struct{ Login, Email, Phone, FirstName string }

func (c *crowded) login(n int) string { return fmt.Sprintf("c%dl%d", c.number, n) }

// account is what a person of a request would have.
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

// record is that of a request, with what it refused.
type record struct {
	ID               int64
	Code             int
	Description      string
	Created, Refused int
	Rejections       []rejection
}

type rejection struct {
	Object     int `json:"object_id"`
	Violations violations
}

// violations are those of an object, or of a person at the form.
type violations []struct{ Field, Code string }

func (vs violations) reasons() (all []string) {
	for _, v := range vs {
		all = append(all, v.Field+" "+v.Code)
	}
	return all
}

// outcomes are what came of the request's people when these objects were refused.
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

// count is how many came to this.
func count(outcomes []outcome, status string) (n int) {
	for _, o := range outcomes {
		if o.Status == status {
			n++
		}
	}
	return n
}
