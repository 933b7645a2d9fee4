package application

import (
	"context"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// failuresRecorded is the number of failed attempts of a kind that are recorded one by one. One more is each failureRefill.
	failuresRecorded = 100
	failureRefill    = time.Minute

	recordTimeout = 10 * time.Second
)

// failedAttempts records failed attempts in the audit. During a flood it records some of them, and the number of the others. So a flood
// of a year adds two entries a minute for each kind and instance.
type failedAttempts struct {
	audit ports.Auditing

	mu    sync.Mutex
	kinds map[domain.Action]*attemptsOfKind
}

type attemptsOfKind struct {
	full    time.Time // when all of failuresRecorded may be recorded again
	leftOut int
}

func newFailedAttempts(audit ports.Auditing) *failedAttempts {
	return &failedAttempts{audit: audit, kinds: map[domain.Action]*attemptsOfKind{}}
}

// record records a failed attempt, or counts it.
func (f *failedAttempts) record(ctx context.Context, entry domain.AuditEntry) error {
	if !f.pass(entry.Action) {
		return nil
	}
	return f.audit.Record(ctx, entry)
}

// pass reports whether to record an attempt of a kind. The first one that is left out starts a count.
func (f *failedAttempts) pass(action domain.Action) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, kind := time.Now(), f.kinds[action]
	if kind == nil {
		kind = &attemptsOfKind{}
		f.kinds[action] = kind
	}
	if kind.full.Before(now) {
		kind.full = now
	}
	if kind.full.Sub(now) <= (failuresRecorded-1)*failureRefill {
		kind.full = kind.full.Add(failureRefill)
		return true
	}
	f.count(action, kind, 1)
	return false
}

// count adds attempts to those that are left out, whose number is recorded in a while.
func (f *failedAttempts) count(action domain.Action, kind *attemptsOfKind, attempts int) {
	if kind.leftOut == 0 {
		time.AfterFunc(failureRefill, func() { f.recordCount(action, kind) })
	}
	kind.leftOut += attempts
}

func (f *failedAttempts) recordCount(action domain.Action, kind *attemptsOfKind) {
	f.mu.Lock()
	leftOut := kind.leftOut
	kind.leftOut = 0
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	err := f.audit.Record(ctx, domain.AuditEntry{Action: action, LeftOut: leftOut})
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.count(action, kind, leftOut)
	}
}
