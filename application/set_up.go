package application

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// SetUp gives an installation its first operator.
type SetUp struct {
	codes ports.SetupCodes
	now   func() time.Time
}

// NewSetUp makes the use case.
func NewSetUp(codes ports.SetupCodes, now func() time.Time) *SetUp { return &SetUp{codes, now} }

// NewCode implements ports.Setup.
func (s *SetUp) NewCode(ctx context.Context) (string, error) {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // never fails: it ends the program instead
	code := base64.RawURLEncoding.EncodeToString(random)
	created, err := s.codes.Create(ctx, secretHash(code), s.now().Add(domain.SetupCodeLifetime))
	if err != nil {
		return "", fmt.Errorf("create setup code: %w", err)
	}
	if !created {
		return "", nil
	}
	return code, nil
}

// CheckCode implements ports.Setup.
func (s *SetUp) CheckCode(ctx context.Context, code string) error {
	return setupError("check setup code", s.codes.Check(ctx, secretHash(code), s.now()))
}

// UseCode implements ports.Setup.
func (s *SetUp) UseCode(ctx context.Context, code string, user int64) error {
	return setupError("use setup code", s.codes.Use(ctx, secretHash(code), s.now(), user))
}

func setupError(operation string, err error) error {
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return domain.ErrSetupCode
	case err != nil:
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}
