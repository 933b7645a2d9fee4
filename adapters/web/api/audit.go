package api

import (
	"time"

	"rollcall/domain"
)

// An AuditEntry is an entry of the audit as programs get it.
type AuditEntry struct {
	ID      int64          `json:"id"`
	Time    time.Time      `json:"time"`
	Actor   AuditActor     `json:"actor"`
	Action  domain.Action  `json:"action"`
	User    *AuditUser     `json:"user,omitempty"`
	Import  int64          `json:"import,omitempty"`
	Address string         `json:"address,omitempty"`
	Request string         `json:"request,omitempty"`
	Before  map[string]any `json:"before,omitempty"`
	After   map[string]any `json:"after,omitempty"`
	LeftOut int            `json:"left_out,omitempty"`
}

// An AuditActor is the actor of an entry.
type AuditActor struct {
	Kind  domain.ActorKind `json:"kind"`
	ID    int64            `json:"id,omitempty"`
	Login string           `json:"login,omitempty"` // of a user whose account exists
	Name  string           `json:"name,omitempty"`  // of any other actor
}

// An AuditUser is the user whom an entry concerns.
type AuditUser struct {
	ID    int64  `json:"id"`
	Login string `json:"login,omitempty"` // of an account that exists
}

// NewAuditEntry returns an entry as programs get it.
func NewAuditEntry(e *domain.AuditEntry) AuditEntry {
	entry := AuditEntry{
		ID: e.ID, Time: e.Time, Actor: AuditActor{Kind: e.Actor.Kind, ID: e.Actor.ID, Name: e.Actor.Name}, Action: e.Action, Import: e.Import,
		Address: e.Address, Request: e.Request, Before: e.Before, After: e.After, LeftOut: e.LeftOut,
	}
	if e.Actor.Kind == domain.ActorUser {
		entry.Actor.Login, entry.Actor.Name = e.Actor.Name, ""
	}
	if e.User != 0 {
		entry.User = &AuditUser{e.User, e.Login}
	}
	return entry
}
