package contract

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Audit proves a ports.AuditStore.
func Audit(t *testing.T, subject func(*testing.T) ports.AuditStore) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ports.AuditStore)
	}{
		{"StoresEntries", storesEntries},
		{"CopiesTheCallersMemory", copiesEntry},
		{"SelectsEntries", selectsEntries},
		{"PagesEntries", pagesEntries},
		{"RecordsConcurrently", recordsConcurrently},
		{"FollowsEntries", followsEntries},
		{"FollowsSelectedEntries", followsSelectedEntries},
		{"StopsWithItsContext", auditStopsWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// audited are the actors of the tests, each with its name.
var audited = []domain.Actor{
	{Kind: domain.ActorSystem},
	{Kind: domain.ActorVisitor},
	domain.UserActor(17),
	{Kind: domain.ActorToken, ID: 17, Name: "crm"},
	{Kind: domain.ActorCommand, Name: "root"},
}

func recordEntry(t *testing.T, store ports.AuditStore, actor domain.Actor, entry domain.AuditEntry) {
	t.Helper()
	ctx := ports.WithOrigin(t.Context(), ports.Origin{Actor: actor, Address: "192.0.2.1", Request: "r-1"})
	require.NoError(t, store.Record(ctx, entry))
}

func entriesOf(t *testing.T, store ports.AuditStore, filter domain.AuditFilter) []domain.AuditEntry {
	t.Helper()
	page, err := store.Entries(t.Context(), ports.AuditQuery{Filter: filter, Limit: 1000})
	require.NoError(t, err)
	require.True(t, page.IsLast)
	return page.Entries
}

func storesEntries(t *testing.T, store ports.AuditStore) {
	require.Empty(t, entriesOf(t, store, domain.AuditFilter{}))
	began := time.Now().Add(-time.Second)
	require.NoError(t, store.Record(t.Context(), domain.AuditEntry{Action: domain.ActionServerStarted}))
	for _, actor := range audited {
		recordEntry(t, store, actor, domain.AuditEntry{
			Action: domain.ActionRoleGranted, User: 3, Import: 4, LeftOut: 5,
			Before: map[string]any{"n": 1}, After: map[string]any{"text": "ё\"<\u2028", "list": []string{"a"}, "none": nil},
		})
	}
	all := entriesOf(t, store, domain.AuditFilter{})
	require.Len(t, all, 1+len(audited))
	slices.Reverse(all)
	last := int64(0)
	for i := range all {
		e := &all[i]
		require.Greater(t, e.ID, last)
		require.Equal(t, time.UTC, e.Time.Location())
		require.Equal(t, e.Time, e.Time.Truncate(time.Microsecond))
		require.WithinRange(t, e.Time, began, time.Now().Add(time.Second))
		last, e.ID, e.Time = e.ID, 0, time.Time{}
	}
	require.Equal(t, domain.AuditEntry{Actor: domain.Actor{Kind: domain.ActorSystem}, Action: domain.ActionServerStarted}, all[0], "without an origin")
	for i, actor := range audited {
		require.Equal(t, domain.AuditEntry{
			Actor: actor, Action: domain.ActionRoleGranted, User: 3, Import: 4, LeftOut: 5, Address: "192.0.2.1", Request: "r-1",
			Before: map[string]any{"n": 1.0}, After: map[string]any{"text": "ё\"<\u2028", "list": []any{"a"}, "none": nil},
		}, all[1+i])
	}
}

func copiesEntry(t *testing.T, store ports.AuditStore) {
	mine := map[string]any{"role": "operator"}
	recordEntry(t, store, audited[0], domain.AuditEntry{Action: domain.ActionRoleGranted, After: mine})
	mine["role"] = "other"
	entriesOf(t, store, domain.AuditFilter{})[0].After["role"] = "another"
	require.Equal(t, map[string]any{"role": "operator"}, entriesOf(t, store, domain.AuditFilter{})[0].After)
}

func selectsEntries(t *testing.T, store ports.AuditStore) {
	users, actions := []int64{0, 3, 17}, []domain.Action{domain.ActionRoleGranted, domain.ActionRoleRevoked, domain.ActionImported}
	for _, actor := range audited {
		for _, user := range users {
			for _, action := range actions {
				recordEntry(t, store, actor, domain.AuditEntry{Action: action, User: user})
			}
		}
	}
	all := entriesOf(t, store, domain.AuditFilter{})
	require.Len(t, all, len(audited)*len(users)*len(actions))
	middle := all[len(all)/2].Time
	filters := []domain.AuditFilter{{}, {From: middle}, {Until: middle}, {From: middle, Until: middle}, {From: middle.Add(time.Hour)}, {Until: middle.Add(-time.Hour)}}
	for _, filter := range slices.Clone(filters) {
		for _, user := range append(users, 99) {
			for _, actor := range append([]domain.Actor{{}, domain.UserActor(99)}, audited...) {
				for _, chosen := range [][]domain.Action{nil, actions[:1], actions[:2], {domain.ActionExported}} {
					filter.User, filter.Actor, filter.Actions = user, actor, chosen
					filter.Actor.Name = ""
					filters = append(filters, filter)
				}
			}
		}
	}
	for _, filter := range filters {
		var want []domain.AuditEntry
		for _, e := range all {
			isSelected := (filter.User == 0 || e.User == filter.User) &&
				(filter.Actor == domain.Actor{} || e.Actor.Key() == filter.Actor.Key()) &&
				(filter.Actions == nil || slices.Contains(filter.Actions, e.Action)) &&
				!e.Time.Before(filter.From) && (filter.Until.IsZero() || e.Time.Before(filter.Until))
			if isSelected {
				want = append(want, e)
			}
		}
		got := entriesOf(t, store, filter)
		require.Len(t, got, len(want), "%+v", filter)
		require.Equal(t, append([]domain.AuditEntry{}, want...), append([]domain.AuditEntry{}, got...), "%+v", filter)
	}
}

func pagesEntries(t *testing.T, store ports.AuditStore) {
	const all, limit = 7, 3
	for n := range all {
		recordEntry(t, store, audited[n%2], domain.AuditEntry{Action: domain.ActionRoleGranted, After: map[string]any{"n": n}})
	}
	for _, filter := range []domain.AuditFilter{{}, {Actions: []domain.Action{domain.ActionRoleGranted}}} {
		var read []domain.AuditEntry
		after := int64(0)
		for isLast := false; !isLast; {
			page, err := store.Entries(t.Context(), ports.AuditQuery{Filter: filter, After: after, Limit: limit})
			require.NoError(t, err)
			require.Equal(t, len(page.Entries) < limit, page.IsLast)
			read, isLast, after = append(read, page.Entries...), page.IsLast, page.Entries[len(page.Entries)-1].ID
		}
		require.Equal(t, entriesOf(t, store, filter), read)
	}
	page, err := store.Entries(t.Context(), ports.AuditQuery{After: 1, Limit: limit})
	require.NoError(t, err)
	require.Empty(t, page.Entries)
	require.True(t, page.IsLast)
}

func recordsConcurrently(t *testing.T, store ports.AuditStore) {
	const all = 20
	var recording sync.WaitGroup
	for range all {
		recording.Go(func() { recordEntry(t, store, audited[2], domain.AuditEntry{Action: domain.ActionSignedIn}) })
	}
	recording.Wait()
	ids := map[int64]bool{}
	for _, entry := range entriesOf(t, store, domain.AuditFilter{}) {
		ids[entry.ID] = true
	}
	require.Len(t, ids, all)
}

func followsEntries(t *testing.T, store ports.AuditStore) {
	record := func(n int) {
		recordEntry(t, store, audited[0], domain.AuditEntry{Action: domain.ActionRoleGranted, After: map[string]any{"n": n}})
	}
	const existing, all = 5, 12
	for n := range existing {
		record(n)
	}
	var got []float64
	next := existing
	for entry, err := range store.Follow(t.Context(), domain.AuditFilter{}) {
		require.NoError(t, err)
		if entry != nil {
			got = append(got, entry.After["n"].(float64))
			continue
		}
		require.Len(t, got, next, "every entry that exists, once")
		if next == all {
			break
		}
		record(next)
		next++
	}
	for n, value := range got {
		require.InDelta(t, n, value, 0, "in order")
	}
}

func followsSelectedEntries(t *testing.T, store ports.AuditStore) {
	filter := domain.AuditFilter{User: 3, Actor: domain.UserActor(17), Actions: []domain.Action{domain.ActionRoleGranted}, From: time.Now().Add(-time.Hour)}
	records := func() {
		recordEntry(t, store, audited[2], domain.AuditEntry{Action: domain.ActionRoleGranted, User: 3})
		recordEntry(t, store, audited[2], domain.AuditEntry{Action: domain.ActionRoleGranted, User: 4})
		recordEntry(t, store, audited[2], domain.AuditEntry{Action: domain.ActionRoleRevoked, User: 3})
		recordEntry(t, store, audited[3], domain.AuditEntry{Action: domain.ActionRoleGranted, User: 3})
	}
	records()
	found, rounds := 0, 0
	for entry, err := range store.Follow(t.Context(), filter) {
		require.NoError(t, err)
		switch {
		case entry != nil:
			found++
			require.Equal(t, domain.UserActor(17), entry.Actor)
			continue
		case rounds == 0:
			records()
		}
		rounds++
		if rounds == 3 {
			break
		}
	}
	require.Equal(t, 2, found)
}

func auditStopsWithContext(t *testing.T, store ports.AuditStore) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errEntries := store.Entries(ctx, ports.AuditQuery{Limit: 1})
	var errFollow error
	for _, err := range store.Follow(ctx, domain.AuditFilter{}) {
		errFollow = err
	}
	for _, err := range []error{store.Record(ctx, domain.AuditEntry{Action: domain.ActionExported}), errEntries, errFollow} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
	require.Empty(t, entriesOf(t, store, domain.AuditFilter{}))
}
