package report

import (
	"encoding/json"
	"io"
	"iter"
	"time"

	"rollcall/domain"
)

// AuditCSV writes the audit as a CSV file. Its column of changes has JSON.
type AuditCSV struct {
	Location *time.Location // of times
}

// Write implements ports.AuditWriter.
func (a AuditCSV) Write(w io.Writer, language string, entries iter.Seq2[domain.AuditEntry, error]) error {
	type entry = domain.AuditEntry
	return writeCSV(w, language, table[entry]{"Audit", []column[entry]{
		{name: "id", number: func(e *entry) int64 { return e.ID }},
		{name: "time", date: func(e *entry) time.Time { return e.Time.In(a.Location) }},
		{name: "time_zone", text: func(e *entry) string { return domain.ZoneName(e.Time.In(a.Location)) }},
		{name: "actor", text: func(e *entry) string { return e.Actor.Key() }},
		{name: "actor_name", text: func(e *entry) string { return e.Actor.Name }},
		{name: "action", text: func(e *entry) string { return string(e.Action) }},
		{name: "user", number: func(e *entry) int64 { return e.User }},
		{name: "login", text: func(e *entry) string { return e.Login }},
		{name: "import", number: func(e *entry) int64 { return e.Import }},
		{name: "address", text: func(e *entry) string { return e.Address }},
		{name: "request", text: func(e *entry) string { return e.Request }},
		{name: "before", text: func(e *entry) string { return factsOf(e.Before) }},
		{name: "after", text: func(e *entry) string { return factsOf(e.After) }},
		{name: "left_out", number: func(e *entry) int64 { return int64(e.LeftOut) }},
	}}, "audit", entries)
}

// factsOf returns what an entry says as JSON, empty for nothing.
func factsOf(facts map[string]any) string {
	if facts == nil {
		return ""
	}
	text, err := json.Marshal(facts)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(text)
}
