package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// record adds an entry to the audit of a site.
func (s *site) record(t *testing.T, actor domain.Actor, entry domain.AuditEntry) {
	t.Helper()
	ctx := ports.WithOrigin(t.Context(), ports.Origin{Actor: actor, Address: "192.0.2.1", Request: "r-1"})
	require.NoError(t, s.audit.Record(ctx, entry))
}

// Every action has a sentence in each language.
func TestAuditPageHasEveryAction(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	for _, action := range domain.Actions() {
		s.record(t, domain.Actor{Kind: domain.ActorCommand, Name: "root"}, domain.AuditEntry{
			Action: action, User: 1, LeftOut: 1500,
			After: map[string]any{"records": 2000, "registered": 1, "rejected": 1999, "name": "crm", "token": 3, "file": "audit.csv", "useradd-access": "token"},
		})
	}
	for _, language := range []string{"en", "ru"} {
		page := b.Get(t, "/audit?lang="+language)
		require.Equal(t, http.StatusOK, page.Status)
		require.NotContains(t, page.Text("main"), "audit.action")
		require.NotContains(t, page.Text("main"), "audit.event")
		require.Equal(t, len(domain.Actions()), page.Find(".audit tbody tr").Length())
		require.NotContains(t, page.HTML, "&lt;no value&gt;")
		for _, action := range domain.Actions() {
			filtered := b.Get(t, "/audit?action="+string(action))
			require.Equal(t, 1, filtered.Find(".audit tbody tr").Length())
			require.Equal(t, filtered.Text("#action [selected]"), filtered.Text(".audit .what b"))
		}
	}
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionExported, Import: 1, After: map[string]any{"file": "answer"}})
	require.Contains(t, b.Get(t, "/audit?lang=en&action=export").Text(".audit"), "The answer of an import, with its passwords, once more")
	for _, c := range []struct {
		facts map[string]any
		want  []string
	}{
		{map[string]any{"ticked": true}, []string{"The people were ticked in the list"}},
		{
			map[string]any{"status": "suspended", "group": "7А", "import": 17, "q": "…"},
			[]string{"Name, login, email or phone: …", "Status: Suspended", "Group: 7А", "Import number: 17"},
		},
		{
			map[string]any{"registered_from": "2025-09-01T00:00:00Z", "registered_to": "2026-06-01T00:00:00Z"},
			[]string{"Registered from: 1 September 2025, 00:00 UTC", "Registered to: 31 May 2026, 23:59 UTC"},
		},
	} {
		maps.Copy(c.facts, map[string]any{"action": "password", "selected": 1200, "changed": 3})
		s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionManyChanged, After: c.facts})
		require.Equal(t, append([]string{"New temporary passwords", "Selected: 1,200, changed: 3"}, c.want...),
			eachText(b.Get(t, "/audit?lang=en&action=bulk_change"), ".audit tr:first-child .what span"))
	}
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionExported, Import: 1, After: map[string]any{"file": "slips"}})
	require.Contains(t, b.Get(t, "/audit?action=export").Text(".audit"), "Slips to print, with passwords")
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionExported, After: map[string]any{"file": "users.csv", "group": "7А", "q": "…"}})
	require.Equal(t, []string{"users.csv", "Name, login, email or phone: …", "Group: 7А"}, eachText(b.Get(t, "/audit?action=export"), ".audit tr:first-child .what span"))
	page := b.Get(t, "/audit?lang=en&action=import")
	require.Contains(t, page.Text(".audit"), "Records: 2,000, registered: 1, rejected: 1,999")
	require.Contains(t, page.Text(".audit"), "1,500 more attempts, not listed one by one")
	require.Equal(t, "Imports: all", page.Text("#action [selected]"))
	require.Contains(t, b.Get(t, "/audit?action=server").Text(".audit"), "--useradd-access token")
}

func TestAuditPageNamesActors(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	for _, c := range []struct {
		actor domain.Actor
		name  string
	}{
		{domain.UserActor(99), "user 99, deleted"},
		{domain.Actor{Kind: domain.ActorUser, ID: 1, Name: "<i>anna"}, "<i>anna"},
		{domain.Actor{Kind: domain.ActorToken, ID: 3, Name: "crm"}, "token crm"},
		{domain.Actor{Kind: domain.ActorCommand, Name: "root"}, "command line, account root"},
		{domain.Actor{Kind: domain.ActorVisitor}, "a visitor or program"},
		{domain.Actor{}, "Rollcall"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.record(t, c.actor, domain.AuditEntry{Action: domain.ActionImported, Import: 17, User: 98})
			row := b.Get(t, "/audit?action=import").Find(".audit tbody tr").First()
			require.Equal(t, c.name, strings.TrimSpace(row.Find("td").Eq(1).Text()))
			require.Equal(t, "/useradd/imports/17", row.Find("td").Eq(3).Find("a").AttrOr("href", ""))
			require.Contains(t, row.Find("td").Eq(4).Text(), "192.0.2.1")
			require.Contains(t, row.Find("td").Eq(4).Text(), "r-1")
		})
	}
}

