package faults_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// A request is one of several concurrent ones: a file, or a registration with the form.
type request struct {
	Server  int           // index of the server
	Delay   time.Duration // before it is sent
	Form    bool
	People  []human
	NDJSON  bool
	Keyed   bool // has an idempotency key, and is sent twice concurrently
	Strict  bool
	DryRun  bool
	Lines   bool // answered with NDJSON
	Large   bool // padded with white space, and so imported by COPY
	Padding padding
}

// padding is records that are rejected in any order. They make an import longer than one batch.
type padding struct {
	Kind   string // or empty
	Before int    // index of the person after the padding
}

// Kinds of padding: many small records, or some large ones.
const (
	paddedByMany  = "many"
	paddedByLarge = "large"
)

// A human is a person whose login, email and phone are numbers; 0 means none.
type human struct {
	Login, Email, Phone int
	Loud                bool // written in capitals
	Nameless            bool
}

// drawRequests draws requests whose people share few logins, emails and phones.
func drawRequests(t *rapid.T, servers int) []request {
	keys := rapid.IntRange(2, 12).Draw(t, "keys")
	people := rapid.Custom(func(t *rapid.T) human {
		return human{
			Login: rapid.IntRange(1, keys).Draw(t, "login"),
			Email: rapid.IntRange(0, keys).Draw(t, "email"),
			Phone: rapid.IntRange(0, keys).Draw(t, "phone"),
			Loud:  rapid.Bool().Draw(t, "loud"), Nameless: oneIn(t, 16, "nameless"),
		}
	})
	requests := rapid.Custom(func(t *rapid.T) request {
		r := request{
			Server: rapid.IntRange(0, servers-1).Draw(t, "server"),
			Delay:  time.Duration(rapid.IntRange(0, 20).Draw(t, "delay")) * time.Millisecond,
			Form:   oneIn(t, 5, "form"),
		}
		if r.Form {
			r.People = []human{people.Draw(t, "person")}
			return r
		}
		r.People = rapid.SliceOfN(people, 1, 12).Draw(t, "people")
		r.NDJSON = rapid.Bool().Draw(t, "ndjson")
		r.Keyed = oneIn(t, 4, "keyed")
		r.Strict = oneIn(t, 4, "strict")
		r.DryRun = oneIn(t, 12, "dry run")
		r.Lines = r.DryRun || rapid.Bool().Draw(t, "lines")
		r.Large = oneIn(t, 3, "large")
		switch rapid.IntRange(0, 49).Draw(t, "padding") {
		case 1:
			r.Padding.Kind = paddedByMany
		case 2, 3:
			r.Padding.Kind = paddedByLarge
		}
		if r.Padding.Kind != "" {
			r.Padding.Before = rapid.IntRange(0, len(r.People)).Draw(t, "padding before")
		}
		return r
	})
	return rapid.SliceOfN(requests, 2, 6).Draw(t, "requests")
}

func oneIn(t *rapid.T, n int, label string) bool { return rapid.IntRange(1, n).Draw(t, label) == n }

// padded returns the number of records in the padding.
func (r request) padded() int {
	switch r.Padding.Kind {
	case paddedByMany:
		return 8200 // a batch has 8,192
	case paddedByLarge:
		return 70 // a batch has 4 MiB
	}
	return 0
}

// number returns the number of a person's record.
func (r request) number(person int) int {
	if person >= r.Padding.Before {
		person += r.padded()
	}
	return person + 1
}

// Statuses of a record.
const (
	created  = "created"
	rejected = "rejected"
	skipped  = "skipped"
)

// An outcome is the status of a person's record, and the reasons if it was rejected.
type outcome struct {
	Status  string
	Reasons []string
}

// accounts are the logins, emails and phones in use.
type accounts map[string]bool

// admit registers a person unless a rule is broken or a key is in use.
func (a accounts) admit(h human) outcome {
	var reasons, keys []string
	if h.Nameless {
		reasons = append(reasons, "first_name required")
	}
	if h.Email == 0 && h.Phone == 0 {
		reasons = append(reasons, "email contact_required")
	}
	for _, it := range []struct {
		field string
		key   int
	}{{"login", h.Login}, {"email", h.Email}, {"phone", h.Phone}} {
		if it.key == 0 {
			continue
		}
		owned := fmt.Sprintf("%s %d", it.field, it.key)
		keys = append(keys, owned)
		if a[owned] {
			reasons = append(reasons, it.field+" taken")
		}
	}
	if reasons != nil {
		return outcome{rejected, reasons}
	}
	for _, key := range keys {
		a[key] = true
	}
	return outcome{Status: created}
}

// after returns the accounts after a request, and the outcomes of its people.
func (a accounts) after(r request) (accounts, []outcome) {
	then := maps.Clone(a)
	all := make([]outcome, len(r.People))
	for i, h := range r.People {
		all[i] = then.admit(h)
	}
	rejectsAny := r.padded() > 0 || slices.ContainsFunc(all, func(o outcome) bool { return o.Status == rejected })
	if r.Strict && rejectsAny {
		for i := range all {
			if all[i].Status == created {
				all[i].Status = skipped
			}
		}
		return a, all
	}
	if r.DryRun {
		return a, all
	}
	return then, all
}

// answered is a request with its outcomes and times.
type answered struct {
	request

	outcomes     []outcome
	began, ended time.Time
}

// inSomeOrder reports whether some order of the requests, one after another, gives their outcomes. A request that was answered
// before another began comes before it.
func inSomeOrder(requests []answered, taken accounts) bool {
	for i, next := range requests {
		others := slices.Concat(requests[:i], requests[i+1:])
		if slices.ContainsFunc(others, func(other answered) bool { return other.ended.Before(next.began) }) {
			continue
		}
		then, outcomes := taken.after(next.request)
		if slices.EqualFunc(next.outcomes, outcomes, outcome.is) && inSomeOrder(others, then) {
			return true
		}
	}
	return len(requests) == 0
}

// is reports whether an outcome equals the one that an order gives. A rejected record may lack a reason that a concurrent request
// caused, but none of its own.
func (o outcome) is(of outcome) bool {
	isMissing := func(reason string) bool { return !slices.Contains(o.Reasons, reason) }
	isWrong := func(reason string) bool { return !slices.Contains(of.Reasons, reason) }
	isOwn := func(reason string) bool { return !strings.HasSuffix(reason, " taken") && isMissing(reason) }
	return o.Status == of.Status && (len(o.Reasons) > 0) == (o.Status == rejected) &&
		!slices.ContainsFunc(o.Reasons, isWrong) && !slices.ContainsFunc(of.Reasons, isOwn)
}
