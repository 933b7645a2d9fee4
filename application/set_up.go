package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// SetUp gives an installation its first operator.
type SetUp struct {
	codes   ports.SetupCodeStore
	secrets ports.Secrets
	now     func() time.Time
}

// NewSetUp returns the use case.
func NewSetUp(codes ports.SetupCodeStore, secrets ports.Secrets, now func() time.Time) *SetUp {
	return &SetUp{codes, secrets, now}
}

// NewCode implements ports.SettingUp.
func (s *SetUp) NewCode(ctx context.Context) (string, error) {
	code := s.secrets.New()
	hash, _ := s.secrets.Hash(code)
	created, err := s.codes.Create(ctx, hash, s.now().Add(domain.SetupCodeLifetime))
	if err != nil {
		return "", fmt.Errorf("create setup code: %w", err)
	}
	if !created {
		return "", nil
	}
	return code, nil
}

// CheckCode implements ports.SettingUp.
func (s *SetUp) CheckCode(ctx context.Context, code string) error {
	return s.withHash("check setup code", code, func(hash []byte) error { return s.codes.Check(ctx, hash, s.now()) })
}

// UseCode implements ports.SettingUp.
func (s *SetUp) UseCode(ctx context.Context, code string, user int64) error {
	ctx = ports.WithActor(ctx, domain.UserActor(user))
	return s.withHash("use setup code", code, func(hash []byte) error { return s.codes.Use(ctx, hash, s.now(), user) })
}

// withHash calls do with the hash of a code. It returns domain.ErrSetupCode for a code that does not exist.
func (s *SetUp) withHash(operation, code string, do func(hash []byte) error) error {
	hash, ok := s.secrets.Hash(code)
	if !ok {
		return domain.ErrSetupCode
	}
	err := do(hash)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return domain.ErrSetupCode
	case err != nil:
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}
