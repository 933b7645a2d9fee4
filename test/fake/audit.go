package fake

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Audit stores the audit in memory. Other fakes add no entries to it.
type Audit struct {
	mu      sync.Mutex
	entries []domain.AuditEntry
}

// Record implements ports.Auditing.
func (a *Audit) Record(ctx context.Context, entry domain.AuditEntry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	origin := ports.OriginOf(ctx)
	entry.ID, entry.Time = int64(len(a.entries)+1), time.Now().UTC().Truncate(time.Microsecond)
	entry.Actor, entry.Address, entry.Request = origin.Actor, origin.Address, origin.Request
	if entry.Actor.Kind == "" {
		entry.Actor.Kind = domain.ActorSystem
	}
	entry.Before, entry.After = asJSON(entry.Before), asJSON(entry.After)
	a.entries = append(a.entries, entry)
	return nil
}

// asJSON returns what a decoder of JSON makes of an entry's facts.
func asJSON(facts map[string]any) (decoded map[string]any) {
	text, err := json.Marshal(facts)
	if err == nil {
		err = json.Unmarshal(text, &decoded)
	}
	if err != nil {
		panic(err)
	}
	return decoded
}

// Entries implements ports.AuditReading.
func (a *Audit) Entries(ctx context.Context, query ports.AuditQuery) (*ports.AuditPage, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("entries: %w", err)
	}
	found := a.selected(&query.Filter, 0)
	slices.Reverse(found)
	if query.After != 0 {
		found = slices.DeleteFunc(found, func(e domain.AuditEntry) bool { return e.ID >= query.After })
	}
	return &ports.AuditPage{Entries: found[:min(len(found), query.Limit)], IsLast: len(found) <= query.Limit}, nil
}

// selected returns the entries after an id that a filter selects.
func (a *Audit) selected(filter *domain.AuditFilter, after int64) (found []domain.AuditEntry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.entries[after:] {
		actor := e.Actor
		actor.Name = ""
		switch {
		case filter.User != 0 && e.User != filter.User:
		case filter.Actor != (domain.Actor{}) && actor != filter.Actor:
		case filter.Actions != nil && !slices.Contains(filter.Actions, e.Action):
		case e.Time.Before(filter.From), !filter.Until.IsZero() && !e.Time.Before(filter.Until):
		default:
			e.Before, e.After = asJSON(e.Before), asJSON(e.After)
			found = append(found, e)
		}
	}
	return found
}

// Follow implements ports.AuditStore.
func (a *Audit) Follow(ctx context.Context, filter domain.AuditFilter) iter.Seq2[*domain.AuditEntry, error] {
	return func(yield func(*domain.AuditEntry, error) bool) {
		last := int64(0)
		for ctx.Err() == nil {
			for _, entry := range a.selected(&filter, last) {
				last = entry.ID
				if !yield(&entry, nil) {
					return
				}
			}
			if !yield(nil, nil) {
				return
			}
		}
		yield(nil, fmt.Errorf("follow: %w", ctx.Err()))
	}
}
