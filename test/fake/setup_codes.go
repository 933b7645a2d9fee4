package fake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// SetupCodes stores codes for the users of Store.
type SetupCodes struct {
	Store *Imports

	codes map[string]time.Time // expiry by hash
}

// Create implements ports.SetupCodeStore.
func (s *SetupCodes) Create(ctx context.Context, hash []byte, expires time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("create: %w", err)
	}
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	if len(s.Store.operators()) > 0 {
		return false, nil
	}
	if s.codes == nil {
		s.codes = map[string]time.Time{}
	}
	s.codes[string(hash)] = expires
	return true, nil
}

// Check implements ports.SetupCodeStore.
func (s *SetupCodes) Check(ctx context.Context, hash []byte, at time.Time) error {
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	return s.check(ctx, hash, at)
}

func (s *SetupCodes) check(ctx context.Context, hash []byte, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if !s.codes[string(hash)].After(at) || len(s.Store.operators()) > 0 {
		return ports.ErrNotFound
	}
	return nil
}

// Use implements ports.SetupCodeStore.
func (s *SetupCodes) Use(ctx context.Context, hash []byte, at time.Time, user int64) error {
	s.Store.mu.Lock()
	defer s.Store.mu.Unlock()
	err := s.check(ctx, hash, at)
	if err != nil {
		return err
	}
	if !s.Store.has(user) {
		return ports.ErrNotFound
	}
	clear(s.codes)
	if s.Store.roles == nil {
		s.Store.roles = map[int][]domain.Role{}
	}
	i := int(user - 1)
	s.Store.roles[i] = slices.Sorted(slices.Values(append(s.Store.roles[i], domain.RoleOperator)))
	return nil
}