func TestAuditPageFilters(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionRoleGranted, User: 2})
	s.record(t, domain.Actor{Kind: domain.ActorToken, ID: 3, Name: "crm"}, domain.AuditEntry{Action: domain.ActionImported, Import: 1})
	s.record(t, domain.Actor{Kind: domain.ActorVisitor}, domain.AuditEntry{Action: domain.ActionSignInFailed, User: 1})
	for query, entries := range map[string]int{
		"": 3, "?person=ANNA": 1, "?person=2": 1, "?person=99": 0, "?actor=anna": 1, "?actor=1": 1, "?actor=user:1": 1, "?actor=token:3": 1,
		"?actor=visitor": 1, "?actor=system": 0, "?action=role": 1, "?person=2&actor=anna&action=role.granted": 1, "?from=01.01.2100": 0,
		"?until=2100-01-01": 3, "?from=1+января+2020": 3, "?after=3": 2, "?after=-1": 3,
	} {
		t.Run(query, func(t *testing.T) {
			page := b.Get(t, "/audit"+query)
			require.Equal(t, http.StatusOK, page.Status)
			require.Equal(t, entries, page.Find(".audit tbody tr").Length())
			require.Equal(t, entries == 0, page.Find(".nothing").Length() == 1)
		})
	}
	for query, wrong := range map[string]struct{ field, message string }{
		"person=nobody":                    {"person", "No user has this login: check it, or enter the number of a deleted user."},
		"actor=nobody":                     {"actor", "No user has this login: check it, or enter a number, token:3, command, visitor or system."},
		"action=sign":                      {"action", "The action is unknown: choose one from the list."},
		"from=soon":                        {"from", "“From” is not a date: use one such as 2026-12-31 or 31.12.2026."},
		"from=2026-02-02&until=2026-01-01": {"until", "“To” is before “From”: swap the dates."},
	} {
		t.Run(query, func(t *testing.T) {
			page := b.Get(t, "/audit?"+query)
			require.Equal(t, http.StatusBadRequest, page.Status)
			require.Equal(t, wrong.message, page.Text("#"+wrong.field+"-error"))
			require.Empty(t, page.Find(".audit, a[href*=export]").Nodes, "nothing is selected")
			for _, path := range []string{"/audit?", "/audit/export/csv?"} {
				got := b.Get(t, path+query, "Accept", "application/json")
				require.Equal(t, http.StatusBadRequest, got.Status)
			}
		})
	}
}

func TestAuditPagesAndJSON(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	const all = 120
	for n := range all {
		s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionRoleGranted, User: 2, After: map[string]any{"n": n}})
	}
	page, pages := b.Get(t, "/audit?action=role&person=2"), 1
	for ; page.Find("[rel=next]").Length() == 1; pages++ {
		page = b.Get(t, page.Find("[rel=next]").AttrOr("href", ""))
		require.Equal(t, "/audit?action=role&person=2", page.Find(".paging a").First().AttrOr("href", ""), "back to the first page")
	}
	require.Equal(t, 3, pages)
	var read []string
	for next := "/audit?action=role"; next != ""; {
		got := b.Get(t, next, "Accept", "application/json")
		require.Equal(t, http.StatusOK, got.Status)
		require.Equal(t, "application/json", got.Header.Get("Content-Type"))
		var answer struct {
			Entries []struct {
				Actor struct{ Kind string }
				User  struct{ ID int64 }
				After struct{ N int }
			}
			Next string
		}
		require.NoError(t, json.Unmarshal([]byte(got.HTML), &answer))
		for _, entry := range answer.Entries {
			read = append(read, fmt.Sprint(entry.Actor.Kind, entry.User.ID, entry.After.N))
		}
		next = answer.Next
		if next != "" {
			next = "/audit?action=role&after=" + next
		}
	}
	require.Len(t, read, all)
	require.Equal(t, "user2 119", read[0])
	require.Equal(t, "user2 0", read[all-1])
}

func TestAuditExport(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	s.record(t, domain.Actor{Kind: domain.ActorToken, ID: 3, Name: "=crm"}, domain.AuditEntry{Action: domain.ActionImported, Import: 1, After: map[string]any{"status": 200}})
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionRoleGranted, User: 2})
	got := b.Get(t, "/audit/export/csv?action=import")
	require.Equal(t, http.StatusOK, got.Status)
	require.Equal(t, "text/csv; charset=utf-8", got.Header.Get("Content-Type"))
	require.Regexp(t, `^attachment; filename="rollcall-audit-\d{4}-\d\d-\d\d\.csv"$`, got.Header.Get("Content-Disposition"))
	lines := strings.Split(got.HTML, "\r\n")
	require.Equal(t, "\ufeff"+`"id","time","time_zone","actor","actor_name","action","user","login","import","address","request","before","after","left_out"`, lines[0])
	require.Regexp(t, `^"\d+","[\d -]+:\d\d:\d\d","[^"]+","token:3","'=crm","import.succeeded","","","1","192.0.2.1","r-1","","{""status"":200}",""$`, lines[1])
	require.Empty(t, lines[2], "the filter counts")
	entry := b.Get(t, "/audit").Find(".audit tbody tr").First()
	require.Contains(t, entry.Text(), "Downloaded a file")
	require.Contains(t, entry.Text(), "audit.csv")
}

// No request changes or deletes an entry.
func TestAuditIsReadOnly(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	s.record(t, domain.UserActor(1), domain.AuditEntry{Action: domain.ActionRoleGranted, User: 2})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, path := range []string{"/audit", "/audit/1", "/audit/export/csv"} {
			require.Contains(t, []int{http.StatusMethodNotAllowed, http.StatusNotFound}, b.Do(t, method, path, "").Status, "%s %s", method, path)
		}
	}
	require.Equal(t, 1, b.Get(t, "/audit").Find(".audit tbody tr").Length())
}
