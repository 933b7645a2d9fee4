package faults_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// request is one of several that come at once: a file, or a registration with the form.
type request struct {
	Server  int           // that it goes to
	Delay   time.Duration // after which it comes
	Form    bool
	People  []human
	NDJSON  bool
	Keyed   bool // sent twice at once, by a client that is not sure
	Strict  bool
	DryRun  bool
	Lines   bool // answered in lines
	Large   bool // by white space, and so copied
	Padding padding
}

// padding is objects that are refused in any order, and make an import more than one batch.
type padding struct {
	Kind   string // or empty
	Before int    // which of the others
}

// The paddings: many objects that are not large, and some that are.
const (
	paddedByMany  = "many"
	paddedByLarge = "large"
)

// human is a person, whose login, e-mail and phone go by numbers. 0 is none.
type human struct {
	Login, Email, Phone int
	Loud                bool // in capitals
	Nameless            bool
}

// drawRequests draws requests whose people have few logins, e-mails and phones between them.
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

// padded is how many objects the padding has.
func (r request) padded() int {
	switch r.Padding.Kind {
	case paddedByMany:
		return 8200 // a batch has 8,192
	case paddedByLarge:
		return 70 // a batch has 4 MiB
	}
	return 0
}

// number is that of a person's object.
func (r request) number(person int) int {
	if person >= r.Padding.Before {
		person += r.padded()
	}
	return person + 1
}

// What comes of an object.
const (
	created  = "created"
	rejected = "rejected"
	skipped  = "skipped"
)

// outcome is what came of a person's object, and the reasons if it was refused.
type outcome struct {
	Status  string
	Reasons []string
}

// accounts are the logins, e-mails and phones that belong to some.
type accounts map[string]bool

// admit is the rule of sequence.
func (a accounts) admit(h human) outcome {
	var reasons, keys []string
	if h.Nameless {
		reasons = append(reasons, "first_name required")
	}
	if h.Email == 0 && h.Phone == 0 {
		reasons = append(reasons, "email contact_required")
	}
	for field, key := range map[string]int{"login": h.Login, "email": h.Email, "phone": h.Phone} {
		if key == 0 {
			continue
		}
		owned := fmt.Sprintf("%s %d", field, key)
		keys = append(keys, owned)
		if a[owned] {
			reasons = append(reasons, field+" taken")
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

// after are the accounts when a request was the next, and what comes of its people.
func (a accounts) after(r request) (accounts, []outcome) {
	then := maps.Clone(a)
	all := make([]outcome, len(r.People))
	for i, h := range r.People {
		all[i] = then.admit(h)
	}
	refusesAny := r.padded() > 0 || slices.ContainsFunc(all, func(o outcome) bool { return o.Status == rejected })
	if r.Strict && refusesAny {
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

// answered is a request with what its client saw, and when.
type answered struct {
	request

	outcomes     []outcome
	began, ended time.Time
}

// inSomeOrder tells whether there is an order of requests, one after another, that gives what their clients saw. A request
// that was answered before another one came is before it.
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

// is tells whether an outcome is the one that an order gives. Of an object that is refused anyway, a reason may be missing that
// another request made true in the same moment; none of its own may.
func (o outcome) is(of outcome) bool {
	isMissing := func(reason string) bool { return !slices.Contains(o.Reasons, reason) }
	isWrong := func(reason string) bool { return !slices.Contains(of.Reasons, reason) }
	isOwn := func(reason string) bool { return !strings.HasSuffix(reason, " taken") && isMissing(reason) }
	return o.Status == of.Status && (len(o.Reasons) > 0) == (o.Status == rejected) &&
		!slices.ContainsFunc(o.Reasons, isWrong) && !slices.ContainsFunc(of.Reasons, isOwn)
}
