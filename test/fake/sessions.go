package fake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rollcall/domain"
)

// session is a session of the web adapter.
type session struct {
	value       []byte
	expires     time.Time
	description domain.Session
}

// Sessions stores the sessions of Store's users, with their descriptions.
type Sessions struct{ Store *Imports }

// Describe implements ports.SessionStore.
func (s Sessions) Describe(ctx context.Context, key string, description *domain.Session) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	if known, ok := s.Store.sessions[key]; ok {
		known.description = *description
		s.Store.sessions[key] = known
	}
	return nil
}

// Keys returns the keys of all sessions.
func (s Sessions) Keys() (keys []string) {
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	for key := range s.Store.sessions {
		keys = append(keys, key)
	}
	return keys
}

// GetWithContext implements the storage of sessions.
func (s Sessions) GetWithContext(_ context.Context, key string) ([]byte, error) {
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	return s.Store.sessions[key].value, nil
}

// SetWithContext implements the storage of sessions.
func (s Sessions) SetWithContext(_ context.Context, key string, value []byte, lifetime time.Duration) error {
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	if s.Store.sessions == nil {
		s.Store.sessions = map[string]session{}
	}
	s.Store.sessions[key] = session{slices.Clone(value), time.Now().Add(lifetime), s.Store.sessions[key].description}
	return nil
}

// DeleteWithContext implements the storage of sessions.
func (s Sessions) DeleteWithContext(_ context.Context, key string) error {
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	delete(s.Store.sessions, key)
	return nil
}
